using System.Numerics;
using System.Runtime.CompilerServices;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Cpu;

internal sealed unsafe partial class CpuBackend<TLanes, TVector>
{
    /// <summary>Partial sums of a reduction: few enough for the caller's stack.</summary>
    private const int MaximalPartials = 1024;

    public void SgdStep(
        in SgdOptions options, BufferSlice gradients, BufferSlice momenta, BufferSlice? masks, BufferSlice weights)
    {
        int length = weights.Length;
        RequireLength(gradients, length, "gradients");
        RequireLength(momenta, length, "momenta");
        if (masks is { } some)
            RequireLength(some, length, "masks");
        var job = new SgdJob
        {
            Grid = new FlatGrid(length),
            Options = options,
            Gradients = CpuFloats.Of(gradients),
            Momenta = CpuFloats.Of(momenta),
            Masks = CpuFloats.OrNull(masks),
            Weights = CpuFloats.Of(weights),
        };
        _pool.Run(ref job, job.Grid.Items);
    }

    public void ApplyMask(BufferSlice masks, BufferSlice values)
    {
        RequireLength(masks, values.Length, "masks");
        var job = new MaskJob
        {
            Grid = new FlatGrid(values.Length),
            Masks = CpuFloats.Of(masks),
            Values = CpuFloats.Of(values),
        };
        _pool.Run(ref job, job.Grid.Items);
    }

    public void Blend(BufferSlice source, float sourceFactor, float factor, BufferSlice values)
    {
        RequireLength(source, values.Length, "source values");
        var job = new BlendJob
        {
            Grid = new FlatGrid(values.Length),
            Source = CpuFloats.Of(source),
            Values = CpuFloats.Of(values),
            SourceFactor = sourceFactor,
            Factor = factor,
        };
        _pool.Run(ref job, job.Grid.Items);
    }

    public void Pack(BufferSlice values, IntBuffer indices, BufferSlice packed) =>
        Move<No>(indices, CpuFloats.Of(values), CpuFloats.Of(packed), packed.Length);

    public void Unpack(BufferSlice packed, IntBuffer indices, BufferSlice values) =>
        Move<Yes>(indices, CpuFloats.Of(packed), CpuFloats.Of(values), packed.Length);

    // Back to where they were, or together.
    private void Move<TBack>(IntBuffer indices, float* from, float* to, int length)
        where TBack : struct, IChoice
    {
        var job = new MoveJob<TBack>
        {
            Grid = new FlatGrid(length),
            Indices = CpuInts.First(indices, length, "indices"),
            From = from,
            To = to,
        };
        _pool.Run(ref job, job.Grid.Items);
    }

    public double Sum(BufferSlice values)
    {
        double* partials = stackalloc double[MaximalPartials];
        var job = new SumJob { Values = CpuFloats.Of(values), Length = values.Length, Partials = partials };
        job.ItemLength = Math.Max(ItemLength, (int)((values.Length + (long)MaximalPartials - 1) / MaximalPartials));
        int items = (int)(((long)values.Length + job.ItemLength - 1) / job.ItemLength);
        _pool.Run(ref job, items);
        double sum = 0;
        for (int item = 0; item < items; item++)
            sum += partials[item];
        return sum;
    }

    private static void RequireLength(BufferSlice slice, int length, string what)
    {
        if (slice.Length != length)
            throw new ArgumentException($"The {slice.Length} {what} do not fit the {length} values.");
    }

    private struct SgdJob : IParallelJob
    {
        public FlatGrid Grid;
        public SgdOptions Options;
        public float* Gradients, Momenta, Masks, Weights;

