using BoostingTicket.Engine.Cuda;
using BoostingTicket.Engine.Cuda.Bindings;
using BoostingTicket.Engine.Cuda.Kernels;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Tests.Cuda.Kernels;

internal sealed class ChannelGridTests
{
    private static readonly int[] Channels = [1, 3, 4, 5, 10, 16, 17, 64, 80, 160, 320, 500, 512, 640];

    [Test]
    public void Every_vector_of_every_pixel_has_one_owner(
        [Values] ElementType type, [ValueSource(nameof(Channels))] int channels, [Values(1, 2, 33, 2048, 131072)] int pixels)
    {
        var tensor = new TensorView(DevicePointer.Null, type, pixels, new FeatureShape(channels));
        foreach ((ChannelGrid grid, int largest) in new[] { (ChannelGrid.ForSums(tensor), 512), (
            ChannelGrid.ForResults(tensor), 2048) })
        {
            int lanes = 1 << grid.LaneBits;
            Assert.Multiple(() =>
            {
                Assert.That(grid.Vectors * tensor.VectorLength, Is.EqualTo(tensor.PhysicalChannels));
                Assert.That(grid.Groups * lanes, Is.GreaterThanOrEqualTo(grid.Vectors), "lanes");
                Assert.That((grid.Groups - 1) * lanes, Is.LessThan(grid.Vectors), "no group without a vector");
                Assert.That((long)grid.Chunks * grid.PixelsPerChunk, Is.GreaterThanOrEqualTo(pixels), "pixels");
                Assert.That((long)(grid.Chunks - 1) * grid.PixelsPerChunk, Is.LessThan(pixels), "no chunk without a pixel");
                Assert.That(grid.PixelsPerChunk % (256 / lanes), Is.Zero, "chunks of whole rows");
                Assert.That(grid.Groups * grid.Chunks, Is.LessThanOrEqualTo(largest), "blocks");
            });
        }
    }

    /// <summary>The shapes that matter most, of ResNet-18 with batch 128, must fill 132 multiprocessors.</summary>
    [TestCase(ElementType.Float32, 64, 32)]
    [TestCase(ElementType.Float32, 512, 4)]
    [TestCase(ElementType.BFloat16, 64, 32)]
    public void Layers_of_ResNet_fill_a_large_GPU(ElementType type, int channels, int side)
    {
        var tensor = new TensorView(DevicePointer.Null, type, 128, new FeatureShape(channels, side, side));
        var grid = ChannelGrid.ForSums(tensor);
        Assert.That(grid.Groups * grid.Chunks, Is.InRange(132, 512));
    }

    [Test]
    public void Padding_lanes_are_few()
    {
        var tensor = new TensorView(DevicePointer.Null, ElementType.Float32, 128, new FeatureShape(160, 32, 32));
        var grid = ChannelGrid.ForSums(tensor);
        Assert.That(grid.Groups << grid.LaneBits, Is.EqualTo(40), "160 channels are 40 vectors, five groups of eight");
    }

    [Test]
    public void Too_many_pixels_are_refused()
    {
        var tensor = new TensorView(DevicePointer.Null, ElementType.Float32, 1 << 20, new FeatureShape(3, 64, 64));
        Assert.That(() => ChannelGrid.ForSums(tensor), Throws.ArgumentException.With.Message.Contains("smaller batch"));
    }
}
