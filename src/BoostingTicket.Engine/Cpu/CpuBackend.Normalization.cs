using System.Runtime.CompilerServices;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cpu.Kernels;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Cpu;

// Batch normalisation. One item is one channel, from its statistics to its result, so that the second look at its planes
// finds them in the cache.
internal sealed unsafe partial class CpuBackend<TLanes, TVector>
{
    /// <summary>Pixels that are summed in float32 before the sum goes on in double: 32 KiB, so that the second of two passes
    /// over them reads the first-level cache.</summary>
    private const int SegmentPixels = 512;

    public void NormalizationForward(
        in NormalizationOperands operands, RunningStatistics? running, Tensor x, Tensor y, in ForwardEpilogue epilogue)
    {
        CpuTensor from = CpuTensor.Of(x), to = CpuTensor.Of(y);
        RequireSame(from, to);
        RequireNoShift(epilogue);
        long count = (long)from.Batch * from.Shape.Pixels;
        if (count < 2)
            throw new ArgumentException(
                $"Batch normalisation of the tensor {from} has one value a channel, and so no variance; "
                + "use a batch of at least 2.");
        var job = new NormalizationForwardJob
        {
            Planes = new ChannelPlanes(from),
            X = from.Data,
            Y = to.Data,
            Residual = DataOrNull(epilogue.Residual, to),
            Activation = epilogue.Activation,
            Gamma = PerChannel(operands.Scale, from, "scale"),
            Beta = PerChannel(operands.Shift, from, "shift"),
            SavedMean = PerChannel(operands.SavedMean, from, "saved mean"),
            SavedInverseDeviation = PerChannel(operands.SavedInverseDeviation, from, "saved inverse deviation"),
            Epsilon = operands.Epsilon,
            RunningMean = PerChannelOrNull(running?.Mean, from, "running mean"),
            RunningVariance = PerChannelOrNull(running?.Variance, from, "running variance"),
            Momentum = running?.Momentum ?? 0,
        };
        _pool.Run(ref job, job.Planes.Items);
    }

    public void NormalizationBackward(
        in NormalizationOperands operands, Tensor x, Tensor dy, Tensor dx, BufferSlice? dScale, BufferSlice? dShift,
        in GradientEpilogue epilogue)
    {
        CpuTensor input = CpuTensor.Of(x), from = CpuTensor.Of(dy), to = CpuTensor.Of(dx);
        RequireSame(input, from);
        RequireSame(from, to);
        var job = new NormalizationBackwardJob
        {
            Planes = new ChannelPlanes(from),
            X = input.Data,
            Dy = from.Data,
            Dx = to.Data,
            Addend = DataOrNull(epilogue.Addend, to),
            End = new DerivativeEnd(epilogue, to),
            Gamma = PerChannel(operands.Scale, from, "scale"),
            SavedMean = PerChannel(operands.SavedMean, from, "saved mean"),
            SavedInverseDeviation = PerChannel(operands.SavedInverseDeviation, from, "saved inverse deviation"),
            DScale = PerChannelOrNull(dScale, from, "scale gradient"),
            DShift = PerChannelOrNull(dShift, from, "shift gradient"),
        };
        _pool.Run(ref job, job.Planes.Items);
    }

    /// <summary>Cuts a tensor into items of whole channels, through all blocks. Depends on the shape alone.</summary>
    private readonly struct ChannelPlanes
    {
        private readonly int _channelsPerItem;
        private readonly int _channels;

        public ChannelPlanes(CpuTensor tensor)
        {
            _channels = tensor.Shape.Channels;
            _channelsPerItem = (int)Math.Clamp(ItemLength / (tensor.ChannelStride * tensor.Blocks), 1, _channels);
            Items = (_channels + _channelsPerItem - 1) / _channelsPerItem;
            Blocks = tensor.Blocks;
            LastLanes = tensor.LanesUsed(tensor.Blocks - 1);
            Pixels = tensor.Shape.Pixels;
            BlockStride = tensor.BlockStride;
            ChannelStride = tensor.ChannelStride;
        }

        public int Items { get; }

        public int Blocks { get; }

        public int Pixels { get; }

        public nint BlockStride { get; }

        public nint ChannelStride { get; }

        private int LastLanes { get; }

        public int First(int item) => item * _channelsPerItem;

        public int End(int item) => Math.Min(First(item) + _channelsPerItem, _channels);

        public int LanesUsed(int block) => block == Blocks - 1 ? LastLanes : Layout.Lanes;

        /// <summary>Writes the masks of a full block and of the last: 1 for a used lane, 0 for another.</summary>
        public void WriteMasks(float* masks)
        {
            for (int lane = 0; lane < Layout.Lanes; lane++)
            {
                masks[lane] = 1;
                masks[Layout.Lanes + lane] = lane < LastLanes ? 1 : 0;
            }
        }

        public float* Mask(float* masks, int block) => block == Blocks - 1 ? masks + Layout.Lanes : masks;

        public double Count => ((double)(Blocks - 1) * Layout.Lanes + LastLanes) * Pixels;
    }

