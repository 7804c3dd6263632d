using System.Runtime.CompilerServices;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Cpu;

internal sealed unsafe partial class CpuBackend<TLanes, TVector>
{
    /// <summary>Of a normal float32, adding this share of it and rounding gives the next larger one, subtracting it the next
    /// smaller: the share is more than half and less than one and a half units in the last place, next to powers of two
    /// also.</summary>
    private const float ToNeighbour = (1 + 1f / (1 << 20)) / (1 << 24);

    public void AttackStep(Tensor clean, Tensor gradient, float epsilon, float stepSize, Tensor adversarial)
    {
        CpuTensor from = CpuTensor.Of(clean), slope = CpuTensor.Of(gradient), to = CpuTensor.Of(adversarial);
        RequireSame(from, to);
        RequireSame(slope, to);
        var job = new AttackStepJob
        {
            Grid = new FlatGrid(to.PhysicalLength),
            Clean = from.Data,
            Gradient = slope.Data,
            Adversarial = to.Data,
            Epsilon = epsilon,
            StepSize = stepSize,
        };
        _pool.Run(ref job, job.Grid.Items);
    }

    public void KeepWorst(
        Tensor candidate, FloatBuffer candidateLosses, Tensor best, FloatBuffer bestLosses, FloatBuffer? candidateCorrect = null)
    {
        CpuTensor from = CpuTensor.Of(candidate), to = CpuTensor.Of(best);
        RequireSame(from, to);
        float* losses = PerSample(candidateLosses, to, "candidate losses");
        float* worst = PerSample(bestLosses, to, "best losses");
        float* correct = candidateCorrect is null ? null : PerSample(candidateCorrect, to, "candidates' correctness");
        var job = new KeepWorstJob
        {
            Grid = new FlatGrid(to.BlockStride),
            BlockStride = to.BlockStride,
            Batch = to.Batch,
            Candidate = from.Data,
            Best = to.Data,
            CandidateLosses = losses,
            BestLosses = worst,
            Correct = correct,
        };
        _pool.Run(ref job, to.Blocks * job.Grid.Items);
        for (int sample = 0; sample < to.Batch; sample++)
        {
            if (job.Loss(sample) > worst[sample])
                worst[sample] = job.Loss(sample);
        }
    }

    public PerturbationExtent MeasurePerturbation(Tensor clean, Tensor adversarial)
    {
        CpuTensor from = CpuTensor.Of(clean), to = CpuTensor.Of(adversarial);
        RequireSame(from, to);
        Extent* extents = stackalloc Extent[Layout.Lanes];
        float largest = 0, low = float.PositiveInfinity, high = float.NegativeInfinity;
        for (int first = 0; first < to.Blocks; first += Layout.Lanes)
        {
            int blocks = Math.Min(Layout.Lanes, to.Blocks - first);
            var job = new MeasureJob
            {
                Length = to.BlockStride,
                LastLanes = to.LanesUsed(first + blocks - 1),
                Blocks = blocks,
                Clean = from.Data + first * to.BlockStride,
                Adversarial = to.Data + first * to.BlockStride,
                Extents = extents,
            };
            _pool.Run(ref job, blocks);
            for (int block = 0; block < blocks; block++)
            {
                largest = MathF.Max(largest, extents[block].Perturbation);
                low = MathF.Min(low, extents[block].Smallest);
                high = MathF.Max(high, extents[block].Largest);
            }
        }
        return new PerturbationExtent(largest, low, high);
    }

    private struct AttackStepJob : IParallelJob
    {
        public FlatGrid Grid;
        public float* Clean, Gradient, Adversarial;
        public float Epsilon, StepSize;

