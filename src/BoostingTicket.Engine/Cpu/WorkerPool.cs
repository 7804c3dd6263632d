using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;

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

/// <summary>A fixed set of threads, the caller's among them, that run loops without allocating. Threads that wait spin briefly
/// and then sleep. A loop ends when its items are done, whether or not every thread came to take part: where other programs keep
/// a thread from running, the rest do its share.</summary>
internal sealed unsafe class WorkerPool : IDisposable
{
    // A loop's number, whether threads may still join it, and how many that joined are at work.
    private const int NumberShift = 32;
    private const long Open = 1L << 31;
    private const long Joined = Open - 1;

    private readonly Thread[] _threads;
    private readonly object _gate = new();
    private readonly object _end = new();
    private PaddedCounter _next;
    private PaddedState _state;
    private PaddedCounter _sleepers;
    private PaddedCounter _callerSleeps;
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
        Interlocked.Exchange(ref _state.Value, ((long)(NumberOf(_state.Value) + 1) << NumberShift) | Open);
        if (Volatile.Read(ref _sleepers.Value) > 0)
        {
            lock (_gate)
                Monitor.PulseAll(_gate);
        }
        Drain(0);
        if ((Interlocked.And(ref _state.Value, ~Open) & Joined) != 0)
            WaitForJoined();
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
        while (WaitForLoop(seen))
        {
            long state = Volatile.Read(ref _state.Value);
            if (!IsNew(state, seen) || Interlocked.CompareExchange(ref _state.Value, state + 1, state) != state)
                continue;
            seen = NumberOf(state);
            Drain(worker);
            // As with workers below: who leaves last is counted out before it looks for a sleeping caller, and the caller says
            // that it sleeps before it looks at the count.
            if ((Interlocked.Decrement(ref _state.Value) & (Open | Joined)) == 0 && Volatile.Read(ref _callerSleeps.Value) != 0)
            {
                lock (_end)
                    Monitor.Pulse(_end);
            }
        }
    }

    private static int NumberOf(long state) => (int)(state >> NumberShift);

    // Whether a loop can be joined that the thread has not joined yet.
    private static bool IsNew(long state, int seen) => (state & Open) != 0 && NumberOf(state) != seen;

    // False where the pool ends.
    private bool WaitForLoop(int seen)
    {
        var spin = new BriefSpin();
        do
        {
            if (IsNew(Volatile.Read(ref _state.Value), seen))
                return true;
            if (_stopping)
                return false;
        }
        while (spin.Again());

        // A sleeper announces itself before it looks at the state, and the caller opens a loop before it looks for sleepers, so
        // one of the two always sees the other. A pulse wakes every sleeper: with a permit for each, a fast worker that sleeps
        // again could take a slow one's.
        Interlocked.Increment(ref _sleepers.Value);
        try
        {
            lock (_gate)
            {
                while (!IsNew(Volatile.Read(ref _state.Value), seen))
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

    private void WaitForJoined()
    {
        var spin = new BriefSpin();
        do
        {
            if ((Volatile.Read(ref _state.Value) & Joined) == 0)
                return;
        }
        while (spin.Again());
        Interlocked.Increment(ref _callerSleeps.Value);
        lock (_end)
        {
            while ((Volatile.Read(ref _state.Value) & Joined) != 0)
                Monitor.Wait(_end);
        }
        Interlocked.Decrement(ref _callerSleeps.Value);
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
    [StructLayout(LayoutKind.Explicit, Size = 192)]
    private struct PaddedCounter
    {
        [FieldOffset(64)]
        public int Value;
    }

    /// <summary>A state on cache lines of its own.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 192)]
    private struct PaddedState
    {
        [FieldOffset(64)]
        public long Value;
    }
}
