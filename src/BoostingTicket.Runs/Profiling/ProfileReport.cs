using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Graph;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Training;
using BoostingTicket.Training.Progress;

namespace BoostingTicket.Runs.Profiling;

/// <summary>What is to be profiled beside the settings of a run.</summary>
/// <param name="Batches">Batches that are timed; 0 for a whole epoch. As many are observed, but <see
/// cref="Profiler.MostObserved"/> at most.</param>
/// <param name="WarmupBatches">Batches before, which are not timed.</param>
/// <param name="Sparsity">Share of the prunable weights that is pruned by magnitude before, in [0, 1).</param>
/// <param name="Weights">Weights file to start from; null for initial weights.</param>
/// <param name="Operations">Whether operations are timed one by one too.</param>
internal sealed record ProfileOptions(
    int Batches = 10, int WarmupBatches = 3, double Sparsity = 0, string? Weights = null, bool Operations = false)
{
    /// <summary>Checks the ranges.</summary>
    /// <exception cref="ConfigurationException">One is violated; the message names the setting.</exception>
    public void Validate()
    {
        Require.InRange("batches", Batches, 0, 1_000_000);
        Require.InRange("warmupBatches", WarmupBatches, 0, 1_000);
        Require.InRange("sparsity", Sparsity, 0, 0.9999);
    }
}

/// <summary>An amount of work.</summary>
/// <param name="DenseOperations">Floating-point operations if nothing were pruned, a multiply-add counting as two.</param>
/// <param name="KeptOperations">Those of them that belong to kept weights.</param>
/// <param name="Bytes">Bytes of feature maps and weights read and written, each once.</param>
internal readonly record struct Work(long DenseOperations, long KeptOperations, long Bytes)
{
    /// <summary>The sum of both.</summary>
    public static Work operator +(Work a, Work b) =>
        new(a.DenseOperations + b.DenseOperations, a.KeptOperations + b.KeptOperations, a.Bytes + b.Bytes);

    /// <summary>The sum of both.</summary>
    public static Work Add(Work a, Work b) => a + b;

    /// <summary>So many times as much, to whole numbers.</summary>
    public Work Times(double factor) =>
        new((long)(DenseOperations * factor), (long)(KeptOperations * factor), (long)(Bytes * factor));
}

/// <summary>Speed of some work. Rates are null where no such work is counted.</summary>
/// <param name="DenseOperationsPerSecond">Dense-equivalent: operations of the unpruned network over the time taken.</param>
/// <param name="KeptOperationsPerSecond">Operations of kept weights over the time taken.</param>
/// <param name="BytesPerSecond">Traffic over the time taken.</param>
/// <param name="ShareOfLimit">Shortest time in which the device could do the dense work, by its measured peaks, over the time
/// taken; above 1 where less than the dense work was done, by pruning or by fast algorithms.</param>
internal sealed record Rate(
    double? DenseOperationsPerSecond, double? KeptOperationsPerSecond, double? BytesPerSecond, double? ShareOfLimit);

/// <summary>A phase of training.</summary>
/// <param name="Phase">The phase.</param>
/// <param name="CallsPerBatch">How often it is entered; evaluation's share of an epoch.</param>
/// <param name="SecondsPerBatch">Mean seconds; evaluation is spread over the batches of an epoch.</param>
/// <param name="SecondsPerEpoch">Seconds of an epoch.</param>
/// <param name="Share">Share of an epoch; shares add up to 1.</param>
/// <param name="WorkPerBatch">What it does.</param>
/// <param name="Rate">How fast.</param>
internal sealed record PhaseRow(
    StepPhase Phase, double CallsPerBatch, double SecondsPerBatch, double SecondsPerEpoch, double Share, Work WorkPerBatch,
    Rate Rate);

/// <summary>A layer, in all phases of a step together. Layers that were fused into another are in it.</summary>
/// <param name="Layer">Name.</param>
/// <param name="Kept">Share of its weights that is kept; null for a layer without prunable weights.</param>
/// <param name="ForwardSeconds">Seconds a batch of forward passes.</param>
/// <param name="InputGradientSeconds">Seconds a batch of gradients of its input, and of what has no weights.</param>
/// <param name="FilterGradientSeconds">Seconds a batch of gradients of its weights.</param>
/// <param name="FilterSeconds">Seconds a batch of preparing its filter.</param>
/// <param name="SecondsPerBatch">All of them.</param>
/// <param name="Share">Share of a step.</param>
/// <param name="WorkPerBatch">What it does.</param>
/// <param name="Rate">How fast.</param>
internal sealed record LayerRow(
    string Layer, double? Kept, double ForwardSeconds, double InputGradientSeconds, double FilterGradientSeconds,
    double FilterSeconds,
    double SecondsPerBatch, double Share, Work WorkPerBatch, Rate Rate);

