using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cuda.Bindings;

namespace BoostingTicket.Engine.Cuda;

/// <summary>Work that is replayed as a CUDA graph. The first run calls it, which chooses algorithms and grows scratch memory; the
/// second records it; from then on one launch runs all of it. When memory moved, it starts again. What the libraries cannot
/// record is called every time.</summary>
internal sealed class CudaWork(CudaContext context, Action work) : RepeatedWork
{
    private long _calledWith = -1;
    private nint _executable;
    private long _recordedWith = -1;
    private bool _cannotBeRecorded;

    public override void Run()
    {
        context.EnterThread();
        if (context.IsRepeating)
        {
            // Part of larger work that is recorded, or about to be, as a whole.
            work();
            return;
        }
        if (_executable != 0 && _recordedWith == context.MemoryVersion)
        {
            context.Driver.LaunchGraph(_executable, context.Stream);
            return;
        }
        Forget();
        context.IsRepeating = true;
        try
        {
            if (_cannotBeRecorded || _calledWith != context.MemoryVersion || !TryRecord())
                work();
        }
        finally
        {
            context.IsRepeating = false;
        }
        if (_executable != 0)
            context.Driver.LaunchGraph(_executable, context.Stream);
        _calledWith = context.MemoryVersion;
    }

    public override void Dispose()
    {
        Forget();
        context.Recordings.Remove(this);
    }

    // Nothing of a recording has run when it fails, so that the work can be called instead.
    private bool TryRecord()
    {
        try
        {
            _executable = CudaCapture.Record(context, work);
        }
        catch (CudaException failure)
        {
            _cannotBeRecorded = true;
            context.RecordingFailure ??= failure;
            context.Choices.Report(
                $"Steps cannot be recorded as a CUDA graph and are called one by one, which is slower: {failure.Message}");
            return false;
        }
        _recordedWith = context.MemoryVersion;
        context.Recordings.Add(this);
        return true;
    }

    private void Forget()
    {
        if (_executable == 0 || context.IsAbandoned)
            return;
        context.EnterThread();
        // A graph that still runs must not be destroyed under it.
        context.Synchronize();
        context.Driver.DestroyExecutable(_executable);
        _executable = 0;
    }
}
