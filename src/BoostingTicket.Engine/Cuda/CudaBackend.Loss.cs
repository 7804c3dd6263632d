using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Cuda;

internal sealed partial class CudaBackend
{
    public void Loss(
        LossKind kind, Tensor logits, IntBuffer labels, FloatBuffer losses, FloatBuffer correct, Tensor? gradient,
        float gradientScale)
    {
        TensorView from = View(logits);
        if (kind == LossKind.CarliniWagner && from.Shape.Length < 2)
            throw new ArgumentException($"The margin loss needs at least two classes, which the logits {logits} do not have.");
        _loss.Loss(
            kind, from, CudaInts.PerSample(labels, from.Batch, "labels"), CudaFloats.PerSample(losses, from.Batch, "losses"),
            CudaFloats.PerSample(correct, from.Batch, "classification results"), View(gradient, from, "gradient"), gradientScale);
    }

    public void Divergence(
        Tensor reference, Tensor logits, FloatBuffer divergences, Tensor? referenceGradient, Tensor? gradient,
        float gradientScale)
    {
        TensorView target = View(reference), from = View(logits);
        _loss.Divergence(
            target, from, CudaFloats.PerSample(divergences, from.Batch, "divergences"),
            View(referenceGradient, from, "reference's gradient"), View(gradient, from, "gradient"), gradientScale);
    }
}
