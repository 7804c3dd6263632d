using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cuda;
using BoostingTicket.Engine.Cuda.Bindings;
using BoostingTicket.Engine.Cuda.Kernels;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Engine.Testing;

namespace BoostingTicket.Engine.Tests.Cuda.Kernels;

/// <summary>Against loops, to the bit.</summary>
internal sealed class DataKernelsTests
{
    /// <summary>The kernel reads a request as two words.</summary>
    [Test]
    public void Requests_have_the_layout_that_the_kernel_reads()
    {
        Assert.That(Unsafe.SizeOf<ImageRequest>(), Is.EqualTo(8));
        ImageRequest[] request = [new(0x01020304, -5, 6, true)];
        byte[] bytes = MemoryMarshal.AsBytes(request.AsSpan()).ToArray();
        Assert.That(bytes[..7], Is.EqualTo((byte[])[4, 3, 2, 1, unchecked((byte)-5), 6, 1]));
    }

    [Test]
    public void Every_byte_becomes_the_rounded_quotient()
    {
        byte[] pixels = [.. Enumerable.Range(0, 256).Select(value => (byte)value)];
        float[] values = Gather(new FeatureShape(1, 16, 16), pixels, [new ImageRequest(0, 0, 0, false)]);
        Assert.That(values, Is.EqualTo(pixels.Select(value => value / 255f)));
    }

    [Test]
    public void Gathers_shifted_and_flipped_images(
        [Values("1x28x28", "3x32x32", "3x5x7", "4x5x4", "6x3x3")] string name, [Values(1, 13)] int batch)
    {
        int[] sizes = [.. name.Split('x').Select(int.Parse)];
        var shape = new FeatureShape(sizes[0], sizes[1], sizes[2]);
        var random = new SeededValues($"gather {shape} {batch}");
        byte[] pixels = Array.ConvertAll(random.Integers(5 * shape.Length, 256), value => (byte)value);
        int[] draws = random.Integers(4 * batch, 1 << 20);
        var requests = new ImageRequest[batch];
        for (int i = 0; i < batch; i++)
        {
            requests[i] = new ImageRequest(
                draws[4 * i] % 5, (sbyte)(draws[4 * i + 1] % 15 - 7), (sbyte)(draws[4 * i + 2] % 15 - 7),
                draws[4 * i + 3] % 2 == 1);
        }
        float[] expected = new float[batch * shape.Length];
        for (int i = 0; i < expected.Length; i++)
        {
            ImageRequest request = requests[i / shape.Length];
            int column = i % shape.Width, row = i / shape.Width % shape.Height, channel = i / shape.Pixels % shape.Channels;
            int fromColumn = (request.Flip ? shape.Width - 1 - column : column) - request.ShiftX, fromRow = row - request.ShiftY;
            if (fromColumn >= 0 && fromColumn < shape.Width && fromRow >= 0 && fromRow < shape.Height)
            {
                int at = ((request.Index * shape.Channels + channel) * shape.Height + fromRow) * shape.Width + fromColumn;
                expected[i] = pixels[at] / 255f;
            }
        }
        Assert.That(Gather(shape, pixels, requests), Is.EqualTo(expected));
    }

    [Test]
    public void Imports_and_exports_every_shape(
        [Values(ElementType.Float32, ElementType.BFloat16)] object elementType,
        [Values("1x1x1", "10x1x1", "700x1x1", "3x5x7", "17x2x3", "64x4x4")] string name, [Values(1, 5)] int batch)
    {
        var type = (ElementType)elementType;
        int[] sizes = [.. name.Split('x').Select(int.Parse)];
        var shape = new FeatureShape(sizes[0], sizes[1], sizes[2]);
        float[] values = new SeededValues($"transfer {shape} {batch}").Normal(batch * shape.Length);
        float[] rounded = Array.ConvertAll(values, value => KernelBench.Rounded(type, value));
        using var bench = new KernelBench();
        var kernels = new DataKernels(bench.Library);
        TensorView tensor = bench.Reserve(type, batch, shape);
        DevicePointer exported = bench.Reserve(values.Length * sizeof(float));
        kernels.Import(bench.Upload(values), tensor);
        kernels.Export(tensor, exported);
        Assert.That(bench.Read(tensor), Is.EqualTo(rounded));
        Assert.That(bench.Read<float>(exported, values.Length), Is.EqualTo(rounded));
    }

    private static float[] Gather(FeatureShape shape, byte[] pixels, ImageRequest[] requests)
    {
        using var bench = new KernelBench();
        TensorView destination = bench.Reserve(ElementType.Float32, requests.Length, shape);
        new DataKernels(bench.Library).Gather(bench.Upload(pixels), bench.Upload(requests), destination);
        return bench.Read(destination);
    }
}
