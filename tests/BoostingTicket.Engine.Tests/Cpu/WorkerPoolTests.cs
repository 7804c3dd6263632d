using BoostingTicket.Engine.Cpu;

namespace BoostingTicket.Engine.Tests.Cpu;

[TestFixture]
internal sealed unsafe class WorkerPoolTests
{
    [Test]
    public void Every_item_is_done_once_by_a_worker_of_the_pool([Values(1, 2, 3, 4, 9)] int threads)
    {
        using var pool = new WorkerPool(threads);
        int* counts = stackalloc int[100];
        for (int items = 0; items <= 100; items++)
        {
            new Span<int>(counts, 100).Clear();
            var job = new CountJob { Counts = counts, Threads = threads };
            pool.Run(ref job, items);
            for (int item = 0; item < 100; item++)
                Assert.That(counts[item], Is.EqualTo(item < items ? 1 : 0));
        }
        Assert.That(pool.Threads, Is.EqualTo(threads));
    }

    [Test]
    public void Sleeping_workers_wake_for_every_loop()
    {
        Task stress = Task.Factory.StartNew(
            Stress, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        Assert.That(stress.Wait(TimeSpan.FromSeconds(60)), "A worker slept through a loop.");
    }

    [Test]
    public void A_loop_does_not_wait_for_threads_that_others_keep_from_running()
    {
        using var stop = new CancellationTokenSource();
        Thread[] others =
            [.. Enumerable.Range(0, 2 * Environment.ProcessorCount).Select(_ => new Thread(() => Burn(stop.Token)))];
        foreach (Thread other in others)
            other.Start();
        try
        {
            Task loops = Task.Factory.StartNew(
                ManyLoops, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
            // It takes less than a second. Where each loop waits for every thread, it takes more than a minute.
            Assert.That(loops.Wait(TimeSpan.FromSeconds(40)), "A loop waits for threads that do not run.");
        }
        finally
        {
            stop.Cancel();
            foreach (Thread other in others)
                other.Join();
        }
    }

    [Test]
    public void A_failure_reaches_the_caller_and_the_pool_goes_on([Values(1, 2, 4)] int threads, [Values(0, 7, 19)] int item)
    {
        using var pool = new WorkerPool(threads);
        int* counts = stackalloc int[20];
        for (int repetition = 0; repetition < 20; repetition++)
        {
            var bad = new FailingJob { Item = item };
            Assert.That(() => RunFailing(pool, ref bad), Throws.InvalidOperationException.With.Message.EqualTo($"item {item}"));
            new Span<int>(counts, 20).Clear();
            var good = new CountJob { Counts = counts, Threads = threads };
            pool.Run(ref good, 20);
            Assert.That(new Span<int>(counts, 20).ToArray(), Is.All.EqualTo(1));
        }
    }

    [Test]
    public void A_disposed_pool_refuses_work_and_is_disposed_twice([Values(1, 3)] int threads)
    {
        var pool = new WorkerPool(threads);
        pool.Dispose();
        pool.Dispose();
        var job = new FailingJob { Item = -1 };
        Assert.That(() => RunFailing(pool, ref job), Throws.InstanceOf<ObjectDisposedException>());
    }

    [Test]
    public void A_pool_without_threads_is_refused() =>
        Assert.That(() => new WorkerPool(0), Throws.InstanceOf<ArgumentOutOfRangeException>());

    // More threads than processors, and pauses around the time after which workers fall asleep: the loops meet workers that
    // spin, that are about to sleep, that sleep, and that have not run since the last loop.
    private static void Stress()
    {
        using var pool = new WorkerPool(Environment.ProcessorCount + 3);
        int* counts = stackalloc int[64];
        var random = new Random(5);
        for (int loop = 0; loop < 1500; loop++)
        {
            new Span<int>(counts, 64).Clear();
            var job = new CountJob { Counts = counts, Threads = pool.Threads };
            pool.Run(ref job, 64);
            if (new Span<int>(counts, 64).ContainsAnyExcept(1))
                throw new InvalidOperationException($"Loop {loop} left an item out or did one twice.");
            if (loop % 50 == 0)
                Thread.Sleep(2);
            else
                Thread.SpinWait(random.Next(20_000));
        }
    }

    private static void Burn(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
            Thread.SpinWait(1000);
    }

    private static void ManyLoops()
    {
        using var pool = new WorkerPool(2 * Environment.ProcessorCount);
        int* counts = stackalloc int[8];
        for (int loop = 0; loop < 20_000; loop++)
        {
            new Span<int>(counts, 8).Clear();
            var job = new CountJob { Counts = counts, Threads = pool.Threads };
            pool.Run(ref job, 8);
        }
    }

    private static void RunFailing(WorkerPool pool, ref FailingJob job) => pool.Run(ref job, 20);

    private struct CountJob : IParallelJob
    {
        public int* Counts;
        public int Threads;

        public readonly void Run(int item, int worker)
        {
            if ((uint)worker < (uint)Threads)
                Interlocked.Increment(ref Counts[item]);
        }
    }

    private struct FailingJob : IParallelJob
    {
        public int Item;

        public readonly void Run(int item, int worker)
        {
            if (item == Item)
                throw new InvalidOperationException($"item {item}");
        }
    }
}
