using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Backends;

/// <summary>What a forward operation does to its result before it writes it:
/// <c>y = activation(value + shift[channel] + residual)</c>.</summary>
/// <param name="Shift">A summand for each output channel, or null.</param>
/// <param name="Residual">A summand of the output's shape, or null.</param>
/// <param name="Activation">The function at the end.</param>
internal readonly record struct ForwardEpilogue(BufferSlice? Shift, Tensor? Residual, Activation Activation);

/// <summary>What a gradient operation does to its result before it writes it:
/// <c>dx = (value + addend) * activation'(through)</c>.</summary>
/// <remarks>Of a ReLU and a leaky one, <c>through</c> is the output, whose sign decides: 1 where it is positive, else 0 or the
/// slope. Of others it is the input (<see cref="Activation.NeedsInput"/>).</remarks>
/// <param name="Addend">A gradient of the same shape to add, or null. May be the destination itself (accumulate in
/// place).</param>
/// <param name="Through">What the derivative is taken from; null exactly where there is no activation.</param>
/// <param name="Activation">The activation that the gradient goes back through.</param>
internal readonly record struct GradientEpilogue(Tensor? Addend, Tensor? Through, Activation Activation)
{
    /// <summary>Back through a ReLU, or through nothing.</summary>
    /// <param name="addend">A gradient to add, or null.</param>
    /// <param name="reluOutput">The output of the ReLU, or null.</param>
    public GradientEpilogue(Tensor? addend, Tensor? reluOutput)
        : this(addend, reluOutput, reluOutput is null ? Activation.None : Activation.Relu)
    {
    }

    /// <summary>Whether results become zero where <see cref="Through"/> is not positive.</summary>
    internal bool IsMask => Activation.Kind == ActivationKind.Relu;
}

/// <summary>Kind of pooling.</summary>
internal enum PoolKind
{
    /// <summary>Largest value of the window; the gradient goes to its first largest value in row order.</summary>
    Max,

    /// <summary>Mean of the window.</summary>
    Average,
}

/// <summary>Pooling over square windows without padding; rows and columns that fill no window are left out.</summary>
/// <param name="Kind">Max or average.</param>
/// <param name="Window">Rows and columns of a window.</param>
/// <param name="Stride">Step between windows. Average pooling needs <c>Stride &gt;= Window</c>.</param>
internal readonly record struct PoolShape(PoolKind Kind, int Window, int Stride)
{
    /// <summary>Shape of one pooled sample.</summary>
    public FeatureShape Output(FeatureShape input) =>
        new(input.Channels, (input.Height - Window) / Stride + 1, (input.Width - Window) / Stride + 1);
}

/// <summary>Loss of a batch of logits against labels.</summary>
public enum LossKind
{
    /// <summary>Softmax cross-entropy, <c>log Σ exp z_j - z_y</c>.</summary>
    CrossEntropy,

    /// <summary>Carlini and Wagner's margin with confidence 50 as Madry et al. attack with it:
    /// <c>-max(z_y - max_{j≠y} z_j + 50, 0)</c>. Rises as the sample comes closer to being misclassified.</summary>
    CarliniWagner,
}

/// <summary>Tensors and vectors of one batch normalisation over a batch's own statistics.</summary>
/// <param name="Scale">γ, a value for each channel.</param>
/// <param name="Shift">β, a value for each channel.</param>
/// <param name="SavedMean">Receives the batch mean (forward); read by the backward pass.</param>
/// <param name="SavedInverseDeviation">Receives <c>1 / sqrt(variance + epsilon)</c> (biased variance).</param>
/// <param name="Epsilon">Added to the variance.</param>
internal readonly record struct NormalizationOperands(
    BufferSlice Scale, BufferSlice Shift, BufferSlice SavedMean, BufferSlice SavedInverseDeviation, float Epsilon);

/// <summary>Running statistics that a training forward pass updates:
/// <c>running = (1 - momentum) * running + momentum * batch</c>, the variance unbiased, as in PyTorch.</summary>
/// <param name="Mean">Running mean.</param>
/// <param name="Variance">Running variance.</param>
/// <param name="Momentum">Weight of the new batch, 0.1 by default in the field.</param>
internal readonly record struct RunningStatistics(BufferSlice Mean, BufferSlice Variance, float Momentum);

/// <summary>One sample to take from an <see cref="ImageStore"/>.</summary>
/// <param name="Index">Sample number in the store.</param>
/// <param name="ShiftX">Columns that the image moves to the right (negative: left); zeros come in.</param>
/// <param name="ShiftY">Rows that the image moves down (negative: up); zeros come in.</param>
/// <param name="Flip">Whether the shifted image is mirrored left to right.</param>
internal readonly record struct ImageRequest(int Index, sbyte ShiftX, sbyte ShiftY, bool Flip);

/// <summary>8-bit images that live on the device. Immutable.</summary>
internal abstract class ImageStore : IDisposable
{
    /// <summary>Number of images.</summary>
    public abstract int Count { get; }

    /// <summary>Shape of one image.</summary>
    public abstract FeatureShape Shape { get; }

    /// <summary>Frees the memory.</summary>
    public abstract void Dispose();
}

/// <summary>Which random numbers an attack starts from.</summary>
/// <param name="Key">Key of the stream (<see cref="Philox.Key"/>).</param>
/// <param name="Epoch">Epoch of training, 0 in evaluation.</param>
/// <param name="Restart">Number of the restart.</param>
internal readonly record struct RandomStartKey(ulong Key, int Epoch, int Restart);

/// <summary>The masked SGD step's numbers.</summary>
/// <param name="LearningRate">Step size.</param>
/// <param name="Momentum">Momentum (not Nesterov).</param>
/// <param name="WeightDecay">Added to the gradient as <c>decay * weight</c>.</param>
internal readonly record struct SgdOptions(float LearningRate, float Momentum, float WeightDecay);

/// <summary>What an attack did to a batch.</summary>
/// <param name="LargestPerturbation">Largest absolute difference between an adversarial and a clean pixel, rounded up
/// (<see cref="PixelBall.Distance"/>).</param>
/// <param name="Smallest">Smallest adversarial pixel.</param>
/// <param name="Largest">Largest adversarial pixel.</param>
internal readonly record struct PerturbationExtent(float LargestPerturbation, float Smallest, float Largest);

/// <summary>A device, for people.</summary>
/// <param name="Name">The word of settings: <c>cpu</c> or <c>cuda</c>.</param>
/// <param name="Description">Model, instruction set or driver, threads.</param>
internal readonly record struct DeviceInfo(string Name, string Description);
