using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Cpu;

// The random start of attacks. A counter differs between the lanes in the sample alone, so Philox runs lane by lane in a
// vector, and four words of it are four consecutive vectors of the tensor.
internal sealed unsafe partial class CpuBackend<TLanes, TVector>
{
    private const int WordsPerDraw = 4;

    public void RandomStart(Tensor clean, IntBuffer samples, float epsilon, RandomStartKey key, Tensor adversarial)
    {
        CpuTensor from = CpuTensor.Of(clean), to = CpuTensor.Of(adversarial);
        RequireSame(from, to);
        var job = new RandomStartJob
        {
            Length = from.Shape.Length,
            Batch = from.Batch,
            BlockStride = from.BlockStride,
            Clean = from.Data,
            Adversarial = to.Data,
            Samples = PerSample(samples, from, "sample numbers"),
            Epsilon = epsilon,
            Key = key,
        };
        job.ItemsPerBlock = (job.Length + RandomStartJob.ValuesPerItem - 1) / RandomStartJob.ValuesPerItem;
        _pool.Run(ref job, from.Blocks * job.ItemsPerBlock);
    }

    public void NormalStart(Tensor clean, IntBuffer samples, float deviation, RandomStartKey key, Tensor adversarial)
    {
        CpuTensor from = CpuTensor.Of(clean), to = CpuTensor.Of(adversarial);
        RequireSame(from, to);
        var job = new NormalStartJob
        {
            Length = from.Shape.Length,
            Batch = from.Batch,
            BlockStride = from.BlockStride,
            Clean = from.Data,
            Adversarial = to.Data,
            Samples = PerSample(samples, from, "sample numbers"),
            Deviation = deviation,
            Key = key,
        };
        _pool.Run(ref job, from.Blocks * Layout.Lanes);
    }

    /// <summary>An item is a sample, or an unused lane, which follows the last sample.</summary>
    private struct NormalStartJob : IParallelJob
    {
        public int Length, Batch;
        public nint BlockStride;
        public float* Clean, Adversarial;
        public int* Samples;
        public float Deviation;
        public RandomStartKey Key;

        public readonly void Run(int item, int worker)
        {
            nint first = item / Layout.Lanes * BlockStride + item % Layout.Lanes;
            uint sample = (uint)Samples[Math.Min(item, Batch - 1)];
            uint* words = stackalloc uint[WordsPerDraw];
            for (int value = 0; value < Length; value += 2)
            {
                if (value % WordsPerDraw == 0)
                    Philox.Words(Key.Key, (uint)(value / WordsPerDraw), sample, (uint)Key.Epoch, (uint)Key.Restart).Store(words);
                int word = value % WordsPerDraw;
                (float even, float odd) = Philox.Normal(words[word], words[word + 1]);
                nint at = first + (nint)value * Layout.Lanes;
                Adversarial[at] = Clean[at] + Deviation * even;
                if (value + 1 < Length)
                    Adversarial[at + Layout.Lanes] = Clean[at + Layout.Lanes] + Deviation * odd;
            }
        }
    }

    private struct RandomStartJob : IParallelJob
    {
        public const int ValuesPerItem = 512;

        public int Length, Batch, ItemsPerBlock;
        public nint BlockStride;
        public float* Clean, Adversarial;
        public int* Samples;
        public float Epsilon;
        public RandomStartKey Key;

        public readonly void Run(int item, int worker)
        {
            int block = item / ItemsPerBlock, first = item % ItemsPerBlock * ValuesPerItem;
            int end = Math.Min(first + ValuesPerItem, Length);
            uint* sample = stackalloc uint[Layout.Lanes];
            for (int lane = 0; lane < Layout.Lanes; lane++)
                sample[lane] = (uint)Samples[Math.Min(block * Layout.Lanes + lane, Batch - 1)];
            float* clean = Clean + block * BlockStride, adversarial = Adversarial + block * BlockStride;
            if (Avx2.IsSupported && typeof(TLanes) != typeof(PortableLanes))
            {
                StartLanes(Key, sample, Epsilon, clean, adversarial, first, end);
                StartLanes(Key, sample + 8, Epsilon, clean + 8, adversarial + 8, first, end);
            }
            else
            {
                for (int lane = 0; lane < Layout.Lanes; lane++)
                    StartLane(Key, sample[lane], Epsilon, clean + lane, adversarial + lane, first, end);
            }
        }
    }

