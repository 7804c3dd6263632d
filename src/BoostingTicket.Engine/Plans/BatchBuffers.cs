using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Plans;

/// <summary>What goes into a network and what comes out, for one batch size. All plans of that batch size work on the same
/// buffers, so an attack changes in place what the training step then reads.</summary>
internal sealed class BatchBuffers : IDisposable
{
    private readonly Arena? _arena;

    /// <param name="backend">Where they are.</param>
    /// <param name="batch">Samples.</param>
    /// <param name="input">Shape of an image.</param>
    /// <param name="withMemory">Whether images get memory, or are described alone.</param>
    internal BatchBuffers(IBackend backend, int batch, FeatureShape input, bool withMemory)
    {
        Tensor[] tensors = [.. Enumerable.Range(0, 4).Select(_ => backend.DescribeImages(batch, input))];
        long step = (tensors[0].Bytes + backend.Alignment - 1) / backend.Alignment * backend.Alignment;
        Bytes = step * tensors.Length;
        if (withMemory)
        {
            _arena = backend.CreateArena(Bytes);
            for (int i = 0; i < tensors.Length; i++)
                backend.Place(tensors[i], _arena, i * step);
        }
        Clean = tensors[0];
        Input = tensors[1];
        InputGradient = tensors[2];
        Worst = tensors[3];
        Labels = backend.CreateInts(batch);
        Samples = backend.CreateInts(batch);
        Losses = backend.CreateFloats(batch);
        Correct = backend.CreateFloats(batch);
        WorstLosses = backend.CreateFloats(batch);
    }

    /// <summary>Samples.</summary>
    public int Batch => Clean.Batch;

    /// <summary>Clean images in [0, 1].</summary>
    public Tensor Clean { get; }

    /// <summary>What the network sees: clean or adversarial images.</summary>
    public Tensor Input { get; }

    /// <summary>Gradient of the loss by <see cref="Input"/>, after a backward pass that was asked for it.</summary>
    public Tensor InputGradient { get; }

    /// <summary>The worst adversarial images found so far by an attack with several restarts.</summary>
    public Tensor Worst { get; }

    /// <summary>Class of each sample.</summary>
    public IntBuffer Labels { get; }

    /// <summary>Identity of each sample in its data set, which random starts are keyed by.</summary>
    public IntBuffer Samples { get; }

    /// <summary>Loss of each sample, after <see cref="Plan.Loss"/>.</summary>
    public FloatBuffer Losses { get; }

    /// <summary>1 where the sample is classified correctly, after <see cref="Plan.Loss"/>.</summary>
    public FloatBuffer Correct { get; }

    /// <summary>Losses of <see cref="Worst"/>.</summary>
    public FloatBuffer WorstLosses { get; }

    /// <summary>Bytes of the image tensors.</summary>
    public long Bytes { get; }

    /// <inheritdoc/>
    public void Dispose()
    {
        _arena?.Dispose();
        Labels.Dispose();
        Samples.Dispose();
        Losses.Dispose();
        Correct.Dispose();
        WorstLosses.Dispose();
    }
}
