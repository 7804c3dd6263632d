using System.Text.Json.Serialization;
using BoostingTicket.Training.Progress;

namespace BoostingTicket.Training.Optimization;

/// <summary>Where a training stands, besides weights, statistics and momenta: all that a checkpoint needs to continue with
/// the same bits. Random numbers need no state; they are keyed by seed, epoch and sample.</summary>
public sealed class TrainingState
{
    /// <summary>Finished epochs.</summary>
    public int Epoch { get; set; }

    /// <summary>Finished batches of the current epoch.</summary>
    public int Batch { get; set; }

    /// <summary>Sum of the current epoch's losses.</summary>
    public double LossSum { get; set; }

    /// <summary>Samples of the current epoch that were classified correctly.</summary>
    public long CorrectCount { get; set; }

    /// <summary>Samples of the current epoch so far.</summary>
    public long SampleCount { get; set; }

    /// <summary>Where the current epoch's seconds went so far.</summary>
    public PhaseTimes Times { get; set; }

    /// <summary>Finished epochs.</summary>
    public IList<EpochRecord> History { get; init; } = [];

    /// <summary>Best validation score so far; null before the first.</summary>
    public double? BestScore { get; set; }

    /// <summary>Epoch of the best score; 0 before the first.</summary>
    public int BestEpoch { get; set; }

    /// <summary>Whether training has ended, after the last epoch or early.</summary>
    public bool IsFinished { get; set; }

    /// <summary>Seconds of training, validation left out.</summary>
    [JsonIgnore]
    public double TrainingSeconds => History.Sum(epoch => epoch.Times.Training);

    /// <summary>Begins the next epoch's sums.</summary>
    public void StartEpoch()
    {
        Batch = 0;
        LossSum = 0;
        CorrectCount = 0;
        SampleCount = 0;
        Times = default;
    }
}
