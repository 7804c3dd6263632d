using BoostingTicket.Engine.Backends;
using BoostingTicket.Training.Data;

namespace BoostingTicket.Training.Tests.Data;

internal class EpochOrderTests
{
    private static readonly int[] Samples = [.. Enumerable.Range(0, 500).Select(i => 3 * i)];

    [Test]
    public void An_epoch_has_every_sample_once_in_a_new_order()
    {
        var order = new EpochOrder(Samples, 64, Augmentation.None, seed: 1);
        int[] first = Indices(Epoch(order, 0)), second = Indices(Epoch(order, 1));
        Assert.That(first.Order(), Is.EqualTo(Samples));
        Assert.That(second.Order(), Is.EqualTo(Samples));
        Assert.That(first, Is.Not.EqualTo(Samples).And.Not.EqualTo(second));
        Assert.That(Indices(Epoch(new EpochOrder(Samples, 64, Augmentation.None, seed: 2), 0)), Is.Not.EqualTo(first));
    }

    [Test]
    public void Any_batch_of_any_epoch_can_be_drawn_without_those_before_it()
    {
        ImageRequest[][] epochs = [.. Enumerable.Range(0, 4).Select(epoch => Epoch(
            new EpochOrder(Samples, 64, Augmentation.Crop4Flip, 5), epoch))];
        var jumping = new EpochOrder(Samples, 64, Augmentation.Crop4Flip, 5);
        var requests = new ImageRequest[64];
        foreach ((int epoch, int batch) in new[] { (3, 7), (0, 2), (3, 0), (1, 5) })
        {
            jumping.Epoch = epoch;
            int length = jumping.Fill(batch, requests);
            Assert.That(requests[..length], Is.EqualTo(epochs[epoch].Skip(64 * batch).Take(64)), $"epoch {epoch}, batch {batch}");
        }
    }

    [Test]
    public void The_batch_size_changes_neither_order_nor_augmentation() => Assert.That(
        Epoch(new EpochOrder(Samples, 7, Augmentation.Crop4Flip, 1), 2),
        Is.EqualTo(Epoch(new EpochOrder(Samples, 128, Augmentation.Crop4Flip, 1), 2)));

    [Test]
    public void Augmentation_depends_on_the_sample_and_the_epoch_alone()
    {
        var whole = Epoch(new EpochOrder(Samples, 64, Augmentation.Crop4Flip, 1), 2).ToDictionary(request => request.Index);
        ImageRequest[] half = Epoch(new EpochOrder(Samples.AsSpan(250), 64, Augmentation.Crop4Flip, 1), 2);
        Assert.That(half, Is.All.Matches<ImageRequest>(request => whole[request.Index] == request));
        ImageRequest[] later = Epoch(new EpochOrder(Samples, 64, Augmentation.Crop4Flip, 1), 3);
        Assert.That(later.Count(request => whole[request.Index] == request), Is.LessThan(25), "1 of 162 should agree by chance");
    }

    [Test]
    public void Shifts_and_flips_are_uniform()
    {
        var order = new EpochOrder(Samples, 500, Augmentation.Crop4Flip, 3);
        ImageRequest[] drawn = [.. Enumerable.Range(0, 40).SelectMany(epoch => Epoch(order, epoch))];
        int[] cells = new int[81];
        foreach (ImageRequest request in drawn)
            cells[9 * (request.ShiftY + 4) + request.ShiftX + 4]++;
        // 20,000 draws over 81 cells: 247 with a standard deviation of 15.6.
        Assert.That(cells, Is.All.InRange(247 - 80, 247 + 80));
        Assert.That(drawn.Count(request => request.Flip), Is.InRange(10_000 - 350, 10_000 + 350));
    }

    [Test]
    public void Policies_do_what_they_say()
    {
        ImageRequest[] none = Epoch(new EpochOrder(Samples, 64, Augmentation.None, 1), 0);
        Assert.That(none, Is.All.Matches<ImageRequest>(request => request is { ShiftX: 0, ShiftY: 0, Flip: false }));
        ImageRequest[] crop = Epoch(new EpochOrder(Samples, 64, Augmentation.Crop4, 1), 0);
        ImageRequest[] flip = Epoch(new EpochOrder(Samples, 64, Augmentation.Crop4Flip, 1), 0);
        Assert.That(crop, Is.All.Matches<ImageRequest>(request => !request.Flip));
        Assert.That(crop, Is.EqualTo(flip.Select(request => request with { Flip = false })));
    }

    [Test]
    public void Nothing_is_allocated_once_created()
    {
        var order = new EpochOrder(Samples, 64, Augmentation.Crop4Flip, 1);
        var requests = new ImageRequest[64];
        Run();
        long before = GC.GetAllocatedBytesForCurrentThread();
        Run();
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);

        void Run()
        {
            for (int epoch = 0; epoch < 3; epoch++)
            {
                order.Epoch = epoch;
                for (int batch = 0; batch < order.Plan.BatchCount; batch++)
                    order.Fill(batch, requests);
            }
        }
    }

    /// <summary>From an independent implementation of the definition: a checkpoint of one platform or version resumes on
    /// another.</summary>
    [Test]
    public void The_order_of_a_seed_never_changes()
    {
        var order = new EpochOrder(Samples, 4, Augmentation.Crop4Flip, 42) { Epoch = 3 };
        var requests = new ImageRequest[4];
        order.Fill(0, requests);
        Assert.That(
            string.Join(" ", requests.Select(request => $"{request.Index}:{request.ShiftX},{request.ShiftY},{request.Flip}")),
            Is.EqualTo("1455:0,0,False 978:1,-1,True 1236:1,2,False 1119:3,0,False"));
    }

    [TestCase(45_000, 128, 352, 72)]
    [TestCase(128, 128, 1, 128)]
    [TestCase(1, 128, 1, 1)]
    [TestCase(int.MaxValue, 2, 1 << 30, 1)]
    public void The_last_batch_takes_what_is_left(int count, int size, int batches, int last)
    {
        var plan = new BatchPlan(count, size);
        Assert.That(plan.BatchCount, Is.EqualTo(batches));
        Assert.That(plan.Batch(batches - 1), Is.EqualTo((count - last, last)));
        Assert.That(() => plan.Batch(batches), Throws.TypeOf<ArgumentOutOfRangeException>());
    }

    private static ImageRequest[] Epoch(EpochOrder order, int epoch)
    {
        order.Epoch = epoch;
        var all = new List<ImageRequest>();
        var requests = new ImageRequest[order.Plan.BatchSize];
        for (int batch = 0; batch < order.Plan.BatchCount; batch++)
        {
            int length = order.Fill(batch, requests);
            all.AddRange(requests[..length]);
        }

        return [.. all];
    }

    private static int[] Indices(ImageRequest[] requests) => [.. requests.Select(request => request.Index)];
}
