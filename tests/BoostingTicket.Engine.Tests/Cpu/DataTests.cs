using System.Numerics;
using System.Runtime.Intrinsics;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cpu;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Tests.Cpu;

[TestFixture(typeof(Avx512Lanes), typeof(Vector512<float>))]
[TestFixture(typeof(Avx2Lanes), typeof(Vector256<float>))]
[TestFixture(typeof(PortableLanes), typeof(Vector<float>))]
internal sealed class DataTests<TLanes, TVector> : CpuFixture<TLanes, TVector>
    where TLanes : struct, ILanes<TVector>
    where TVector : struct
{
    private const int Count = 50;
    private static readonly FeatureShape Shape = new(3, 5, 7);

    [Test]
    public void Images_are_shifted_then_flipped([ValueSource(nameof(Batches))] int batch)
    {
        byte[] pixels = Pixels(Shape);
        using ImageStore store = Backend.CreateImageStore(pixels, Shape);
        ImageRequest[] requests = Requests(batch);
        CpuTensor images = Empty(batch, Shape);
        Backend.GatherImages(store, requests, images);

        float[] expected = new float[batch * Shape.Length];
        for (int i = 0; i < expected.Length; i++)
        {
            ImageRequest request = requests[i / Shape.Length];
            int c = i / Shape.Pixels % 3, row = i / Shape.Width % Shape.Height, column = i % Shape.Width;
            int x = (request.Flip ? Shape.Width - 1 - column : column) - request.ShiftX, y = row - request.ShiftY;
            bool inside = x >= 0 && x < Shape.Width && y >= 0 && y < Shape.Height;
            expected[i] = inside ? pixels[((request.Index * 3 + c) * Shape.Height + y) * Shape.Width + x] / 255f : 0;
        }
        Assert.That(Read(images), Is.EqualTo(expected), "to the bit");
        AssertUnusedLanesAreZero(images);
    }

    [Test]
    public void Wrong_requests_and_stores_are_refused()
    {
        using ImageStore store = Backend.CreateImageStore(Pixels(Shape), Shape);
        CpuTensor images = Empty(2, Shape);
        Assert.Multiple(() =>
        {
            Assert.That(store.Count, Is.EqualTo(Count));
            Assert.That(
                () => Backend.GatherImages(store, new ImageRequest[3], images),
                Throws.ArgumentException.With.Message.Contains("3 requests").And.Message.Contains("2x3x5x7"));
            Assert.That(
                () => Backend.GatherImages(store, [default, new(Count, 0, 0, false)], images),
                Throws.ArgumentException.With.Message.Contains("no image 50 in a store of 50"));
            Assert.That(
                () => Backend.GatherImages(store, [default, new(-1, 0, 0, false)], images),
                Throws.ArgumentException.With.Message.Contains("no image -1"));
            Assert.That(
                () => Backend.GatherImages(store, new ImageRequest[2], Empty(2, new FeatureShape(3, 7, 5))),
                Throws.ArgumentException.With.Message.Contains("3x5x7").And.Message.Contains("2x3x7x5"));
            Assert.That(
                () => Backend.CreateImageStore(new byte[106], Shape),
                Throws.ArgumentException.With.Message.Contains("106 pixels").And.Message.Contains("3x5x7"));
        });
    }

    [Test]
    public void A_disposed_store_is_refused()
    {
        ImageStore store = Backend.CreateImageStore(Pixels(Shape), Shape);
        store.Dispose();
        Assert.That(
            () => Backend.GatherImages(store, new ImageRequest[1], Empty(1, Shape)),
            Throws.InstanceOf<ObjectDisposedException>());
    }

    [Test]
    public void Results_do_not_depend_on_threads_and_nothing_is_allocated()
    {
        FeatureShape shape = new(3, 32, 32);
        using ImageStore store = Backend.CreateImageStore(Pixels(shape), shape);
        ImageRequest[] requests = Requests(37);
        CpuTensor images = Empty(37, shape);
        AssertSameForAnyThreads(backend =>
        {
            backend.GatherImages(store, requests, images);
            return [Read(images)];
        });
        AssertAllocatesNothing(() => Backend.GatherImages(store, requests, images));
    }

    private static byte[] Pixels(FeatureShape shape)
    {
        byte[] pixels = new byte[Count * shape.Length];
        new Random(3).NextBytes(pixels);
        return pixels;
    }

    /// <summary>No shift, small shifts, and shifts past the image's edge.</summary>
    private static ImageRequest[] Requests(int batch)
    {
        var random = new Random(4);
        ImageRequest[] requests = new ImageRequest[batch];
        for (int n = 1; n < batch; n++)
        {
            int bound = n % 4 == 0 ? 127 : 4;
            requests[n] = new ImageRequest(
                random.Next(Count), (sbyte)random.Next(-bound, bound + 1), (sbyte)random.Next(-bound, bound + 1), n % 2 == 1);
        }
        return requests;
    }
}