/// <summary>An operation in a phase of a step. Phases that are no plan's are one operation; what lies between the operations of a
/// phase is one too.</summary>
/// <param name="Phase">The phase.</param>
/// <param name="Layer">The layer, or empty.</param>
/// <param name="Kind">Family; null for what is no plan's operation.</param>
/// <param name="CallsPerBatch">How often.</param>
/// <param name="SecondsPerBatch">Seconds a batch.</param>
/// <param name="Share">Share of a step; shares add up to 1.</param>
/// <param name="WorkPerBatch">What it does.</param>
/// <param name="Rate">How fast.</param>
internal sealed record OperationRow(
    StepPhase Phase, string Layer, OperationKind? Kind, double CallsPerBatch, double SecondsPerBatch, double Share,
    Work WorkPerBatch,
    Rate Rate);

/// <summary>What steps of training cost, and where.</summary>
internal sealed record ProfileReport
{
    /// <summary>Version of this document.</summary>
    public int Schema { get; init; } = 1;

    /// <summary>Program that measured.</summary>
    public string Engine { get; init; } = "boosting-ticket";

    /// <summary>That there is a result.</summary>
    public string Status { get; init; } = "ok";

    /// <summary>Name of the device.</summary>
    public required string Device { get; init; }

    /// <summary>The device, for people.</summary>
    public required string DeviceDescription { get; init; }

    /// <summary>Number format, as settings spell it.</summary>
    public required string Precision { get; init; }

    /// <summary>How each pass of each convolution is computed, where the device chooses; else empty.</summary>
    public IReadOnlyList<ChosenWork> Convolutions { get; init; } = [];

    /// <summary>What was said of the settings before the start; null where nothing was.</summary>
    public RunStatement? Settings { get; init; }

    /// <summary>Model.</summary>
    public required string Model { get; init; }

    /// <summary>Data set.</summary>
    public required string Dataset { get; init; }

    /// <summary>A name of a training method, such as <c>pgd</c>.</summary>
    public required string Method { get; init; }

    /// <summary><c>dense</c>, <c>pruned</c> where a mask is trained with, or <c>narrow</c> for a dense network of fewer
    /// channels.</summary>
    public required string Variant { get; init; }

    /// <summary>Gradient steps of the attack in a step of training.</summary>
    public required int AttackSteps { get; init; }

    /// <summary>Share of the prunable weights that is pruned.</summary>
    public required double Sparsity { get; init; }

    /// <summary>Multiply-adds of one image's forward pass that belong to kept weights.</summary>
    public long MultiplyAdds { get; init; }

    /// <summary>Those of the whole model.</summary>
    public long FullMultiplyAdds { get; init; }

    /// <summary>Samples a batch.</summary>
    public required int Batch { get; init; }

    /// <summary>Batches timed as in training, without an observer.</summary>
    public required int Batches { get; init; }

    /// <summary>Batches whose phases were observed, and as many whose operations were, if they were.</summary>
    public required int ObservedBatches { get; init; }

    /// <summary>Median seconds of a batch, without an observer.</summary>
    public required double SecondsPerBatchMedian { get; init; }

    /// <summary>Least seconds of a batch, without an observer.</summary>
    public required double SecondsPerBatchMin { get; init; }

    /// <summary>Most seconds of a batch, without an observer.</summary>
    public required double SecondsPerBatchMax { get; init; }

    /// <summary>By the median.</summary>
    public required double ImagesPerSecond { get; init; }

    /// <summary>Seconds of an epoch of training by the median, evaluation left out.</summary>
    public required double SecondsPerEpoch { get; init; }

    /// <summary>Seconds of classifying the validation samples after an epoch.</summary>
    public required double EvaluationSecondsPerEpoch { get; init; }

    /// <summary>Samples of an epoch.</summary>
    public required int EpochImages { get; init; }

    /// <summary>Median seconds of a batch whose phases were observed.</summary>
    public required double ObservedSecondsPerBatchMedian { get; init; }

    /// <summary>Median seconds of a batch whose operations were observed; null unless they were.</summary>
    public double? OperationsSecondsPerBatchMedian { get; init; }

    /// <summary>What observing phases cost: median of observed over unobserved seconds, batch by batch, less 1.</summary>
    public required double ObservationCost { get; init; }

    /// <summary>What observing operations cost; null unless they were observed.</summary>
    public double? OperationsCost { get; init; }

    /// <summary>Memory at most: of the process on a processor, of the program's allocations on a GPU, in bytes.</summary>
    public required long PeakMemoryBytes { get; init; }

    /// <summary>Memory of the process at most, in bytes.</summary>
    public required long ProcessPeakBytes { get; init; }

    /// <summary>Seconds of warm-up: compilation, choice of algorithms, recording.</summary>
    public required double WarmupSeconds { get; init; }

    /// <summary>Mean loss of the timed batches.</summary>
    public required double MeanLoss { get; init; }

    /// <summary>Share of their samples that was classified correctly.</summary>
    public required double Accuracy { get; init; }

    /// <summary>What the device can do at best.</summary>
    public required MachinePeaks Peaks { get; init; }

    /// <summary>Phases in the order of <see cref="StepPhase"/>; those that did not occur are left out.</summary>
    public required IReadOnlyList<PhaseRow> Phases { get; init; }

    /// <summary>Layers in the order of the network; null unless operations were observed.</summary>
    public IReadOnlyList<LayerRow>? Layers { get; init; }

    /// <summary>Operations, the longest first; null unless they were observed.</summary>
    public IReadOnlyList<OperationRow>? Operations { get; init; }
}
