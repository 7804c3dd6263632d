using System.Globalization;
using BoostingTicket.Training.Progress;

namespace BoostingTicket.Runs.Reporting;

/// <summary>Tells that other processes used processors that a training wanted, so that nobody trusts its seconds.</summary>
internal static class BusyMachine
{
    // Share of the time from which on it is told.
    private const double Told = 0.1;

    /// <summary>About a run, in two sentences.</summary>
    /// <param name="work">Its epochs.</param>
    /// <returns>Null where nothing, or next to nothing, disturbed it.</returns>
    public static string? Tell(IEnumerable<TrainingWork> work) => Share(work) is not { } share ? null : string.Create(
        CultureInfo.InvariantCulture,
        $"The machine was busy: during {share:P0} of the training other processes used processors that it wanted. Compare "
        + $"operations or processor seconds, not seconds.");

    /// <summary>About several trainings whose times are compared, in two sentences.</summary>
    /// <param name="trainings">What they are called, and their epochs.</param>
    /// <returns>Null where nothing, or next to nothing, disturbed any of them.</returns>
    public static string? Tell(IEnumerable<(string Name, IEnumerable<TrainingWork> Work)> trainings)
    {
        ArgumentNullException.ThrowIfNull(trainings);
        string[] disturbed =
        [
            .. from training in trainings
               let share = Share(training.Work)
               where share is not null
               select string.Create(CultureInfo.InvariantCulture, $"{training.Name} ({share:P0})"),
        ];
        return disturbed.Length == 0 ? null
            : $"The machine was busy: other processes used processors that these trainings wanted, for a share of their time: "
                + $"{string.Join("; ", disturbed)}. Their seconds are too many; processor seconds are too, but less.";
    }

    private static double? Share(IEnumerable<TrainingWork> work)
    {
        TrainingWork sum = work.Aggregate(TrainingWork.None, (all, part) => all + part with
        {
            DisturbedSeconds = part.DisturbedSeconds ?? 0,
        });
        return sum.DisturbedSeconds <= Told * sum.WallSeconds ? null : sum.DisturbedSeconds / sum.WallSeconds;
    }
}
