using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cuda.Bindings;

namespace BoostingTicket.Engine.Cuda.Kernels;

/// <summary>Vectors of one batch normalisation, a float32 for each channel.</summary>
/// <param name="Scale">γ.</param>
/// <param name="Shift">β.</param>
/// <param name="SavedMean">Receives the batch mean (forward); read by the backward pass.</param>
/// <param name="SavedInverseDeviation">Receives <c>1 / sqrt(variance + epsilon)</c> (biased variance).</param>
/// <param name="Epsilon">Added to the variance.</param>
internal readonly record struct NormalizationPointers(
    DevicePointer Scale, DevicePointer Shift, DevicePointer SavedMean, DevicePointer SavedInverseDeviation, float Epsilon);

/// <summary>Running statistics that a forward pass updates: <c>running = (1 - momentum) * running + momentum * batch</c>, the
/// variance unbiased.</summary>
/// <param name="Mean">Running mean.</param>
/// <param name="Variance">Running variance.</param>
/// <param name="Momentum">Weight of the new batch.</param>
internal readonly record struct RunningPointers(DevicePointer Mean, DevicePointer Variance, float Momentum);

/// <summary>Batch normalisation over a batch's own statistics (<c>kernels/normalization.cu</c>). Tensors of one call have one
/// element type, float32 or bfloat16; the arithmetic is float32, sums over pixels are combined in double precision.</summary>
internal sealed class NormalizationKernels
{
    private const string Family = "normalization";

    /// <summary>Values for each channel that a finishing kernel leaves for the last one.</summary>
    private const int Coefficients = 4;

    private readonly KernelLibrary _library;
    private readonly TypedFunction _statistics;
    private readonly TypedFunction _forward;
    private readonly TypedFunction _gradientSums;
    private readonly TypedFunction _backward;
    private readonly nint _forwardFinish;
    private readonly nint _backwardFinish;
    private readonly nint _fold;

    /// <summary>Loads the kernels.</summary>
    public NormalizationKernels(KernelLibrary library)
    {
        _library = library;
        _statistics = new TypedFunction(library, Family, "norm_statistics");
        _forward = new TypedFunction(library, Family, "norm_forward");
        _gradientSums = new TypedFunction(library, Family, "norm_gradient_sums");
        _backward = new TypedFunction(library, Family, "norm_backward");
        _forwardFinish = library.Function(Family, "norm_forward_finish");
        _backwardFinish = library.Function(Family, "norm_backward_finish");
        _fold = library.Function(Family, "norm_fold");
    }

    /// <summary>Bytes of scratch that either pass over a tensor needs.</summary>
    public static long ScratchBytes(TensorView x)
    {
        var grid = ChannelGrid.ForSums(x);
        return CoefficientBytes(grid) + (long)grid.Chunks * grid.PhysicalChannels * 2 * sizeof(double);
    }

    /// <summary><c>y = act(γ (x - mean) / sqrt(variance + ε) + β + residual)</c> with the batch's mean and variance. Reads x
    /// twice and the residual once; writes y once.</summary>
    /// <param name="pointers">γ, β and the places of the saved statistics.</param>
    /// <param name="running">Running statistics to update, or null.</param>
    /// <param name="x">N x shape; at least two values a channel.</param>
    /// <param name="y">N x shape; may be <paramref name="x"/> or the residual.</param>
    /// <param name="residual">A summand, or null.</param>
    /// <param name="activation">The function at the end.</param>
    /// <param name="scratch"><see cref="ScratchBytes"/> bytes, aligned to 16.</param>
    /// <exception cref="ArgumentException">A channel has one value, or shapes or types differ.</exception>
    public void Forward(
        in NormalizationPointers pointers, RunningPointers? running, TensorView x, TensorView y, TensorView? residual,
        Activation activation, DevicePointer scratch)
    {
        if (x.Pixels < 2)
        {
            throw new ArgumentException(
                $"Batch normalisation of a tensor of {x.Batch}x{x.Shape} has one value a channel, and so no variance; use a "
                + "batch of at least 2.");
        }
        TensorChecks.RequireAlike(x, y, nameof(y));
        TensorChecks.RequireAlike(x, residual, nameof(residual));
        var sums = ChannelGrid.ForSums(x);
        DevicePointer partials = scratch + CoefficientBytes(sums);
        _library.Launch(
            _statistics.For(x), sums.Blocks, x.Data, sums.Pixels, sums.Vectors, sums.LaneBits, sums.PixelsPerChunk, partials);
        _library.Launch(
            _forwardFinish, sums.FinalBlocks, partials, sums.Chunks, sums.PixelsPerChunk, sums.Pixels, sums.Channels,
            sums.PhysicalChannels, pointers.Scale, pointers.Shift, pointers.Epsilon, running?.Mean ?? DevicePointer.Null,
            running?.Variance ?? DevicePointer.Null, running?.Momentum ?? 0, pointers.SavedMean, pointers.SavedInverseDeviation,
            scratch);
        var results = ChannelGrid.ForResults(x);
        _library.Launch(
            _forward.For(x), results.Blocks, x.Data, TensorChecks.DataOrNull(residual), (int)activation.Kind,
            activation.Slope, scratch, results.Pixels, results.Vectors, results.LaneBits, results.PixelsPerChunk, y.Data);
    }