    /// <summary>Count, mean and sum of squared deviations of values seen so far, combined as Chan, Golub and LeVeque (1983)
    /// do.</summary>
    private struct Moments
    {
        public double Count, Mean, SquaredDeviations;

        public void Add(double count, double mean, double squaredDeviations)
        {
            double total = Count + count, difference = mean - Mean, step = difference * (count / total);
            Mean += step;
            SquaredDeviations += squaredDeviations + difference * step * Count;
            Count = total;
        }
    }

    private struct NormalizationForwardJob : IParallelJob
    {
        public ChannelPlanes Planes;
        public float* X, Y, Residual, Gamma, Beta, SavedMean, SavedInverseDeviation, RunningMean, RunningVariance;
        public float Epsilon, Momentum;
        public Activation Activation;

        public readonly void Run(int item, int worker)
        {
            int end = Planes.End(item);
            for (int channel = Planes.First(item); channel < end; channel++)
                Normalize(channel);
        }

        private readonly void Normalize(int channel)
        {
            nint start = channel * Planes.ChannelStride;
            float* masks = stackalloc float[2 * Layout.Lanes];
            Planes.WriteMasks(masks);
            Moments moments = default;
            for (int block = 0; block < Planes.Blocks; block++)
            {
                float* plane = X + block * Planes.BlockStride + start;
                AddPlane(ref moments, plane, Planes.Pixels, Planes.LanesUsed(block), Planes.Mask(masks, block));
            }
            double variance = moments.SquaredDeviations / moments.Count;
            double inverse = 1 / Math.Sqrt(variance + Epsilon);
            SavedMean[channel] = (float)moments.Mean;
            SavedInverseDeviation[channel] = (float)inverse;
            if (RunningMean != null)
            {
                double unbiased = moments.SquaredDeviations / (moments.Count - 1);
                RunningMean[channel] = (float)((1.0 - Momentum) * RunningMean[channel] + Momentum * moments.Mean);
                RunningVariance[channel] = (float)((1.0 - Momentum) * RunningVariance[channel] + Momentum * unbiased);
            }

            // The summand belongs to the factor as it is rounded, so that the two cancel as exactly as they can.
            float scale = (float)(Gamma[channel] * inverse);
            float shift = (float)(Beta[channel] - moments.Mean * scale);
            for (int block = Planes.Blocks - 1; block >= 0; block--)
            {
                nint at = block * Planes.BlockStride + start;
                Affine(
                    X + at, scale, shift, Residual == null ? null : Residual + at, Floor(Activation), Y + at,
                    (int)Planes.ChannelStride);
                ActivationKernel<TLanes, TVector>.Forward(Activation, Y + at, Planes.ChannelStride);
            }
        }
    }

    private struct NormalizationBackwardJob : IParallelJob
    {
        public ChannelPlanes Planes;
        public float* X, Dy, Dx, Addend, Gamma, SavedMean, SavedInverseDeviation, DScale, DShift;
        public DerivativeEnd End;

        public readonly void Run(int item, int worker)
        {
            int end = Planes.End(item);
            for (int channel = Planes.First(item); channel < end; channel++)
                Differentiate(channel);
        }

        private readonly void Differentiate(int channel)
        {
            nint start = channel * Planes.ChannelStride;
            float mean = SavedMean[channel], inverse = SavedInverseDeviation[channel];
            double sum = 0, product = 0;
            for (int block = 0; block < Planes.Blocks; block++)
            {
                nint at = block * Planes.BlockStride + start;
                AddGradientSums(X + at, Dy + at, Planes.Pixels, mean, ref sum, ref product);
            }
            if (DScale != null)
                DScale[channel] = (float)(product * inverse);
            if (DShift != null)
                DShift[channel] = (float)sum;

            double factor = (double)Gamma[channel] * inverse;
            float ofX = (float)(-factor * inverse * inverse * product / Planes.Count);
            float constant = (float)(-factor * sum / Planes.Count - (double)ofX * mean);
            float* masks = stackalloc float[2 * Layout.Lanes];
            Planes.WriteMasks(masks);
            for (int block = Planes.Blocks - 1; block >= 0; block--)
            {
                nint at = block * Planes.BlockStride + start;
                CombineGradient(
                    X + at, ofX, Dy + at, (float)factor, constant, Planes.Mask(masks, block), Addend == null ? null : Addend + at,
                    End.ReluOutputAt(at), Dx + at, Planes.Pixels);
                End.Finish(Dx, at, Planes.ChannelStride);
            }
        }
    }

