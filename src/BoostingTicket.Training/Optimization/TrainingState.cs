using System.Text.Json.Serialization;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Training.Files;
using BoostingTicket.Training.Progress;

namespace BoostingTicket.Training.Optimization;

/// <summary>Where a training stands, besides weights, statistics and momenta: all that a checkpoint needs to continue with
/// the same bits. Random numbers need no state; they are keyed by seed, epoch and sample.</summary>
internal sealed class TrainingState : IStoredRecord
{
    /// <summary>Finished epochs.</summary>
    public int Epoch { get; set; }

    /// <summary>Finished steps of the current epoch: batches, or with <see cref="TrainingMethod.Free"/> their replays.</summary>
    public int Batch { get; set; }

    /// <summary>Sum of the current epoch's losses.</summary>
    public double LossSum { get; set; }

    /// <summary>Samples of the current epoch that were classified correctly.</summary>
    public long CorrectCount { get; set; }

    /// <summary>Samples of the current epoch so far.</summary>
    public long SampleCount { get; set; }

    /// <summary>Where the current epoch's seconds went so far.</summary>
    public PhaseTimes Times { get; set; }

    /// <summary>What the current epoch took so far; null where it was begun by a program that did not count.</summary>
    public TrainingWork? Work { get; set; }

    /// <summary>Finished epochs.</summary>
    public IList<EpochRecord> History { get; init; } = [];

    /// <summary>Best validation score so far; null before the first.</summary>
    public double? BestScore { get; set; }

    /// <summary>Epoch of the best score; 0 before the first.</summary>
    public int BestEpoch { get; set; }

    /// <summary>Whether training has ended, after the last epoch or early.</summary>
    public bool IsFinished { get; set; }

    /// <summary>Warnings, a sentence each.</summary>
    public IList<string> Warnings { get; init; } = [];

    /// <summary>Seconds that the rule took which looks at every epoch.</summary>
    public double RuleSeconds { get; set; }

    /// <summary>Distance at which Early-Bird found the masks settled; null where it did not end the training.</summary>
    public double? MaskDistance { get; set; }

    /// <summary>Values besides weights, statistics and momenta that a checkpoint has to hold, by name.</summary>
    [JsonIgnore]
    public IDictionary<string, float[]> KeptValues { get; } = new Dictionary<string, float[]>(StringComparer.Ordinal);

    /// <summary>Bytes that a checkpoint has to hold, by name.</summary>
    [JsonIgnore]
    public IDictionary<string, byte[]> KeptBytes { get; } = new Dictionary<string, byte[]>(StringComparer.Ordinal);

    /// <summary>Seconds of training, validation left out.</summary>
    [JsonIgnore]
    public double TrainingSeconds => History.Sum(epoch => epoch.Times.Training);

    /// <summary>Keeps a buffer's values for a checkpoint.</summary>
    public void Keep(string name, IBackend backend, BufferSlice values)
    {
        ArgumentNullException.ThrowIfNull(backend);
        float[] kept = new float[values.Length];
        backend.Download(values, kept);
        KeptValues[name] = kept;
    }

    /// <summary>Values that a checkpoint kept.</summary>
    /// <param name="name">What they were kept as.</param>
    /// <param name="length">How many there must be.</param>
    /// <exception cref="DamagedFileException">The checkpoint does not hold them.</exception>
    public float[] Kept(string name, int length) =>
        KeptValues.TryGetValue(name, out float[]? values) && values.Length == length
            ? values
            : throw new DamagedFileException(
                $"A checkpoint lacks the {length} values '{name}' that its training needs to continue; delete it to start that "
                + $"stage again.");

    /// <summary>Begins the next epoch's sums.</summary>
    public void StartEpoch()
    {
        Batch = 0;
        LossSum = 0;
        CorrectCount = 0;
        SampleCount = 0;
        Times = default;
        Work = TrainingWork.None;
    }

    string? IStoredRecord.WrongMember() => StoredValues.First(
        ("epoch", Epoch >= 0 && Epoch == History.Count),
        ("step", Batch >= 0),
        ("number of samples", SampleCount >= 0),
        ("number of correct samples", CorrectCount >= 0 && CorrectCount <= SampleCount),
        ("sum of losses", double.IsFinite(LossSum)),
        ("best epoch", BestEpoch >= 0 && BestEpoch <= Epoch),
        ("best score", BestScore is null || StoredValues.IsShare(BestScore.Value)),
        ("seconds of the rule", StoredValues.IsAmount(RuleSeconds)),
        ("distance of masks", MaskDistance is null || StoredValues.IsAmount(MaskDistance.Value)));
}
