using BoostingTicket.Training.Evaluation;
using BoostingTicket.Training.Experiments.Nodes;
using BoostingTicket.Training.Optimization;
using BoostingTicket.Training.Progress;
using BoostingTicket.Training.Tickets;

namespace BoostingTicket.Training.Files;

/// <summary>Which numbers the objects can have that are read back from files: shares from 0 to 1, counts and seconds not
/// negative, parts not above their whole.</summary>
internal static class StoredValues
{
    /// <summary>The first member of an object that has no possible value; null if all have, or nothing is known of the
    /// type.</summary>
    public static string? WrongMember(object value) => value switch
    {
        EpochRecord epoch => First(
            ("epoch", epoch.Epoch >= 1), ("learning rate", IsAmount(epoch.LearningRate)),
            ("training accuracy", IsShare(epoch.TrainAccuracy)),
            ("clean accuracy", IsShare(epoch.ValidationClean)),
            ("robust accuracy", epoch.ValidationRobust is null || IsShare(epoch.ValidationRobust.Value))),
        PhaseTimes times => First(
            ("seconds", IsAmount(times.Data) && IsAmount(times.Attack) && IsAmount(times.Train) && IsAmount(times.Evaluate))),
        TestResult test => First(
            ("number of samples", test.Samples >= 0), ("clean accuracy", IsShare(test.Clean)),
            ("robust accuracy", IsShare(test.Robust)),
            ("largest perturbation", IsAmount(test.LargestPerturbation)), ("seconds", IsAmount(test.Seconds))),
        ArmResult arm => First(
            ("sparsity", IsShare(arm.Sparsity)), ("best epoch", arm.BestEpoch >= 0 && arm.BestEpoch <= arm.EpochsRun),
            ("pruning seconds", IsAmount(arm.PruningSeconds)), ("training seconds", IsAmount(arm.TrainingSeconds))),
        LayerSparsity layer => First(("number of kept weights", layer.Kept >= 0 && layer.Kept <= layer.Total)),
        SeedResult seed => First(("epoch of Early-Bird", seed.EarlyBirdEpoch is null or >= 1), ("arms", seed.Arms.Count > 0)),
        DonorRecord donor => First(("seconds", IsAmount(donor.Seconds)),
            ("epoch of Early-Bird", donor.EarlyBirdEpoch is null or >= 1)),
        WilsonInterval interval => First(("interval", IsShare(interval.Low) && IsShare(interval.High)
            && interval.Low <= interval.High)),
        MeasuredShare share => First(("share", IsShare(share.Value))),
        AttackResult attack => First(
            ("number of attacked samples", attack.Attacked >= 0 && attack.Attacked <= attack.Samples),
            ("accuracy", IsShare(attack.Robust)),
            ("largest perturbation", IsAmount(attack.LargestPerturbation)), ("seconds", IsAmount(attack.Seconds)),
            ("samples a second", IsAmount(attack.SamplesPerSecond)),
            ("number of gradients of zero", attack.ZeroGradients is null or >= 0),
            ("number of samples attacked by the margin", attack.ByMargin >= 0 && attack.Blind >= 0)),
        RobustnessResult robustness => First(
            ("number of samples", robustness.Samples >= 0), ("clean accuracy", IsShare(robustness.Clean)),
            ("worst case", IsShare(robustness.WorstCase))),
        AttackStage stage => First(
            ("number of attacked samples", stage.Attacked >= 0), ("round", stage.Round >= 0), ("next sample", stage.Next >= 0),
            ("number of starts", stage.Starts >= 0), ("number of gradients of zero", stage.ZeroGradients >= 0
                && stage.ZeroGradients <= stage.Starts),
            ("largest perturbation", IsAmount(stage.LargestPerturbation)), ("seconds", IsAmount(stage.Seconds))),
        TrainingState state => First(
            ("epoch", state.Epoch >= 0 && state.Epoch == state.History.Count), ("step", state.Batch >= 0),
            ("number of samples", state.SampleCount >= 0), ("number of correct samples", state.CorrectCount >= 0
                && state.CorrectCount <= state.SampleCount),
            ("sum of losses", double.IsFinite(state.LossSum)),
            ("best epoch", state.BestEpoch >= 0 && state.BestEpoch <= state.Epoch),
            ("best score", state.BestScore is null || IsShare(state.BestScore.Value)),
            ("seconds of the rule", IsAmount(state.RuleSeconds)),
            ("distance of masks", state.MaskDistance is null || IsAmount(state.MaskDistance.Value))),
        TrainingRecord training => First(
            ("best epoch", training.BestEpoch >= 0 && training.BestEpoch <= training.Epochs),
            ("seconds", IsAmount(training.Seconds)),
            ("distance", training.DonorDistance is null || IsAmount(training.DonorDistance.Value))),
        TicketRecord ticket => First(
            ("sparsity", IsShare(ticket.Sparsity)), ("seconds", IsAmount(ticket.Seconds)),
            ("distance", IsAmount(ticket.StartDistance))),
        TransferResult transfer => First(
            ("number of samples", transfer.Samples >= 0), ("rows",
                transfer.Rows.All(row => row?.Accuracies?.Count == transfer.Rows.Count))),
        TransferRow row => First(
            ("largest perturbation", IsAmount(row.LargestPerturbation)), ("seconds", IsAmount(row.AttackSeconds)),
            ("samples a second", IsAmount(row.SamplesPerSecond))),
        _ => null,
    };

    private static bool IsShare(double value) => value is >= 0 and <= 1;

    private static bool IsAmount(double value) => value >= 0 && double.IsFinite(value);

    private static string? First(params ReadOnlySpan<(string Name, bool IsRight)> members)
    {
        foreach ((string name, bool isRight) in members)
        {
            if (!isRight)
                return name;
        }

        return null;
    }
}
