using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cuda.Bindings;

namespace BoostingTicket.Engine.Cuda;

/// <summary>Work that is replayed as a CUDA graph. The first run calls it, which chooses algorithms and grows scratch memory; the second
/// records it; from then on one launch runs all of it. When memory moved, it starts again. What the libraries cannot record is called
/// every time.</summary>
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
        nint graph = 0;
        try
        {
            graph = Capture();
            _executable = context.Driver.Instantiate(graph);
        }
        catch (CudaException failure)
        {
            _cannotBeRecorded = true;
            context.RecordingFailure ??= failure;
            return false;
        }
        finally
        {
            if (graph != 0)
                context.Driver.DestroyGraph(graph);
        }
        _recordedWith = context.MemoryVersion;
        context.Recordings.Add(this);
        return true;
    }

    private nint Capture()
    {
        context.Driver.BeginCapture(context.Stream);
        context.IsRecording = true;
        try
        {
            work();
        }
        catch
        {
            // A stream that stays in capture can do nothing else. What ended the work also made the capture invalid, and is what to tell.
            context.IsRecording = false;
            Abandon();
            throw;
        }
        context.IsRecording = false;
        return context.Driver.EndCapture(context.Stream);
    }

    private void Abandon()
    {
        try
        {
            nint graph = context.Driver.EndCapture(context.Stream);
            if (graph != 0)
                context.Driver.DestroyGraph(graph);
        }
        catch (CudaException)
        {
        }
    }

    private void Forget()
    {
        if (_executable == 0)
            return;
        context.EnterThread();
        // A graph that still runs must not be destroyed under it.
        context.Synchronize();
        context.Driver.DestroyExecutable(_executable);
        _executable = 0;
    }
}
