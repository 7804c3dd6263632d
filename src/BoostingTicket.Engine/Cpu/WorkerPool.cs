using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;

namespace BoostingTicket.Engine.Cpu;

/// <summary>A loop body for <see cref="WorkerPool.Run{TJob}"/>. Every item writes its own outputs and does its own
/// reductions in a fixed order, so results do not depend on which thread took it.</summary>
internal interface IParallelJob
{
    /// <summary>Does one item.</summary>
    /// <param name="item">0 … items - 1; each is done exactly once.</param>
    /// <param name="worker">The running thread's number, for scratch memory.</param>
    void Run(int item, int worker);
}

/// <summary>A fixed set of threads, the caller's among them, that run loops without allocating. Workers spin briefly for
/// the next loop and then sleep.</summary>
internal sealed unsafe class WorkerPool : IDisposable
{
    private const int SpinsBeforeSleep = 2000;
    private const int SpinsBeforeYield = 8;

    private readonly Thread[] _threads;
    private readonly object _gate = new();
    private PaddedCounter _next;
    private PaddedCounter _pending;
    private PaddedCounter _sleepers;
    private PaddedCounter _generation;
    private void* _job;
    private delegate*<void*, int, int, void> _invoke;
    private int _items;
    private volatile bool _stopping;
    private ExceptionDispatchInfo? _failure;

    /// <summary>Starts <paramref name="threads"/> - 1 threads beside the caller's.</summary>
    public WorkerPool(int threads)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(threads);
        _threads = new Thread[threads - 1];
        for (int worker = 1; worker < threads; worker++)
        {
            int number = worker;
            var thread = new Thread(() => Work(number)) { IsBackground = true, Name = $"boosting-ticket worker {number}" };
            _threads[worker - 1] = thread;
            thread.Start();
        }
    }

    /// <summary>Threads, the caller's included.</summary>
    public int Threads => _threads.Length + 1;

    /// <summary>Runs the job's items on all threads and returns when all are done. The job must be a local of the caller: the
    /// other threads work on it in place.</summary>
    public void Run<TJob>(ref TJob job, int items)
        where TJob : struct, IParallelJob
    {
        ObjectDisposedException.ThrowIf(_stopping, this);
        if (_threads.Length == 0 || items <= 1)
        {
            for (int item = 0; item < items; item++)
                job.Run(item, 0);
            return;
        }
        _job = Unsafe.AsPointer(ref job);
        _invoke = &Invoke<TJob>;
        _items = items;
        _next.Value = 0;
        _pending.Value = _threads.Length;
        Interlocked.Increment(ref _generation.Value);
        if (Volatile.Read(ref _sleepers.Value) > 0)
        {
            lock (_gate)
                Monitor.PulseAll(_gate);
        }
        Drain(0);
        var spinner = new SpinWait();
        while (Volatile.Read(ref _pending.Value) != 0)
        {
            if (spinner.Count < SpinsBeforeSleep)
                spinner.SpinOnce(sleep1Threshold: -1);
            else
                Thread.Yield();
        }
        ExceptionDispatchInfo? failure = _failure;
        if (failure is not null)
        {
            _failure = null;
            failure.Throw();
        }
    }

    /// <summary>Ends the threads.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            if (_stopping)
                return;
            _stopping = true;
            Monitor.PulseAll(_gate);
        }
        foreach (Thread thread in _threads)
            thread.Join();
    }

    private static void Invoke<TJob>(void* job, int item, int worker)
        where TJob : struct, IParallelJob => Unsafe.AsRef<TJob>(job).Run(item, worker);

    private void Work(int worker)
    {
        int seen = 0;
        while (true)
        {
            if (!WaitForGeneration(seen))
                return;
            seen++;
            Drain(worker);
            Interlocked.Decrement(ref _pending.Value);
        }
    }

    // A worker takes part in every loop, so generations advance one at a time from its point of view.
    private bool WaitForGeneration(int seen)
    {
        for (int spin = 0; spin < SpinsBeforeSleep; spin++)
        {
            if (Volatile.Read(ref _generation.Value) != seen)
                return true;
            if (_stopping)
                return false;

            // Where threads outnumber free processors, the caller may be waiting for this one's.
            if (spin % SpinsBeforeYield == SpinsBeforeYield - 1)
                Thread.Yield();
            else
                Thread.SpinWait(8);
        }
        // A sleeper announces itself before it looks at the generation, and the caller raises the generation before it looks
        // for sleepers, so one of the two always sees the other. A pulse wakes every sleeper: with a permit for each, a fast
        // worker that sleeps again could take a slow one's and leave it asleep through its loop.
        Interlocked.Increment(ref _sleepers.Value);
        try
        {
            lock (_gate)
            {
                while (Volatile.Read(ref _generation.Value) == seen)
                {
                    if (_stopping)
                        return false;
                    Monitor.Wait(_gate);
                }
            }
        }
        finally
        {
            Interlocked.Decrement(ref _sleepers.Value);
        }
        return true;
    }

    private void Drain(int worker)
    {
        void* job = _job;
        int items = _items;
        try
        {
            while (true)
            {
                int item = Interlocked.Increment(ref _next.Value) - 1;
                if (item >= items)
                    return;
                _invoke(job, item, worker);
            }
        }
        catch (Exception exception)
        {
            Interlocked.CompareExchange(ref _failure, ExceptionDispatchInfo.Capture(exception), null);
        }
    }

    /// <summary>A counter on cache lines of its own.</summary>
    [System.Runtime.InteropServices.StructLayout(System.Runtime.InteropServices.LayoutKind.Explicit, Size = 192)]
    private struct PaddedCounter
    {
        [System.Runtime.InteropServices.FieldOffset(64)]
        public int Value;
    }
}
