using BoostingTicket.Engine.Cpu;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Engine.Testing;

namespace BoostingTicket.Engine.Tests.Cpu;

/// <summary>Runs a fixture's tests once for each instruction set of the machine; those of an absent one are skipped.</summary>
internal abstract unsafe class CpuFixture<TLanes, TVector>
    where TLanes : struct, ILanes<TVector>
    where TVector : struct
{
    protected static readonly int[] Batches = [1, 5, 16, 17, 33];

    private readonly List<IDisposable> _owned = [];
    private Random _random = new(1);

    protected static InstructionSet Instructions =>
        typeof(TLanes) == typeof(Avx512Lanes) ? InstructionSet.Avx512
        : typeof(TLanes) == typeof(Avx2Lanes) ? InstructionSet.Avx2
        : InstructionSet.Portable;

    /// <summary>A backend with two threads.</summary>
    protected CpuBackend<TLanes, TVector> Backend { get; private set; } = null!;

    [SetUp]
    public void CreateBackend()
    {
        if (!InstructionSets.Available.Contains(Instructions))
            Assert.Ignore($"This machine has no {Instructions}.");
        _random = new Random(1);
        Backend = new CpuBackend<TLanes, TVector>(2, Instructions);
    }

    [TearDown]
    public void Free()
    {
        foreach (IDisposable one in _owned)
            one.Dispose();
        _owned.Clear();
        Backend?.Dispose();
    }

    protected CpuBackend<TLanes, TVector> WithThreads(int threads) =>
        Owned(new CpuBackend<TLanes, TVector>(threads, Instructions));

    protected T Owned<T>(T disposable)
        where T : IDisposable
    {
        _owned.Add(disposable);
        return disposable;
    }

    /// <summary>A placed tensor full of garbage: finite, and large enough to spoil whatever it leaks into.</summary>
    protected CpuTensor Empty(int batch, FeatureShape shape)
    {
        CpuTensor tensor = CpuTensor.Of(Backend.DescribeTensor(batch, shape));
        tensor.Place(CpuArena.Of(Owned(Backend.CreateArena(tensor.Bytes))), 0);
        Physical(tensor).Fill(12345);
        return tensor;
    }

    /// <summary>A tensor of given values, with garbage in the lanes that no image uses, as an activation may have.</summary>
    protected CpuTensor Activation(int batch, FeatureShape shape, float[] values)
    {
        CpuTensor tensor = Gradient(batch, shape, values);
        Span<float> physical = Physical(tensor);
        for (int i = 0; i < physical.Length; i++)
        {
            if (i % Layout.Lanes >= tensor.LanesUsed(i / (int)tensor.BlockStride))
                physical[i] = -777 + i % 5;
        }
        return tensor;
    }

    /// <summary>A tensor of given values, with zeros in the lanes that no image uses.</summary>
    protected CpuTensor Gradient(int batch, FeatureShape shape, float[] values)
    {
        CpuTensor tensor = Empty(batch, shape);
        Backend.Upload(values, tensor);
        return tensor;
    }

    protected BufferSlice Slice(params float[] values)
    {
        FloatBuffer buffer = Owned(Backend.CreateFloats(values.Length + 3));
        var slice = new BufferSlice(buffer, 3, values.Length);
        Backend.Upload(values, slice);
        return slice;
    }

    protected FloatBuffer Floats(params float[] values)
    {
        FloatBuffer buffer = Owned(Backend.CreateFloats(values.Length));
        Backend.Upload(values, buffer.All);
        return buffer;
    }

    protected IntBuffer Ints(params int[] values)
    {
        IntBuffer buffer = Owned(Backend.CreateInts(values.Length));
        Backend.Upload(values, buffer);
        return buffer;
    }

    protected float[] Read(Tensor tensor)
    {
        float[] values = new float[tensor.Length];
        Backend.Download(tensor, values);
        return values;
    }

    protected float[] Read(BufferSlice slice)
    {
        float[] values = new float[slice.Length];
        Backend.Download(slice, values);
        return values;
    }

    protected float[] Read(FloatBuffer buffer) => Read(buffer.All);

    /// <summary>Uniform values in [low, high).</summary>
    protected float[] Uniform(int count, float low = -1, float high = 1)
    {
        float[] values = new float[count];
        for (int i = 0; i < count; i++)
            values[i] = low + (high - low) * _random.NextSingle();
        return values;
    }

    /// <summary>Whole numbers in [-bound, bound], so that ties and zeros occur.</summary>
    protected float[] Whole(int count, int bound)
    {
        float[] values = new float[count];
        for (int i = 0; i < count; i++)
            values[i] = _random.Next(-bound, bound + 1);
        return values;
    }

    protected static Span<float> Physical(CpuTensor tensor) => new(tensor.Data, (int)tensor.PhysicalLength);

    /// <summary>Gradients keep exact zeros in the lanes that no image uses.</summary>
    protected static void AssertUnusedLanesAreZero(CpuTensor tensor)
    {
        Span<float> physical = Physical(tensor);
        for (int i = 0; i < physical.Length; i++)
        {
            if (i % Layout.Lanes >= tensor.LanesUsed(i / (int)tensor.BlockStride) && physical[i] != 0)
                Assert.Fail($"Lane {i % Layout.Lanes} of the tensor {tensor} holds {physical[i]} and not 0.");
        }
    }

    protected static void AssertAllFinite(CpuTensor tensor)
    {
        foreach (float value in Physical(tensor))
        {
            if (!float.IsFinite(value))
                Assert.Fail($"The tensor {tensor} holds {value}.");
        }
    }

    protected static void AssertClose(float[] actual, double[] expected, double tolerance, string what = "value")
    {
        Assert.That(actual, Has.Length.EqualTo(expected.Length));
        for (int i = 0; i < actual.Length; i++)
        {
            if (!(Math.Abs(actual[i] - expected[i]) <= tolerance * Math.Max(1, Math.Abs(expected[i]))))
                Assert.Fail($"{what} {i} is {actual[i]:R} and not {expected[i]:R}.");
        }
    }

    /// <summary>Runs an operation with one to four threads and compares its results bit for bit.</summary>
    protected void AssertSameForAnyThreads(Func<CpuBackend<TLanes, TVector>, float[][]> operation)
    {
        float[][]? first = null;
        for (int threads = 1; threads <= 4; threads++)
        {
            float[][] results = operation(WithThreads(threads));
            first ??= results;
            for (int i = 0; i < results.Length; i++)
            {
                ReadOnlySpan<byte> one = System.Runtime.InteropServices.MemoryMarshal.AsBytes<float>(first[i]);
                ReadOnlySpan<byte> other = System.Runtime.InteropServices.MemoryMarshal.AsBytes<float>(results[i]);
                Assert.That(one.SequenceEqual(other), $"Result {i} differs between 1 and {threads} threads.");
            }
        }
    }

    /// <summary>Fails if the operation allocates on the managed heap.</summary>
    protected static void AssertAllocatesNothing(Action operation) =>
        Assert.That(Allocations.LeastBytes(operation), Is.Zero, "Bytes were allocated.");
}
