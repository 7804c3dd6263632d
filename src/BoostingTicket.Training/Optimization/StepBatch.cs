using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Plans;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Training.Data;
using BoostingTicket.Training.Optimization.Methods;
using BoostingTicket.Training.Progress;

namespace BoostingTicket.Training.Optimization;

/// <summary>The samples of a step on their way from images to gradients, between which <see cref="TrainingStep"/> keeps time.
/// Allocates nothing once made.</summary>
internal abstract class StepBatch : IDisposable
{
    /// <summary>Told of every phase; null for none.</summary>
    public abstract IStepObserver? Observer { get; set; }

    /// <summary>Loss of each sample, in the order of the step.</summary>
    public abstract BufferSlice Losses { get; }

    /// <summary>1 where the sample is classified correctly, in the order of the step.</summary>
    public abstract BufferSlice Correct { get; }

    /// <summary>What outlives the step, by name: part of a checkpoint.</summary>
    public abstract IReadOnlyList<(string Name, Tensor Tensor)> Kept { get; }

    /// <summary>Loads images, labels and identities.</summary>
    public abstract void Load(ReadOnlySpan<ImageRequest> requests);

    /// <summary>Makes of the images what is trained on.</summary>
    /// <param name="epoch">Keys random starts.</param>
    public abstract void Attack(int epoch);

    /// <summary>Leaves the gradients of the parameters with the network, for the optimizer.</summary>
    public abstract void Train();

    /// <inheritdoc/>
    public abstract void Dispose();
}

/// <summary>All samples of the step as one batch.</summary>
/// <param name="images">Training images.</param>
/// <param name="buffers">Buffers of the batch.</param>
/// <param name="method">The method's step.</param>
internal sealed class WholeBatch(DeviceImages images, BatchBuffers buffers, MethodStep method) : StepBatch
{
    /// <inheritdoc/>
    public override IStepObserver? Observer
    {
        get => method.Observer;
        set => method.Observer = value;
    }

    /// <inheritdoc/>
    public override BufferSlice Losses => buffers.Losses.All;

    /// <inheritdoc/>
    public override BufferSlice Correct => buffers.Correct.All;

    /// <inheritdoc/>
    public override IReadOnlyList<(string Name, Tensor Tensor)> Kept => method.Kept;

    /// <inheritdoc/>
    public override void Load(ReadOnlySpan<ImageRequest> requests) => images.Load(requests, buffers, method.Destination);

    /// <inheritdoc/>
    public override void Attack(int epoch) => method.Attack(epoch);

    /// <inheritdoc/>
    public override void Train() => method.Train();

    /// <inheritdoc/>
    public override void Dispose() => method.Dispose();
}
