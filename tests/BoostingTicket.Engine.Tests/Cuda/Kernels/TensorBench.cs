using BoostingTicket.Engine.Cuda;
using BoostingTicket.Engine.Cuda.Bindings;
using BoostingTicket.Engine.Cuda.Kernels;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Engine.Testing;

namespace BoostingTicket.Engine.Tests.Cuda.Kernels;

/// <summary>A <see cref="KernelBench"/> with its own random values and comparisons with double precision, for kernels whose sums
/// are not to be predicted to the bit.</summary>
internal sealed class TensorBench : IDisposable
{
    private readonly KernelBench _bench = new();

    public TensorBench(string name) => Random = new SeededValues(name);

    public KernelLibrary Library => _bench.Library;

    /// <summary>Values that depend on the bench's name alone.</summary>
    public SeededValues Random { get; }

    /// <summary>A tensor that holds values, which are rounded to its type.</summary>
    public TensorView Tensor(ElementType type, int batch, FeatureShape shape, float[] values) =>
        _bench.Upload(type, batch, shape, values);

    /// <summary>A tensor that nobody wrote.</summary>
    public TensorView Tensor(ElementType type, int batch, FeatureShape shape) => _bench.Reserve(type, batch, shape);

    /// <summary>Standard normal values, rounded to a type.</summary>
    public float[] Normal(ElementType type, int count, float mean = 0, float deviation = 1) =>
        Array.ConvertAll(Random.Normal(count, mean, deviation), value => KernelBench.Rounded(type, value));

    /// <summary>A slice of a flat buffer, aligned to 4 bytes and no more, that holds values.</summary>
    public DevicePointer Vector(params float[] values) => _bench.Upload(values, 1);

    /// <summary>A slice of a flat buffer, aligned to 4 bytes and no more, that nobody wrote.</summary>
    public DevicePointer Unwritten(int length) => _bench.Reserve((length + 1) * sizeof(float)) + sizeof(float);

    /// <summary>Integers.</summary>
    public DevicePointer Integers(params int[] values) => _bench.Upload(values);

    /// <summary>Memory that nobody wrote.</summary>
    public DevicePointer Scratch(long bytes) => _bench.Reserve(bytes);

    /// <summary>A slice's values.</summary>
    public double[] Read(DevicePointer vector, int length) =>
        Array.ConvertAll(_bench.Read<float>(vector, length), value => (double)value);

    /// <summary>A tensor's values.</summary>
    public double[] Read(TensorView tensor) => Array.ConvertAll(_bench.Read(tensor), value => (double)value);

    /// <summary>Compares with what double precision computes: float32 within some roundings of the root mean square, bfloat16
    /// within one more rounding of its own.</summary>
    public static void AssertClose(double[] actual, double[] expected, ElementType type, string what, double roundings = 64)
    {
        Assert.That(actual, Has.Length.EqualTo(expected.Length), what);
        double square = expected.Where(double.IsFinite).Select(value => value * value).DefaultIfEmpty().Average();
        double scale = Math.Sqrt(square), unit = Math.ScaleB(1, -24);
        for (int i = 0; i < expected.Length; i++)
        {
            double allowed = roundings * unit * Math.Max(scale, Math.Abs(expected[i]));
            if (type == ElementType.BFloat16)
                allowed += Math.Abs(expected[i]) * Math.ScaleB(1, -8);
            bool fits = double.IsFinite(expected[i])
                ? Math.Abs(actual[i] - expected[i]) <= allowed
                : actual[i].Equals(expected[i]);
            if (!fits)
                Assert.Fail(
                    $"{what}[{i}] of {expected.Length} is {actual[i]:R} instead of {expected[i]:R} (within {allowed:E2}).");
        }
    }

    public void Dispose() => _bench.Dispose();
}