    private static void StartLane(
        RandomStartKey key, uint sample, float epsilon, float* clean, float* adversarial, int first, int end)
    {
        uint* words = stackalloc uint[WordsPerDraw];
        for (int value = first; value < end; value += WordsPerDraw)
        {
            Philox.Words(key.Key, (uint)(value / WordsPerDraw), sample, (uint)key.Epoch, (uint)key.Restart).Store(words);
            for (int e = value; e < Math.Min(value + WordsPerDraw, end); e++)
            {
                float offset = epsilon * (2 * Philox.Uniform(words[e - value]) - 1);
                nint at = (nint)e * Layout.Lanes;
                adversarial[at] = PixelBall.Project(clean[at] + offset, clean[at], epsilon);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void StartLanes(
        RandomStartKey key, uint* samples, float epsilon, float* clean, float* adversarial, int first, int end)
    {
        Vector256<uint> sample = Vector256.Load(samples);
        Vector256<uint> epoch = Vector256.Create((uint)key.Epoch), restart = Vector256.Create((uint)key.Restart);
        for (int value = first; value < end; value += WordsPerDraw)
        {
            Vector256<uint> c0 = Vector256.Create((uint)(value / WordsPerDraw)), c1 = sample, c2 = epoch, c3 = restart;
            PhiloxLanes.Words((uint)key.Key, (uint)(key.Key >> 32), ref c0, ref c1, ref c2, ref c3);
            nint at = (nint)value * Layout.Lanes;
            StartVector(c0, epsilon, clean + at, adversarial + at);
            if (value + 1 < end)
                StartVector(c1, epsilon, clean + at + Layout.Lanes, adversarial + at + Layout.Lanes);
            if (value + 2 < end)
                StartVector(c2, epsilon, clean + at + 2 * Layout.Lanes, adversarial + at + 2 * Layout.Lanes);
            if (value + 3 < end)
                StartVector(c3, epsilon, clean + at + 3 * Layout.Lanes, adversarial + at + 3 * Layout.Lanes);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StartVector(Vector256<uint> word, float epsilon, float* clean, float* adversarial)
    {
        Vector256<float> uniform = Vector256.ConvertToSingle((word >>> 8).AsInt32()) * (1f / (1 << 24));
        Vector256<float> offset = (uniform + uniform - Vector256<float>.One) * epsilon;
        Vector256<float> centre = Vector256.Load(clean), value = centre + offset;
        Vector256<float> radius = Vector256.Create(epsilon), low = centre - radius, high = centre + radius;
        Vector256<float> below = centre - low - radius;
        Vector256<float> above = high - Vector256.MaxNative(centre, radius) - Vector256.MinNative(centre, radius);
        low += Vector256.GreaterThan(below, Vector256<float>.Zero) & (low * ToNeighbour);
        high -= Vector256.GreaterThan(above, Vector256<float>.Zero) & (high * ToNeighbour);
        value = Vector256.MinNative(Vector256.MaxNative(value, low), high);
        Vector256.MinNative(Vector256.MaxNative(value, Vector256<float>.Zero), Vector256<float>.One).Store(adversarial);
    }
}

/// <summary><see cref="Philox"/> in eight lanes.</summary>
internal static class PhiloxLanes
{
    private const int Rounds = 10;

    /// <summary>Replaces eight counters by their words. Needs AVX2.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Words(
        uint k0, uint k1, ref Vector256<uint> c0, ref Vector256<uint> c1, ref Vector256<uint> c2, ref Vector256<uint> c3)
    {
        Vector256<uint> multiplier0 = Vector256.Create(0xD2511F53u), multiplier1 = Vector256.Create(0xCD9E8D57u);
        for (int round = 0; round < Rounds; round++)
        {
            Multiply(c0, multiplier0, out Vector256<uint> high0, out Vector256<uint> low0);
            Multiply(c2, multiplier1, out Vector256<uint> high1, out Vector256<uint> low1);
            c0 = high1 ^ c1 ^ Vector256.Create(k0);
            c2 = high0 ^ c3 ^ Vector256.Create(k1);
            c1 = low1;
            c3 = low0;
            k0 += 0x9E3779B9;
            k1 += 0xBB67AE85;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Multiply(Vector256<uint> a, Vector256<uint> b, out Vector256<uint> high, out Vector256<uint> low)
    {
        Vector256<uint> even = Avx2.Multiply(a, b).AsUInt32();
        Vector256<uint> odd = Avx2.Multiply((a.AsUInt64() >>> 32).AsUInt32(), b).AsUInt32();
        low = a * b;
        high = Avx2.Blend((even.AsUInt64() >>> 32).AsUInt32(), odd, 0b10101010);
    }
}
