using BoostingTicket.Runs.Stages;
using BoostingTicket.Training.Optimization;
using BoostingTicket.Training.Optimization.Methods;

namespace BoostingTicket.Runs.Configuration;

/// <summary>Settings whose meaning changed from one version to another. A run that has some of its work by the old meaning must
/// not go on by the new one without a word.</summary>
internal static class ChangedSettings
{
    /// <summary>Grows with every change.</summary>
    public const int Meanings = 1;

    /// <summary>What a setting of a run meant when its folder was begun, as the middle of a sentence; null where all mean the
    /// same.</summary>
    /// <param name="configuration">The run.</param>
    /// <param name="command">The command that the folder belongs to.</param>
    /// <param name="meanings">What its <c>command.json</c> says.</param>
    public static string? Find(RunConfiguration configuration, string command, int meanings)
    {
        if (meanings >= Meanings)
            return null;
        bool run = command == TicketRun.Command;
        bool ticket = run && configuration.Arms.Any(arm => arm != Arm.Dense);
        if (ticket && configuration.Pruning.EarlyBird is not null)
            return "the Early-Bird distance was a share of all weights and not of the most that masks can differ";
        TrainingSettings?[] trainings =
        [
            ticket ? configuration.Donor : null,
            ticket || command == TicketTraining.Stage ? configuration.Retrain : null,
            (run && configuration.Arms.Contains(Arm.Dense)) || command == DenseTraining.Stage ? configuration.Dense : null,
        ];
        foreach (TrainingSettings training in trainings.OfType<TrainingSettings>())
        {
            int replays = TrainingMethodCatalog.Find(training.Method).Replays(training.MethodOptions);
            int passes = TrainingMethodCatalog.EpochsOf(training) * replays;
            if (passes != training.Epochs)
                return FormattableString.Invariant($"free trains {passes} passes where {training.Epochs} are asked for");
        }

        return null;
    }
}