        public readonly void Run(int item, int worker)
        {
            nint start = Grid.Start(item);
            int length = Grid.Length(item);
            if (Masks == null)
                Step<No>(Options, Gradients + start, Momenta + start, null, Weights + start, length);
            else
                Step<Yes>(Options, Gradients + start, Momenta + start, Masks + start, Weights + start, length);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Step<TMask>(
        in SgdOptions options, float* gradients, float* momenta, float* masks, float* weights, int length)
        where TMask : struct, IChoice
    {
        TVector zero = TLanes.Zero, decay = TLanes.Create(options.WeightDecay);
        TVector momentum = TLanes.Create(options.Momentum), descent = TLanes.Create(-options.LearningRate);
        nint i = 0;
        for (; i + TLanes.Width <= length; i += TLanes.Width)
        {
            TVector w = TLanes.Load(weights + i);
            TVector g = TLanes.MultiplyAdd(decay, w, TLanes.Load(gradients + i));
            TVector v = TLanes.MultiplyAdd(momentum, TLanes.Load(momenta + i), g);
            w = TLanes.MultiplyAdd(descent, v, w);
            if (TMask.Taken)
            {
                TVector mask = TLanes.Load(masks + i);
                v = TLanes.WhereEqual(mask, zero, zero, v);
                w = TLanes.WhereEqual(mask, zero, zero, w);
            }
            TLanes.Store(momenta + i, v);
            TLanes.Store(weights + i, w);
        }
        for (; i < length; i++)
        {
            float g = MathF.FusedMultiplyAdd(options.WeightDecay, weights[i], gradients[i]);
            float v = MathF.FusedMultiplyAdd(options.Momentum, momenta[i], g);
            float w = MathF.FusedMultiplyAdd(-options.LearningRate, v, weights[i]);
            bool pruned = TMask.Taken && masks[i] == 0;
            momenta[i] = pruned ? 0 : v;
            weights[i] = pruned ? 0 : w;
        }
    }

    private struct MaskJob : IParallelJob
    {
        public FlatGrid Grid;
        public float* Masks, Values;

        public readonly void Run(int item, int worker)
        {
            nint start = Grid.Start(item);
            Mask(Masks + start, Values + start, Grid.Length(item));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Mask(float* masks, float* values, int length)
    {
        TVector zero = TLanes.Zero;
        nint i = 0;
        for (; i + TLanes.Width <= length; i += TLanes.Width)
        {
            TVector mask = TLanes.Load(masks + i);
            TVector product = TLanes.Multiply(TLanes.Load(values + i), mask);
            TLanes.Store(values + i, TLanes.WhereEqual(mask, zero, zero, product));
        }
        for (; i < length; i++)
            values[i] = masks[i] == 0 ? 0 : values[i] * masks[i];
    }

    private struct BlendJob : IParallelJob
    {
        public FlatGrid Grid;
        public float* Source, Values;
        public float SourceFactor, Factor;

        public readonly void Run(int item, int worker)
        {
            nint start = Grid.Start(item);
            Blend(Source + start, SourceFactor, Factor, Values + start, Grid.Length(item));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Blend(float* source, float sourceFactor, float factor, float* values, int length)
    {
        TVector share = TLanes.Create(sourceFactor), rest = TLanes.Create(factor);
        nint i = 0;
        for (; i + TLanes.Width <= length; i += TLanes.Width)
        {
            TVector added = TLanes.Multiply(share, TLanes.Load(source + i));
            TLanes.Store(values + i, TLanes.MultiplyAdd(rest, TLanes.Load(values + i), added));
        }
        for (; i < length; i++)
            values[i] = MathF.FusedMultiplyAdd(factor, values[i], sourceFactor * source[i]);
    }

    private struct MoveJob<TBack> : IParallelJob
        where TBack : struct, IChoice
    {
        public FlatGrid Grid;
        public int* Indices;
        public float* From, To;

        public readonly void Run(int item, int worker)
        {
            nint start = Grid.Start(item), end = start + Grid.Length(item);
            for (nint i = start; i < end; i++)
            {
                if (TBack.Taken)
                    To[Indices[i]] = From[i];
                else
                    To[i] = From[Indices[i]];
            }
        }
    }

    private struct SumJob : IParallelJob
    {
        public float* Values;
        public double* Partials;
        public int Length, ItemLength;

        public readonly void Run(int item, int worker)
        {
            nint start = (nint)item * ItemLength;
            Partials[item] = SumInDouble(Values + start, (int)Math.Min(ItemLength, Length - start));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static double SumInDouble(float* values, int length)
    {
        Vector<double> a = default, b = default, c = default, d = default;
        int width = Vector<float>.Count;
        nint i = 0;
        for (; i + 2 * width <= length; i += 2 * width)
        {
            Vector.Widen(Vector.Load(values + i), out Vector<double> a1, out Vector<double> b1);
            Vector.Widen(Vector.Load(values + i + width), out Vector<double> c1, out Vector<double> d1);
            a += a1;
            b += b1;
            c += c1;
            d += d1;
        }
        a = a + b + (c + d);
        double sum = 0;
        for (int lane = 0; lane < Vector<double>.Count; lane++)
            sum += a[lane];
        for (; i < length; i++)
            sum += values[i];
        return sum;
    }
}
