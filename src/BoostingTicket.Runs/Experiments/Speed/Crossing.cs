namespace BoostingTicket.Runs.Experiments.Speed;

/// <summary>When a training reaches an accuracy. It does so in the first epoch after which it has that accuracy or more. The time
/// lies on the straight line from the epoch before, which had less; the first epoch has none before it, and its end
/// counts.</summary>
internal static class Crossing
{
    /// <summary>The time.</summary>
    /// <param name="points">The training, epoch by epoch.</param>
    /// <param name="target">Accuracy under PGD, in [0, 1].</param>
    /// <returns>Null where it is never reached.</returns>
    public static ElapsedSeconds? Of(IReadOnlyList<CoursePoint> points, double target)
    {
        ArgumentNullException.ThrowIfNull(points);
        for (int i = 0; i < points.Count; i++)
        {
            if (points[i].Robust < target)
                continue;
            if (i == 0)
                return points[0].Seconds;
            CoursePoint before = points[i - 1], after = points[i];
            double share = (target - before.Robust) / (after.Robust - before.Robust);
            return new ElapsedSeconds(
                before.Seconds.Processor + share * (after.Seconds.Processor - before.Seconds.Processor),
                before.Seconds.Wall + share * (after.Seconds.Wall - before.Seconds.Wall));
        }

        return null;
    }
}
