using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cuda.Bindings;
using BoostingTicket.Engine.Cuda.Kernels;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Cuda;

internal sealed partial class CudaBackend
{
    public void RandomStart(Tensor clean, IntBuffer samples, float epsilon, RandomStartKey key, Tensor adversarial)
    {
        TensorView from = View(clean), to = View(adversarial);
        RequireSame(from, to);
        _attack.RandomStart(from, CudaInts.PerSample(samples, from.Batch, "sample numbers"), epsilon, key, to);
    }

    public void NormalStart(Tensor clean, IntBuffer samples, float deviation, RandomStartKey key, Tensor adversarial)
    {
        TensorView from = View(clean), to = View(adversarial);
        RequireSame(from, to);
        _attack.NormalStart(from, CudaInts.PerSample(samples, from.Batch, "sample numbers"), deviation, key, to);
    }

    public void AttackStep(Tensor clean, Tensor gradient, float epsilon, float stepSize, Tensor adversarial)
    {
        TensorView from = View(clean), slope = View(gradient), to = View(adversarial);
        RequireSame(from, to);
        RequireSame(slope, to);
        _attack.AttackStep(from, slope, epsilon, stepSize, to);
    }

    public void KeepWorst(
        Tensor candidate, FloatBuffer candidateLosses, Tensor best, FloatBuffer bestLosses, FloatBuffer? candidateCorrect = null)
    {
        TensorView from = View(candidate), to = View(best);
        RequireSame(from, to);
        _attack.KeepWorst(
            from, CudaFloats.PerSample(candidateLosses, to.Batch, "candidate losses"), to,
            CudaFloats.PerSample(bestLosses, to.Batch, "best losses"),
            candidateCorrect is null
                ? DevicePointer.Null
                : CudaFloats.PerSample(candidateCorrect, to.Batch, "candidates' correctness"));
    }

    public PerturbationExtent MeasurePerturbation(Tensor clean, Tensor adversarial)
    {
        TensorView from = View(clean), to = View(adversarial);
        RequireSame(from, to);
        DevicePointer scratch = _scratch.Reserve(CudaTensor.Alignment + AttackKernels.MeasureScratchBytes(to));
        _attack.MeasurePerturbation(from, to, scratch + CudaTensor.Alignment, scratch);
        Span<float> extent = stackalloc float[3];
        _staging.Download(scratch, extent);
        return new PerturbationExtent(extent[0], extent[1], extent[2]);
    }
}
