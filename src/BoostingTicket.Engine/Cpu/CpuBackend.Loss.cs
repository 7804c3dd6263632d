using System.Runtime.CompilerServices;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Cpu;

internal sealed unsafe partial class CpuBackend<TLanes, TVector>
{
    /// <summary>Carlini and Wagner's confidence κ.</summary>
    private const float Confidence = 50;

    public void Loss(
        LossKind kind, Tensor logits, IntBuffer labels, FloatBuffer losses, FloatBuffer correct, Tensor? gradient,
        float gradientScale)
    {
        CpuTensor from = CpuTensor.Of(logits);
        int classes = from.Shape.Length;
        if (kind == LossKind.CarliniWagner && classes < 2)
            throw new ArgumentException($"The margin loss needs at least two classes, which the logits {from} do not have.");
        var job = new LossJob
        {
            Kind = kind,
            Classes = classes,
            Batch = from.Batch,
            BlockStride = from.BlockStride,
            Logits = from.Data,
            Labels = PerSample(labels, from, "labels"),
            Losses = PerSample(losses, from, "losses"),
            Correct = PerSample(correct, from, "classification results"),
            Gradient = DataOrNull(gradient, from),
            GradientScale = gradientScale,
        };
        for (int sample = 0; sample < from.Batch; sample++)
        {
            if ((uint)job.Labels[sample] >= (uint)classes)
                throw new ArgumentException(
                    $"Sample {sample} has the label {job.Labels[sample]}, but labels of {classes} classes run from 0 "
                    + $"to {classes - 1}.");
        }
        _pool.Run(ref job, from.Blocks);
    }

    public void Divergence(
        Tensor reference, Tensor logits, FloatBuffer divergences, Tensor? referenceGradient, Tensor? gradient,
        float gradientScale)
    {
        CpuTensor from = CpuTensor.Of(logits), target = CpuTensor.Of(reference);
        RequireSame(target, from);
        var job = new DivergenceJob
        {
            Classes = from.Shape.Length,
            Batch = from.Batch,
            BlockStride = from.BlockStride,
            Reference = target.Data,
            Logits = from.Data,
            Divergences = PerSample(divergences, from, "divergences"),
            ReferenceGradient = DataOrNull(referenceGradient, from),
            Gradient = DataOrNull(gradient, from),
            GradientScale = gradientScale,
        };
        _pool.Run(ref job, from.Blocks);
    }

    /// <summary>An item is a block, as in <see cref="LossJob"/>.</summary>
    private struct DivergenceJob : IParallelJob
    {
        public int Classes, Batch;
        public nint BlockStride;
        public float* Reference, Logits, Divergences, ReferenceGradient, Gradient;
        public float GradientScale;

