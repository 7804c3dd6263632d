using System.Runtime.Intrinsics;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Testing;

internal partial class ReferenceBackend
{
    /// <inheritdoc/>
    public virtual void RandomStart(Tensor clean, IntBuffer samples, float epsilon, RandomStartKey key, Tensor adversarial)
    {
        var scope = new OperationScope(nameof(RandomStart));
        int length = clean.Shape.Length;
        int[] identities = ReferenceInts.Values(samples, scope.Name, nameof(samples));
        scope.Require(identities.Length >= clean.Batch, $"samples must hold at least {clean.Batch} values.");
        ReadOnlySpan<double> pixels = scope.Read(clean, nameof(clean));
        double[] result = scope.Write(adversarial, nameof(adversarial), clean.Batch, clean.Shape);
        for (int i = 0; i < result.Length; i++)
        {
            int sample = i / length, element = i % length;
            Vector128<uint> words = Philox.Words(
                key.Key, (uint)(element / 4), (uint)identities[sample], (uint)key.Epoch, (uint)key.Restart);
            float uniform = Philox.Uniform(words[element % 4]);
            float start = (float)pixels[i] + epsilon * (2 * uniform - 1);
            result[i] = IntoBall(start, pixels[i], epsilon);
        }
        scope.Commit();
    }

    /// <inheritdoc/>
    public virtual void NormalStart(Tensor clean, IntBuffer samples, float deviation, RandomStartKey key, Tensor adversarial)
    {
        var scope = new OperationScope(nameof(NormalStart));
        int length = clean.Shape.Length;
        int[] identities = ReferenceInts.Values(samples, scope.Name, nameof(samples));
        scope.Require(identities.Length >= clean.Batch, $"samples must hold at least {clean.Batch} values.");
        ReadOnlySpan<double> pixels = scope.Read(clean, nameof(clean));
        double[] result = scope.Write(adversarial, nameof(adversarial), clean.Batch, clean.Shape);
        for (int i = 0; i < result.Length; i++)
        {
            int sample = i / length, element = i % length, pair = element % 4 / 2 * 2;
            Vector128<uint> words = Philox.Words(
                key.Key, (uint)(element / 4), (uint)identities[sample], (uint)key.Epoch, (uint)key.Restart);
            (float even, float odd) = Philox.Normal(words[pair], words[pair + 1]);
            result[i] = pixels[i] + deviation * (double)(element % 2 == 0 ? even : odd);
        }
        scope.Commit();
    }

    /// <inheritdoc/>
    public virtual void AttackStep(Tensor clean, Tensor gradient, float epsilon, float stepSize, Tensor adversarial)
    {
        var scope = new OperationScope(nameof(AttackStep));
        ReadOnlySpan<double> pixels = scope.Read(clean, nameof(clean));
        ReadOnlySpan<double> slope = scope.Read(gradient, nameof(gradient), clean.Batch, clean.Shape);
        double[] result = scope.Update(adversarial, nameof(adversarial), clean.Batch, clean.Shape);
        for (int i = 0; i < result.Length; i++)
        {
            float step = slope[i] > 0 ? stepSize : slope[i] < 0 ? -stepSize : 0;
            float moved = (float)result[i] + step;
            result[i] = IntoBall(moved, pixels[i], epsilon);
        }
        scope.Commit();
    }

    /// <inheritdoc/>
    public virtual void KeepWorst(
        Tensor candidate, FloatBuffer candidateLosses, Tensor best, FloatBuffer bestLosses, FloatBuffer? candidateCorrect = null)
    {
        var scope = new OperationScope(nameof(KeepWorst));
        int batch = candidate.Batch, length = candidate.Shape.Length;
        scope.Require(
            candidateLosses.Length >= batch && bestLosses.Length >= batch, $"the losses must hold at least {batch} values.");
        ReadOnlySpan<double> images = scope.Read(candidate, nameof(candidate));
        ReadOnlySpan<double> losses = scope.Read(new BufferSlice(candidateLosses, 0, batch), nameof(candidateLosses), batch);
        ReadOnlySpan<double> correct = candidateCorrect is null
            ? []
            : scope.Read(new BufferSlice(candidateCorrect, 0, batch), nameof(candidateCorrect), batch);
        double[] kept = scope.Update(best, nameof(best), batch, candidate.Shape);
        double[] keptLosses = scope.Update(new BufferSlice(bestLosses, 0, batch), nameof(bestLosses), batch);
        for (int sample = 0; sample < batch; sample++)
        {
            double loss = candidateCorrect is not null && correct[sample] == 0 ? double.PositiveInfinity : losses[sample];
            if (loss > keptLosses[sample])
            {
                images.Slice(sample * length, length).CopyTo(kept.AsSpan(sample * length));
                keptLosses[sample] = loss;
            }
        }
        scope.Commit();
    }

    /// <inheritdoc/>
    public virtual PerturbationExtent MeasurePerturbation(Tensor clean, Tensor adversarial)
    {
        var scope = new OperationScope(nameof(MeasurePerturbation));
        ReadOnlySpan<double> before = scope.Read(clean, nameof(clean));
        ReadOnlySpan<double> after = scope.Read(adversarial, nameof(adversarial), clean.Batch, clean.Shape);
        double perturbation = 0, smallest = double.PositiveInfinity, largest = double.NegativeInfinity;
        for (int i = 0; i < before.Length; i++)
        {
            perturbation = Math.Max(perturbation, Math.Abs(after[i] - before[i]));
            smallest = Math.Min(smallest, after[i]);
            largest = Math.Max(largest, after[i]);
        }
        float rounded = (float)perturbation;
        if (rounded < perturbation)
            rounded = MathF.BitIncrement(rounded);
        return new PerturbationExtent(rounded, (float)smallest, (float)largest);
    }

    // By definition: the float32 nearest to the value of all whose difference from the pixel is at most epsilon in double
    // precision.
    private static float IntoBall(float value, double pixel, double epsilon)
    {
        value = Math.Clamp(value, (float)Math.Max(pixel - epsilon, 0), (float)Math.Min(pixel + epsilon, 1));
        while (value - pixel > epsilon)
            value = MathF.BitDecrement(value);
        while (pixel - value > epsilon)
            value = MathF.BitIncrement(value);
        return value;
    }
}
