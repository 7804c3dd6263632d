using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Cpu.Kernels;

/// <summary>One algorithm for one direction of one convolution: its forward pass or its input gradient. Both read planes
/// of one tensor and write planes of another, so an algorithm need not know which of them it is.</summary>
internal abstract unsafe class ConvolutionPass : IDisposable
{
    /// <param name="shape">The convolution.</param>
    /// <param name="forward">Forward pass, or input gradient.</param>
    protected ConvolutionPass(ConvolutionShape shape, bool forward)
    {
        Shape = Flattened(shape);
        Forward = forward;
        Source = forward ? Shape.Input : Shape.Output;
        Target = forward ? Shape.Output : Shape.Input;
    }

    /// <summary>The convolution; a linear layer as a 1x1 convolution.</summary>
    public ConvolutionShape Shape { get; }

    /// <summary>Forward pass, or input gradient.</summary>
    public bool Forward { get; }

    /// <summary>Shape of the samples read.</summary>
    public FeatureShape Source { get; }

    /// <summary>Shape of the samples written.</summary>
    public FeatureShape Target { get; }

    /// <summary>Bytes of the packed weights.</summary>
    public abstract long Bytes { get; }

    /// <summary>Packs the weights.</summary>
    /// <param name="pool">Threads.</param>
    /// <param name="weight">Weights in logical order.</param>
    /// <param name="scale">A factor for each output channel of the convolution, or null.</param>
    public abstract void Prepare(WorkerPool pool, float* weight, float* scale);

    /// <summary>Computes.</summary>
    /// <param name="pool">Threads.</param>
    /// <param name="blocks">Blocks of sixteen images.</param>
    /// <param name="source">Tensor read, of shape <see cref="Source"/>.</param>
    /// <param name="target">Tensor written, of shape <see cref="Target"/>.</param>
    /// <param name="epilogue">What happens to each result.</param>
    public abstract void Run(WorkerPool pool, int blocks, float* source, float* target, in PassEpilogue epilogue);

    /// <summary>Frees what was packed.</summary>
    public abstract void Dispose();

    /// <summary>A linear layer as a 1x1 convolution of as many channels as the input has values, which in this layout is
    /// the same memory; any other convolution as it is.</summary>
    public static ConvolutionShape Flattened(ConvolutionShape shape) => shape.IsLinear
        ? new ConvolutionShape(new FeatureShape(shape.Input.Length), shape.OutputChannels, 1, 1, 1, 0)
        : shape;
}

/// <summary>What a pass does to its results: <c>target = finish(value + shift[channel] + addend)</c>, where finish is an
/// activation, an activation's derivative, or nothing. A ReLU and its mask are applied before a result is written, others after,
/// while the cache holds it (<see cref="ActivationKernel{TLanes,TVector}"/>).</summary>
internal readonly unsafe struct PassEpilogue
{
    /// <param name="shift">A summand for each target channel, or null.</param>
    /// <param name="addend">A summand laid out as the target, or null.</param>
    /// <param name="activation">The function, or the one whose derivative is the factor.</param>
    /// <param name="through">What the derivative is taken from, laid out as the target; null for the function itself.</param>
    /// <param name="streams">Whether results may be stored past the caches. The addend must not be the target then.</param>
    public PassEpilogue(float* shift, float* addend, Activation activation, float* through, bool streams = false)
    {
        bool relu = activation.Kind == ActivationKind.Relu;
        Shift = shift;
        Addend = addend;
        Relu = relu && through == null;
        Mask = relu ? through : null;
        Late = relu ? Activation.None : activation;
        Through = relu ? null : through;
        // What is read again after it is written stays in the caches.
        Streams = streams && Late == Activation.None;
    }

    private PassEpilogue(in PassEpilogue all, int channel, nint offset)
    {
        this = all;
        Shift = all.Shift == null ? null : all.Shift + channel;
        Addend = all.Addend == null ? null : all.Addend + offset;
        Mask = all.Mask == null ? null : all.Mask + offset;
        Through = all.Through == null ? null : all.Through + offset;
    }

    /// <summary>A summand for each target channel, or null.</summary>
    public float* Shift { get; }

    /// <summary>A summand laid out as the target (which it may be), or null.</summary>
    public float* Addend { get; }

    /// <summary>Whether negative results become 0.</summary>
    public bool Relu { get; }

    /// <summary>Laid out as the target: results become 0 where this is not positive. Null for no mask.</summary>
    public float* Mask { get; }

    /// <summary>What comes after the results are written; <see cref="Activation.None"/> for nothing.</summary>
    public Activation Late { get; }

    /// <summary>Laid out as the target: what the derivative of <see cref="Late"/> is taken from; null for the function
    /// itself.</summary>
    public float* Through { get; }

    /// <summary>Whether results are stored past the caches, to be completed by <see cref="Prefetch.CompleteStreams"/>.</summary>
    public bool Streams { get; }

    /// <summary>The same for a target that begins later.</summary>
    /// <param name="channel">Target channels in between.</param>
    /// <param name="offset">Floats in between.</param>
    public PassEpilogue From(int channel, nint offset) => new(this, channel, offset);
}
