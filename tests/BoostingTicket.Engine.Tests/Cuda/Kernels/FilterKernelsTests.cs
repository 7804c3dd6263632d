using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cuda;
using BoostingTicket.Engine.Cuda.Bindings;
using BoostingTicket.Engine.Cuda.Kernels;
using BoostingTicket.Engine.Testing;

namespace BoostingTicket.Engine.Tests.Cuda.Kernels;

/// <summary>Against loops over logical indices, to the bit.</summary>
internal sealed class FilterKernelsTests
{
    /// <summary>One tile and several, cut along channels and along positions.</summary>
    private static readonly ConvolutionShape[] Shapes =
    [
        new(new(3, 8, 8), 10, 3, 3, 1, 1),
        new(new(17, 6, 6), 9, 3, 3, 2, 1),
        new(new(1, 9, 9), 6, 5, 5, 1, 0),
        new(new(64, 4, 4), 10, 1, 1, 1, 0),
        new(new(250, 3, 3), 3, 3, 3, 1, 1),
        new(new(2100, 1, 1), 2, 1, 1, 1, 0),
        ConvolutionShape.Linear(new(64, 7, 7), 3),
        ConvolutionShape.Linear(new(3, 28, 28), 2),
        ConvolutionShape.Linear(new(10), 10),
    ];

    [Test]
    public void Prepares_padded_scaled_filters(
        [ValueSource(nameof(Shapes))] ConvolutionShape shape,
        [Values(ElementType.Float32, ElementType.BFloat16)] object elementType, [Values] bool scaled)
    {
        var type = (ElementType)elementType;
        var random = new SeededValues($"prepare {shape}");
        float[] weight = random.Normal(shape.WeightCount), scale = random.Normal(shape.OutputChannels);
        using var bench = new KernelBench();
        DevicePointer packed = bench.Reserve(FilterKernels.PackedBytes(shape, type));
        uint blocks = 0;
        FilterWork work = FilterKernels.Describe(
            shape, type, new FilterWork
            {
                Weight = bench.Upload(weight, 1),
                Scale = scaled ? bench.Upload(scale, 3) : DevicePointer.Null,
                Packed = packed,
            },
            ref blocks);
        new FilterKernels(bench.Library).Prepare(type, bench.Upload<FilterWork>([work]), 1, blocks);
        float[] expected = new float[PackedLength(shape, type)];
        for (int i = 0; i < weight.Length; i++)
            expected[Place(shape, type, i)] = KernelBench.Rounded(type, weight[i] * (scaled ? scale[Filter(shape, i)] : 1));
        Assert.That(Read(bench, packed, type, expected.Length), Is.EqualTo(expected));
    }

    [Test]
    public void Prepares_many_filters_in_one_launch(
        [Values(ElementType.Float32, ElementType.BFloat16)] object elementType, [Values(1, 2, 3, 9)] int count)
    {
        var type = (ElementType)elementType;
        using var bench = new KernelBench();
        var works = new List<FilterWork>();
        var expected = new List<(DevicePointer Place, float[] Values)>();
        uint blocks = 0;
        foreach (ConvolutionShape shape in Shapes.Take(count))
        {
            var random = new SeededValues($"prepare with others {shape}");
            float[] weight = random.Normal(shape.WeightCount), shift = random.Normal(shape.OutputChannels);
            DevicePointer packed = bench.Reserve(FilterKernels.PackedBytes(shape, type));
            DevicePointer packedShift = bench.Reserve(shape.OutputChannels * 4);
            var memory = new FilterWork
            {
                Weight = bench.Upload(weight, 1),
                Packed = packed,
                Shift = bench.Upload(shift, 1),
                PackedShift = packedShift,
            };
            works.Add(FilterKernels.Describe(shape, type, memory, ref blocks));
            float[] values = new float[PackedLength(shape, type)];
            for (int i = 0; i < weight.Length; i++)
                values[Place(shape, type, i)] = KernelBench.Rounded(type, weight[i]);
            expected.Add((packed, values));
            expected.Add((packedShift, Array.ConvertAll(shift, value => KernelBench.Rounded(type, value))));
        }
        new FilterKernels(bench.Library).Prepare(type, bench.Upload<FilterWork>([.. works]), works.Count, blocks);
        using (Assert.EnterMultipleScope())
        {
            foreach ((DevicePointer place, float[] values) in expected)
                Assert.That(Read(bench, place, type, values.Length), Is.EqualTo(values));
        }
    }

    [Test]
    public void Exports_gradients_without_padding(
        [ValueSource(nameof(Shapes))] ConvolutionShape shape,
        [Values(ElementType.Float32, ElementType.BFloat16)] object elementType)
    {
        var type = (ElementType)elementType;
        // Whatever the convolution left in the padding must not come out.
        float[] packed = new SeededValues($"export {shape}").Normal(PackedLength(shape, type));
        using var bench = new KernelBench();
        DevicePointer from = type == ElementType.Float32
            ? bench.Upload(packed)
            : bench.Upload(Array.ConvertAll(packed, BFloat16Values.Nearest));
        DevicePointer gradient = bench.Reserve((shape.WeightCount + 3) * sizeof(float)) + 3 * sizeof(float);
        new FilterKernels(bench.Library).ExportGradient(shape, type, from, gradient);
        float[] expected = new float[shape.WeightCount];
        for (int i = 0; i < expected.Length; i++)
            expected[i] = KernelBench.Rounded(type, packed[Place(shape, type, i)]);
        Assert.That(bench.Read<float>(gradient, expected.Length), Is.EqualTo(expected));
    }

    private static int Filter(ConvolutionShape shape, int index) =>
        index / (shape.Input.Channels * shape.KernelHeight * shape.KernelWidth);

    private static int PackedLength(ConvolutionShape shape, ElementType type) =>
        (int)FilterKernels.PackedBytes(shape, type) / (type == ElementType.Float32 ? 4 : 2);

    private static int Place(ConvolutionShape shape, ElementType type, int index)
    {
        int taps = shape.KernelHeight * shape.KernelWidth, tap = index % taps, channel = index / taps % shape.Input.Channels;
        return (Filter(shape, index) * taps + tap) * TensorView.Pad(shape.Input.Channels, type) + channel;
    }

    private static float[] Read(KernelBench bench, DevicePointer packed, ElementType type, int length) =>
        type == ElementType.Float32
            ? bench.Read<float>(packed, length)
            : Array.ConvertAll(bench.Read<ushort>(packed, length), BFloat16Values.Value);
}