    /// <summary>Backward pass: <c>dx = (gradient + addend) * activation'(through)</c>, and the gradients of γ and β.
    /// Reads x and dy twice, addend and through once; writes dx once.</summary>
    /// <param name="pointers">As in the forward pass, with the saved statistics it wrote.</param>
    /// <param name="x">The forward pass's input.</param>
    /// <param name="dy">Gradient of the normalised value.</param>
    /// <param name="dx">Gradient of the input; may be <paramref name="dy"/> or the addend.</param>
    /// <param name="dScale">Receives the gradient of γ, or null.</param>
    /// <param name="dShift">Receives the gradient of β, or null.</param>
    /// <param name="addend">A gradient to add, or null.</param>
    /// <param name="through">What the activation's derivative is taken from, or null.</param>
    /// <param name="activation">The activation that the gradient goes back through.</param>
    /// <param name="scratch"><see cref="ScratchBytes"/> bytes, aligned to 16.</param>
    /// <exception cref="ArgumentException">Shapes or types differ.</exception>
    public void Backward(
        in NormalizationPointers pointers, TensorView x, TensorView dy, TensorView dx, DevicePointer dScale, DevicePointer dShift,
        TensorView? addend, TensorView? through, Activation activation, DevicePointer scratch)
    {
        TensorChecks.RequireAlike(x, dy, nameof(dy));
        TensorChecks.RequireAlike(x, dx, nameof(dx));
        TensorChecks.RequireAlike(x, addend, nameof(addend));
        TensorChecks.RequireAlike(x, through, nameof(through));
        var sums = ChannelGrid.ForSums(x);
        DevicePointer partials = scratch + CoefficientBytes(sums);
        _library.Launch(
            _gradientSums.For(x), sums.Blocks, x.Data, dy.Data, pointers.SavedMean, sums.Pixels, sums.Channels, sums.Vectors,
            sums.LaneBits, sums.PixelsPerChunk, partials);
        _library.Launch(
            _backwardFinish, sums.FinalBlocks, partials, sums.Chunks, sums.Pixels, sums.Channels, sums.PhysicalChannels,
            pointers.Scale, pointers.SavedMean, pointers.SavedInverseDeviation, dScale, dShift, scratch);
        var results = ChannelGrid.ForResults(x);
        _library.Launch(
            _backward.For(x), results.Blocks, x.Data, dy.Data, TensorChecks.DataOrNull(addend),
            TensorChecks.DataOrNull(through), (int)activation.Kind, activation.Slope, scratch, results.Pixels,
            results.Vectors, results.LaneBits, results.PixelsPerChunk, dx.Data);
    }

    /// <summary><c>scale = γ / sqrt(variance + ε)</c>, <c>shift = β + (bias - mean) * scale</c>, for each channel.</summary>
    /// <param name="gamma">γ.</param>
    /// <param name="beta">β.</param>
    /// <param name="mean">Running mean.</param>
    /// <param name="variance">Running variance.</param>
    /// <param name="epsilon">Added to the variance.</param>
    /// <param name="bias">Bias of the convolution before, or null.</param>
    /// <param name="scale">Receives the factor.</param>
    /// <param name="shift">Receives the summand.</param>
    /// <param name="channels">Channels.</param>
    public void Fold(
        DevicePointer gamma, DevicePointer beta, DevicePointer mean, DevicePointer variance, float epsilon, DevicePointer bias,
        DevicePointer scale, DevicePointer shift, int channels) =>
        _library.Launch(
            _fold, KernelLibrary.OneEach(channels), gamma, beta, mean, variance, epsilon, bias, scale, shift, channels);

    private static long CoefficientBytes(in ChannelGrid grid) => (long)Coefficients * grid.PhysicalChannels * sizeof(float);
}