    /// <summary>Adds a plane's used lanes to the moments, segment by segment. Each segment's deviations are taken from its own
    /// mean, so no digits are lost however far the mean is from zero.</summary>
    private static void AddPlane(ref Moments moments, float* plane, int pixels, int used, float* mask)
    {
        for (int first = 0; first < pixels; first += SegmentPixels)
        {
            int length = Math.Min(SegmentPixels, pixels - first);
            float* segment = plane + (nint)first * Layout.Lanes;
            double count = (double)length * used, share = 1 / count, sum = 0;
            for (int group = 0; group < Layout.Lanes; group += TLanes.Width)
                sum += SumOfLanes(segment + group, length, mask + group);
            float centre = (float)(sum * share);
            double deviations = 0, squares = 0;
            for (int group = 0; group < Layout.Lanes; group += TLanes.Width)
            {
                SumDeviations(segment + group, length, mask + group, centre, out float linear, out float square);
                deviations += linear;
                squares += square;
            }
            moments.Add(count, centre + deviations * share, squares - deviations * deviations * share);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float SumOfLanes(float* data, int pixels, float* mask)
    {
        TVector m = TLanes.Load(mask);
        TVector a = TLanes.Zero, b = TLanes.Zero, c = TLanes.Zero, d = TLanes.Zero;
        int i = 0;
        for (; i + 4 <= pixels; i += 4, data += 4 * Layout.Lanes)
        {
            a = TLanes.MultiplyAdd(TLanes.Load(data), m, a);
            b = TLanes.MultiplyAdd(TLanes.Load(data + Layout.Lanes), m, b);
            c = TLanes.MultiplyAdd(TLanes.Load(data + 2 * Layout.Lanes), m, c);
            d = TLanes.MultiplyAdd(TLanes.Load(data + 3 * Layout.Lanes), m, d);
        }
        for (; i < pixels; i++, data += Layout.Lanes)
            a = TLanes.MultiplyAdd(TLanes.Load(data), m, a);
        return TLanes.Sum(TLanes.Add(TLanes.Add(a, b), TLanes.Add(c, d)));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void SumDeviations(float* data, int pixels, float* mask, float centre, out float linear, out float square)
    {
        TVector m = TLanes.Load(mask);
        TVector offset = TLanes.Multiply(m, TLanes.Create(-centre));
        TVector a = TLanes.Zero, b = TLanes.Zero, c = TLanes.Zero, d = TLanes.Zero;
        TVector aa = TLanes.Zero, bb = TLanes.Zero, cc = TLanes.Zero, dd = TLanes.Zero;
        int i = 0;
        for (; i + 4 <= pixels; i += 4, data += 4 * Layout.Lanes)
        {
            TVector va = TLanes.MultiplyAdd(TLanes.Load(data), m, offset);
            TVector vb = TLanes.MultiplyAdd(TLanes.Load(data + Layout.Lanes), m, offset);
            TVector vc = TLanes.MultiplyAdd(TLanes.Load(data + 2 * Layout.Lanes), m, offset);
            TVector vd = TLanes.MultiplyAdd(TLanes.Load(data + 3 * Layout.Lanes), m, offset);
            a = TLanes.Add(a, va);
            b = TLanes.Add(b, vb);
            c = TLanes.Add(c, vc);
            d = TLanes.Add(d, vd);
            aa = TLanes.MultiplyAdd(va, va, aa);
            bb = TLanes.MultiplyAdd(vb, vb, bb);
            cc = TLanes.MultiplyAdd(vc, vc, cc);
            dd = TLanes.MultiplyAdd(vd, vd, dd);
        }
        for (; i < pixels; i++, data += Layout.Lanes)
        {
            TVector va = TLanes.MultiplyAdd(TLanes.Load(data), m, offset);
            a = TLanes.Add(a, va);
            aa = TLanes.MultiplyAdd(va, va, aa);
        }
        linear = TLanes.Sum(TLanes.Add(TLanes.Add(a, b), TLanes.Add(c, d)));
        square = TLanes.Sum(TLanes.Add(TLanes.Add(aa, bb), TLanes.Add(cc, dd)));
    }

    /// <summary>Adds a plane's Σ dy and Σ dy (x - mean). The gradient's unused lanes are zero, so no mask is needed.</summary>
    private static void AddGradientSums(float* x, float* dy, int pixels, float mean, ref double sum, ref double product)
    {
        for (int first = 0; first < pixels; first += SegmentPixels)
        {
            int length = Math.Min(SegmentPixels, pixels - first) * Layout.Lanes;
            nint at = (nint)first * Layout.Lanes;
            SumGradients(x + at, dy + at, length, mean, out float linear, out float weighted);
            sum += linear;
            product += weighted;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void SumGradients(float* x, float* dy, int length, float mean, out float linear, out float weighted)
    {
        TVector centre = TLanes.Create(mean);
        TVector a = TLanes.Zero, b = TLanes.Zero, c = TLanes.Zero, d = TLanes.Zero;
        TVector ax = TLanes.Zero, bx = TLanes.Zero, cx = TLanes.Zero, dx = TLanes.Zero;
        nint i = 0;
        for (; i + 4 * TLanes.Width <= length; i += 4 * TLanes.Width)
        {
            TVector ga = TLanes.Load(dy + i);
            TVector gb = TLanes.Load(dy + i + TLanes.Width);
            TVector gc = TLanes.Load(dy + i + 2 * TLanes.Width);
            TVector gd = TLanes.Load(dy + i + 3 * TLanes.Width);
            a = TLanes.Add(a, ga);
            b = TLanes.Add(b, gb);
            c = TLanes.Add(c, gc);
            d = TLanes.Add(d, gd);
            ax = TLanes.MultiplyAdd(ga, TLanes.Subtract(TLanes.Load(x + i), centre), ax);
            bx = TLanes.MultiplyAdd(gb, TLanes.Subtract(TLanes.Load(x + i + TLanes.Width), centre), bx);
            cx = TLanes.MultiplyAdd(gc, TLanes.Subtract(TLanes.Load(x + i + 2 * TLanes.Width), centre), cx);
            dx = TLanes.MultiplyAdd(gd, TLanes.Subtract(TLanes.Load(x + i + 3 * TLanes.Width), centre), dx);
        }
        for (; i < length; i += TLanes.Width)
        {
            TVector ga = TLanes.Load(dy + i);
            a = TLanes.Add(a, ga);
            ax = TLanes.MultiplyAdd(ga, TLanes.Subtract(TLanes.Load(x + i), centre), ax);
        }
        linear = TLanes.Sum(TLanes.Add(TLanes.Add(a, b), TLanes.Add(c, d)));
        weighted = TLanes.Sum(TLanes.Add(TLanes.Add(ax, bx), TLanes.Add(cx, dx)));
    }

    /// <summary><c>dx = (x * ofX + dy * ofDy + constant + addend) where reluOutput &gt; 0, else 0</c>, and 0 in the lanes
    /// that the mask leaves out.</summary>
    private static void CombineGradient(
        float* x, float ofX, float* dy, float ofDy, float constant, float* mask, float* addend, float* reluOutput, float* dx,
        int pixels)
    {
        for (int first = 0; first < pixels; first += SegmentPixels)
        {
            int length = Math.Min(SegmentPixels, pixels - first) * Layout.Lanes;
            for (int group = 0; group < Layout.Lanes; group += TLanes.Width)
            {
                nint at = (nint)first * Layout.Lanes + group;
                float* m = mask + group;
                if (addend == null && reluOutput == null)
                    CombineLoop<No, No>(x + at, ofX, dy + at, ofDy, constant, m, null, null, dx + at, length);
                else if (addend == null)
                    CombineLoop<No, Yes>(x + at, ofX, dy + at, ofDy, constant, m, null, reluOutput + at, dx + at, length);
                else if (reluOutput == null)
                    CombineLoop<Yes, No>(x + at, ofX, dy + at, ofDy, constant, m, addend + at, null, dx + at, length);
                else
                    CombineLoop<Yes, Yes>(
                        x + at, ofX, dy + at, ofDy, constant, m, addend + at, reluOutput + at, dx + at, length);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void CombineLoop<TAddend, TRelu>(
        float* x, float ofX, float* dy, float ofDy, float constant, float* mask, float* addend, float* reluOutput, float* dx,
        int length)
        where TAddend : struct, IChoice
        where TRelu : struct, IChoice
    {
        TVector m = TLanes.Load(mask), a = TLanes.Create(ofDy);
        TVector b = TLanes.Multiply(m, TLanes.Create(ofX)), c = TLanes.Multiply(m, TLanes.Create(constant));
        for (nint i = 0; i < length; i += Layout.Lanes)
        {
            TVector value = TLanes.MultiplyAdd(TLanes.Load(dy + i), a, TLanes.MultiplyAdd(TLanes.Load(x + i), b, c));
            if (TAddend.Taken)
                value = TLanes.Add(value, TLanes.Load(addend + i));
            if (TRelu.Taken)
                value = TLanes.WherePositive(TLanes.Load(reluOutput + i), value);
            TLanes.Store(dx + i, value);
        }
    }
}
