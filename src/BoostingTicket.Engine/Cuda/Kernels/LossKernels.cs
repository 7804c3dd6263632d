using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cuda.Bindings;

namespace BoostingTicket.Engine.Cuda.Kernels;

/// <summary>Losses of logits against labels (<c>kernels/loss.cu</c>).</summary>
internal sealed class LossKernels
{
    private const string Family = "loss";

    /// <summary>Threads for each sample: a warp.</summary>
    private const int SampleThreads = 32;

    /// <summary>Threads of a block.</summary>
    private const int BlockThreads = 128;

    private readonly KernelLibrary _library;
    private readonly TypedFunction _crossEntropy;
    private readonly TypedFunction _carliniWagner;
    private readonly TypedFunction _divergence;

    /// <summary>Loads the kernels.</summary>
    public LossKernels(KernelLibrary library)
    {
        _library = library;
        _crossEntropy = new TypedFunction(library, Family, "cross_entropy");
        _carliniWagner = new TypedFunction(library, Family, "carlini_wagner");
        _divergence = new TypedFunction(library, Family, "divergence");
    }

    /// <summary>Loss of each sample, whether it is classified correctly, and the gradient of the logits. A label outside
    /// [0, classes) makes the sample wrong and its loss and gradient NaN.</summary>
    /// <param name="kind">The loss.</param>
    /// <param name="logits">N x classes.</param>
    /// <param name="labels">N class numbers, int32.</param>
    /// <param name="losses">Receives N float32.</param>
    /// <param name="correct">Receives N float32: 1 where the first largest logit is the label's, else 0.</param>
    /// <param name="gradient">Receives <paramref name="gradientScale"/> times the gradient of each sample's loss, or null. Of
    /// the logits' type; may be the logits.</param>
    /// <param name="gradientScale">1/N for a mean loss, 1 for the sum that attacks use.</param>
    /// <exception cref="ArgumentException">Not a tensor of logits, or the gradient's shape or type differs.</exception>
    public void Loss(
        LossKind kind, TensorView logits, DevicePointer labels, DevicePointer losses, DevicePointer correct,
        TensorView? gradient, float gradientScale)
    {
        if (logits.Shape.Pixels != 1)
            throw new ArgumentException(
                $"A loss takes logits of one pixel, not of {logits.Batch}x{logits.Shape}.", nameof(logits));
        if (kind == LossKind.CarliniWagner && logits.Shape.Channels < 2)
        {
            throw new ArgumentException(
                $"The margin loss needs at least two classes, which the logits {logits.Batch}x{logits.Shape} do not have.",
                nameof(logits));
        }
        TensorChecks.RequireAlike(logits, gradient, nameof(gradient));
        TypedFunction function = kind == LossKind.CrossEntropy ? _crossEntropy : _carliniWagner;
        _library.Launch(
            function.For(logits), KernelLibrary.OneEach((long)logits.Batch * SampleThreads, BlockThreads), logits.Data, labels,
            logits.Batch, logits.Shape.Channels, logits.PhysicalChannels, losses, correct,
            TensorChecks.DataOrNull(gradient), gradientScale);
    }

    /// <summary>Kullback-Leibler divergence of predictions from reference predictions, and its gradients.</summary>
    /// <param name="reference">N x classes.</param>
    /// <param name="logits">N x classes, of the reference's type.</param>
    /// <param name="divergences">Receives N float32.</param>
    /// <param name="referenceGradient">Receives in addition to what it holds <paramref name="gradientScale"/> times the gradient
    /// by the reference, or null. Of the logits' type.</param>
    /// <param name="gradient">Receives <paramref name="gradientScale"/> times the gradient by the logits, or null. Of the logits'
    /// type.</param>
    /// <param name="gradientScale">Factor of the gradients.</param>
    /// <exception cref="ArgumentException">Not tensors of logits, or shapes or types differ.</exception>
    public void Divergence(
        TensorView reference, TensorView logits, DevicePointer divergences, TensorView? referenceGradient, TensorView? gradient,
        float gradientScale)
    {
        if (logits.Shape.Pixels != 1)
            throw new ArgumentException(
                $"A divergence takes logits of one pixel, not of {logits.Batch}x{logits.Shape}.", nameof(logits));
        TensorChecks.RequireAlike(logits, reference, nameof(reference));
        TensorChecks.RequireAlike(logits, referenceGradient, nameof(referenceGradient));
        TensorChecks.RequireAlike(logits, gradient, nameof(gradient));
        _library.Launch(
            _divergence.For(logits), KernelLibrary.OneEach((long)logits.Batch * SampleThreads, BlockThreads), reference.Data,
            logits.Data,
            logits.Batch, logits.Shape.Channels, logits.PhysicalChannels, divergences, TensorChecks.DataOrNull(referenceGradient),
            TensorChecks.DataOrNull(gradient), gradientScale);
    }
}
