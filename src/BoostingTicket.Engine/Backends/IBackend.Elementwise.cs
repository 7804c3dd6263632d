using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Backends;

internal partial interface IBackend
{
    /// <summary><c>y = epilogue(x)</c>: an activation or a residual sum that found nothing to be fused into. The shift must be
    /// null. <paramref name="y"/> may be <paramref name="x"/>.</summary>
    void ElementwiseForward(Tensor x, Tensor y, in ForwardEpilogue epilogue);

    /// <summary><c>dx = epilogue(dy)</c>: a gradient sum or an activation's derivative that found nothing to be fused into.
    /// <paramref name="dx"/> may be <paramref name="dy"/>.</summary>
    void ElementwiseBackward(Tensor dy, Tensor dx, in GradientEpilogue epilogue);

    /// <summary>Pools <paramref name="x"/> into <paramref name="y"/>.</summary>
    void PoolForward(PoolShape pool, Tensor x, Tensor y);

    /// <summary>Gradient of pooling. <paramref name="dx"/> is overwritten, with zeros outside every window.</summary>
    /// <param name="pool">The pooling.</param>
    /// <param name="x">The forward pass's input.</param>
    /// <param name="y">The forward pass's output.</param>
    /// <param name="dy">Gradient of the output.</param>
    /// <param name="dx">Gradient of the input. May be the addend, nothing else.</param>
    /// <param name="epilogue">Accumulation and the activation's derivative.</param>
    void PoolBackward(PoolShape pool, Tensor x, Tensor y, Tensor dy, Tensor dx, in GradientEpilogue epilogue);

    /// <summary>Loss of each sample, whether it is classified correctly, and the gradient of the logits.</summary>
    /// <param name="kind">The loss.</param>
    /// <param name="logits">N x classes.</param>
    /// <param name="labels">At least N class numbers in [0, classes).</param>
    /// <param name="losses">Receives N losses.</param>
    /// <param name="correct">Receives N times 1 (the first largest logit is the label's) or 0.</param>
    /// <param name="gradient">Receives <paramref name="gradientScale"/> times the gradient of each sample's loss, or
    /// null.</param>
    /// <param name="gradientScale">1/N for a mean loss, 1 for the sum that attacks use.</param>
    void Loss(
        LossKind kind, Tensor logits, IntBuffer labels, FloatBuffer losses, FloatBuffer correct, Tensor? gradient,
        float gradientScale);

    /// <summary>Kullback-Leibler divergence of each sample's predictions from reference predictions,
    /// <c>KL(p ‖ q) = Σ p_j (log p_j - log q_j)</c> with <c>p = softmax(reference)</c> and <c>q = softmax(logits)</c>, and its
    /// gradients.</summary>
    /// <param name="reference">N x classes.</param>
    /// <param name="logits">N x classes.</param>
    /// <param name="divergences">Receives N values.</param>
    /// <param name="referenceGradient">To what it holds is added <paramref name="gradientScale"/> times the gradient by the
    /// reference,
    /// <c>p_j (log p_j - log q_j - KL)</c>; null where it is not wanted.</param>
    /// <param name="gradient">Receives <paramref name="gradientScale"/> times the gradient by the logits, <c>q_j - p_j</c>; null
    /// where it is not wanted.</param>
    /// <param name="gradientScale">Factor of the gradients.</param>
    void Divergence(
        Tensor reference, Tensor logits, FloatBuffer divergences, Tensor? referenceGradient, Tensor? gradient,
        float gradientScale);
}
