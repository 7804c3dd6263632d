using BoostingTicket.Training.Progress;

namespace BoostingTicket.Training.Classifiers;

/// <summary>How a training went.</summary>
/// <param name="History">Every epoch, in order.</param>
/// <param name="BestEpoch">The epoch that validated best, 1 for the first; 0 where none was measured.</param>
/// <param name="Warnings">Reasons to distrust it, a sentence each.</param>
public sealed record TrainingOutcome(
    IReadOnlyList<EpochRecord> History, int BestEpoch, IReadOnlyList<string> Warnings);
