using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Testing.Operations;

/// <summary>Image stores, and transfers between host and device.</summary>
internal static class DataCases
{
    private static readonly int[] Batches = [1, 5, 16, 17, 33];

    public static IEnumerable<OperationCase> Cases()
    {
        foreach (FeatureShape shape in (FeatureShape[])[new(1, 28, 28), new(3, 32, 32), new(3, 5, 7)])
        {
            foreach (int batch in Batches)
                yield return Gather(shape, batch);
        }
        yield return GatherEveryShift();
        foreach (FeatureShape shape in (FeatureShape[])[new(1), new(10), new(3, 5, 7)])
        {
            foreach (int batch in Batches)
                yield return CopyTensor(shape, batch);
        }
        foreach (int length in (int[])[1, 15, 17, 1000])
            yield return CopyAndFill(length);
    }

    private static OperationCase Gather(FeatureShape shape, int batch) =>
        new($"GatherImages {shape} batch {batch}", bench =>
        {
            const int Count = 11;
            int[] words = bench.Random.Integers(4 * batch, 1 << 20);
            var requests = new ImageRequest[batch];
            for (int i = 0; i < batch; i++)
            {
                requests[i] = new ImageRequest(
                    words[4 * i] % Count, (sbyte)(words[4 * i + 1] % 9 - 4), (sbyte)(words[4 * i + 2] % 9 - 4),
                    words[4 * i + 3] % 2 == 1);
            }
            Execute(bench, shape, Count, requests);
        });

    /// <summary>Every shift past both edges, with and without a flip, of images that hold every 8-bit value.</summary>
    private static OperationCase GatherEveryShift() =>
        new("GatherImages every shift", bench =>
        {
            var requests = new List<ImageRequest>();
            for (sbyte shift = -6; shift <= 6; shift++)
            {
                requests.Add(new ImageRequest(0, shift, 0, false));
                requests.Add(new ImageRequest(1, 0, shift, true));
                requests.Add(new ImageRequest(2, shift, (sbyte)-shift, true));
            }
            Execute(bench, new FeatureShape(4, 5, 4), 4, [.. requests]);
        });

    private static void Execute(OperationBench bench, FeatureShape shape, int count, ImageRequest[] requests)
    {
        int[] values = bench.Random.Integers(count * shape.Length, 256);
        byte[] pixels = Array.ConvertAll(values, value => (byte)value);
        for (int i = 0; i < Math.Min(256, pixels.Length); i++)
            pixels[i] = (byte)i;
        Tensor destination = bench.Destination("destination", requests.Length, shape, Match.Exact, images: true);
        bench.Execute(backend =>
        {
            ImageStore store = bench.Own(backend.CreateImageStore(pixels, shape));
            backend.GatherImages(store, requests, destination);
        });
    }

    private static OperationCase CopyTensor(FeatureShape shape, int batch) =>
        new($"Copy tensor {shape} batch {batch}", bench =>
        {
            Tensor source = bench.Operand("source", batch, shape);
            Tensor destination = bench.Destination("destination", batch, shape, Match.SameBits);
            bench.Execute(backend => backend.Copy(source, destination));
        });

    private static OperationCase CopyAndFill(int length) =>
        new($"Copy and Fill {length} values", bench =>
        {
            BufferSlice source = bench.Operand("source", bench.Random.Normal(length));
            BufferSlice copied = bench.Destination("copied", length, Match.SameBits);
            BufferSlice filled = bench.Destination("filled", length, Match.SameBits);
            bench.Execute(backend =>
            {
                backend.Copy(source, copied);
                backend.Fill(filled, 0.1f);
            });
        });
}