        public readonly void Run(int item, int worker)
        {
            int first = item * Layout.Lanes, used = Math.Min(Layout.Lanes, Batch - first);
            for (int lane = 0; lane < Layout.Lanes; lane++)
            {
                nint at = item * BlockStride + lane;
                if (lane < used)
                    Divergences[first + lane] = Sample(at);
                else if (Gradient != null)
                {
                    for (int j = 0; j < Classes; j++)
                        Gradient[at + j * Layout.Lanes] = 0;
                }
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private readonly float Sample(nint at)
        {
            float* a = Reference + at, b = Logits + at;
            double normA = LogSum(a), normB = LogSum(b), divergence = 0;
            for (int j = 0; j < Classes; j++)
            {
                double logP = a[j * Layout.Lanes] - normA, logQ = b[j * Layout.Lanes] - normB;
                divergence += Math.Exp(logP) * (logP - logQ);
            }
            for (int j = 0; j < Classes; j++)
            {
                double logP = a[j * Layout.Lanes] - normA, logQ = b[j * Layout.Lanes] - normB, p = Math.Exp(logP);
                nint index = at + j * Layout.Lanes;
                if (ReferenceGradient != null)
                    ReferenceGradient[index] += (float)(GradientScale * (p * (logP - logQ - divergence)));
                if (Gradient != null)
                    Gradient[index] = (float)(GradientScale * (Math.Exp(logQ) - p));
            }
            return (float)divergence;
        }

        private readonly double LogSum(float* z)
        {
            float largest = z[0];
            for (int j = 1; j < Classes; j++)
                largest = MathF.Max(largest, z[j * Layout.Lanes]);
            double sum = 0;
            for (int j = 0; j < Classes; j++)
                sum += Math.Exp((double)z[j * Layout.Lanes] - largest);
            return Math.Log(sum) + largest;
        }
    }

    /// <summary>An item is a block. Classes are few, so samples are taken one by one, in double precision.</summary>
    private struct LossJob : IParallelJob
    {
        public LossKind Kind;
        public int Classes, Batch;
        public nint BlockStride;
        public float* Logits, Losses, Correct, Gradient;
        public int* Labels;
        public float GradientScale;

        public readonly void Run(int item, int worker)
        {
            int first = item * Layout.Lanes, used = Math.Min(Layout.Lanes, Batch - first);
            for (int lane = 0; lane < used; lane++)
            {
                float* z = Logits + item * BlockStride + lane;
                float* gradient = Gradient == null ? null : Gradient + item * BlockStride + lane;
                int label = Labels[first + lane];
                Correct[first + lane] = IsCorrect(z, label) ? 1 : 0;
                Losses[first + lane] = Kind == LossKind.CrossEntropy
                    ? CrossEntropy(z, label, gradient)
                    : CarliniWagner(z, label, gradient);
            }
            if (Gradient != null)
            {
                for (int lane = used; lane < Layout.Lanes; lane++)
                {
                    for (int j = 0; j < Classes; j++)
                        Gradient[item * BlockStride + j * Layout.Lanes + lane] = 0;
                }
            }
        }

        // Written so that NaN is never correct.
        private readonly bool IsCorrect(float* z, int label)
        {
            float own = z[label * Layout.Lanes];
            bool first = true;
            for (int j = 0; j < Classes; j++)
            {
                float other = z[j * Layout.Lanes];
                first &= j < label ? other < own : other <= own;
            }
            return first;
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private readonly float CrossEntropy(float* z, int label, float* gradient)
        {
            float largest = z[0];
            for (int j = 1; j < Classes; j++)
                largest = MathF.Max(largest, z[j * Layout.Lanes]);
            double own = Math.Exp((double)z[label * Layout.Lanes] - largest), others = 0;
            for (int j = 0; j < Classes; j++)
            {
                if (j != label)
                    others += Math.Exp((double)z[j * Layout.Lanes] - largest);
            }
            double sum = own + others;
            float loss = (float)(Math.Log(sum) + ((double)largest - z[label * Layout.Lanes]));
            if (gradient != null)
            {
                for (int j = 0; j < Classes; j++)
                {
                    double derivative = j == label ? -others : Math.Exp((double)z[j * Layout.Lanes] - largest);
                    gradient[j * Layout.Lanes] = (float)(GradientScale * (derivative / sum));
                }
            }
            return loss;
        }

        private readonly float CarliniWagner(float* z, int label, float* gradient)
        {
            int rival = label == 0 ? 1 : 0;
            for (int j = rival + 1; j < Classes; j++)
            {
                if (j != label && z[j * Layout.Lanes] > z[rival * Layout.Lanes])
                    rival = j;
            }
            float margin = z[label * Layout.Lanes] - z[rival * Layout.Lanes] + Confidence;

            // The negation lets NaN through.
            bool active = !(margin <= 0);
            if (gradient != null)
            {
                for (int j = 0; j < Classes; j++)
                    gradient[j * Layout.Lanes] = 0;
                if (active)
                {
                    gradient[label * Layout.Lanes] = -GradientScale;
                    gradient[rival * Layout.Lanes] = GradientScale;
                }
            }
            return active ? -margin : 0;
        }
    }
}
