using BoostingTicket.Runs.Experiments.Nodes;
using BoostingTicket.Training.Progress;

namespace BoostingTicket.Runs.Experiments.Speed;

/// <summary>A training whose course is compared with others'.</summary>
/// <param name="Model">The network.</param>
/// <param name="Arm">How it is trained.</param>
/// <param name="Training">The training.</param>
/// <param name="Course">Its accuracies by epoch.</param>
/// <param name="AutoAttack">AutoAttack on its last weights; null for none.</param>
internal sealed record GridCourse(string Model, string Arm, TrainingNode Training, CourseNode Course, TestNode? AutoAttack)
{
    /// <summary>Its points: the time of finding a ticket comes before the first epoch.</summary>
    public IReadOnlyList<CoursePoint> Points(ExperimentStore store)
    {
        ElapsedSeconds seconds = Training.Ticket?.WorkToFind(store) ?? default;
        CourseRecord course = Course.Read(store);
        var points = new List<CoursePoint>();
        foreach ((int index, TrainingWork work) in Training.Work(store).Index())
        {
            seconds += ElapsedSeconds.Of(work);
            CourseEpoch epoch = course.Epochs[index];
            points.Add(new CoursePoint(
                Model, Arm, Training.Seed, index + 1, seconds, epoch.Clean, epoch.Robust, course.Samples));
        }

        return points;
    }
}