        public readonly void Run(int item, int worker)
        {
            nint start = Grid.Start(item);
            Ascend(Clean + start, Gradient + start, Epsilon, StepSize, Adversarial + start, Grid.Length(item));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Ascend(
        float* clean, float* gradient, float epsilon, float stepSize, float* adversarial, int length)
    {
        TVector radius = TLanes.Create(epsilon), step = TLanes.Create(stepSize);
        TVector zero = TLanes.Zero, one = TLanes.Create(1), neighbour = TLanes.Create(ToNeighbour);
        for (nint i = 0; i < length; i += TLanes.Width)
        {
            TVector centre = TLanes.Load(clean + i);
            TVector value = TLanes.MultiplyAdd(TLanes.Sign(TLanes.Load(gradient + i)), step, TLanes.Load(adversarial + i));
            TVector low = TLanes.Subtract(centre, radius), high = TLanes.Add(centre, radius);
            TVector below = TLanes.Subtract(TLanes.Subtract(centre, low), radius);
            TVector above = TLanes.Subtract(
                TLanes.Subtract(high, TLanes.Max(centre, radius)), TLanes.Min(centre, radius));
            low = TLanes.Add(low, TLanes.WherePositive(below, TLanes.Multiply(low, neighbour)));
            high = TLanes.Subtract(high, TLanes.WherePositive(above, TLanes.Multiply(high, neighbour)));
            value = TLanes.Min(high, TLanes.Max(low, value));
            TLanes.Store(adversarial + i, TLanes.Min(one, TLanes.Max(zero, value)));
        }
    }

    private struct KeepWorstJob : IParallelJob
    {
        public FlatGrid Grid;
        public nint BlockStride;
        public int Batch;
        public float* Candidate, Best, CandidateLosses, BestLosses, Correct;

        public readonly float Loss(int sample) =>
            Correct != null && Correct[sample] == 0 ? float.PositiveInfinity : CandidateLosses[sample];

        public readonly void Run(int item, int worker)
        {
            int block = item / Grid.Items, part = item % Grid.Items;
            float* keep = stackalloc float[Layout.Lanes];
            bool any = false;
            for (int lane = 0; lane < Layout.Lanes; lane++)
            {
                int sample = block * Layout.Lanes + lane;
                bool worse = sample < Batch && Loss(sample) > BestLosses[sample];
                keep[lane] = worse ? 0 : 1;
                any |= worse;
            }
            if (!any)
                return;
            nint start = block * BlockStride + Grid.Start(part);
            for (int group = 0; group < Layout.Lanes; group += TLanes.Width)
                Select(keep + group, Candidate + start + group, Best + start + group, Grid.Length(part));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Select(float* keep, float* candidate, float* best, int length)
    {
        TVector kept = TLanes.Load(keep), zero = TLanes.Zero;
        for (nint i = 0; i < length; i += Layout.Lanes)
            TLanes.Store(best + i, TLanes.WhereEqual(kept, zero, TLanes.Load(candidate + i), TLanes.Load(best + i)));
    }

    private struct Extent
    {
        public float Perturbation, Smallest, Largest;
    }

    private struct MeasureJob : IParallelJob
    {
        public nint Length;
        public int Blocks, LastLanes;
        public float* Clean, Adversarial;
        public Extent* Extents;

        public readonly void Run(int item, int worker)
        {
            int used = item == Blocks - 1 ? LastLanes : Layout.Lanes;
            float* lanes = stackalloc float[4 * Layout.Lanes];
            for (int group = 0; group < Layout.Lanes; group += TLanes.Width)
                Measure(Clean + item * Length + group, Adversarial + item * Length + group, Length, lanes + group);
            Extent extent = new() { Perturbation = 0, Smallest = float.PositiveInfinity, Largest = float.NegativeInfinity };
            for (int lane = 0; lane < used; lane++)
            {
                // The last is zero, or NaN where the lane held NaN or infinity: the comparisons before it do not see NaN.
                float taint = lanes[3 * Layout.Lanes + lane];
                extent.Perturbation = MathF.Max(extent.Perturbation, lanes[lane] + taint);
                extent.Smallest = MathF.Min(extent.Smallest, lanes[Layout.Lanes + lane] + taint);
                extent.Largest = MathF.Max(extent.Largest, lanes[2 * Layout.Lanes + lane] + taint);
            }
            Extents[item] = extent;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Measure(float* clean, float* adversarial, nint length, float* lanes)
    {
        TVector zero = TLanes.Zero, taint = TLanes.Zero, perturbation = TLanes.Zero;
        TVector smallest = TLanes.Create(float.PositiveInfinity), largest = TLanes.Create(float.NegativeInfinity);
        TVector neighbour = TLanes.Create(ToNeighbour);
        for (nint i = 0; i < length; i += Layout.Lanes)
        {
            TVector value = TLanes.Load(adversarial + i), centre = TLanes.Load(clean + i);
            TVector difference = TLanes.Subtract(value, centre);
            TVector distance = TLanes.Max(difference, TLanes.Subtract(zero, difference));
            TVector lost = TLanes.Subtract(TLanes.Subtract(TLanes.Max(value, centre), distance), TLanes.Min(value, centre));
            distance = TLanes.Add(distance, TLanes.WherePositive(lost, TLanes.Multiply(distance, neighbour)));
            perturbation = TLanes.Max(perturbation, distance);
            smallest = TLanes.Min(smallest, value);
            largest = TLanes.Max(largest, value);
            taint = TLanes.MultiplyAdd(difference, zero, taint);
        }
        TLanes.Store(lanes, perturbation);
        TLanes.Store(lanes + Layout.Lanes, smallest);
        TLanes.Store(lanes + 2 * Layout.Lanes, largest);
        TLanes.Store(lanes + 3 * Layout.Lanes, taint);
    }
}
