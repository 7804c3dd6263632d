using BoostingTicket.Engine.Backends;

namespace BoostingTicket.Engine.Cuda;

/// <summary>Work that is replayed as a CUDA graph. The first run calls it, which chooses algorithms and grows scratch memory; the second
/// records it; from then on one launch runs all of it. When memory moved, it begins anew.</summary>
internal sealed class CudaWork(CudaContext context, Action work) : RepeatedWork
{
    private long _calledWith = -1;
    private nint _executable;
    private long _recordedWith = -1;

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
            if (_calledWith == context.MemoryVersion)
                Record();
            else
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

    private void Record()
    {
        nint graph;
        context.Driver.BeginCapture(context.Stream);
        context.IsRecording = true;
        try
        {
            work();
        }
        finally
        {
            // Also after a failure: a stream that stays in capture can do nothing else.
            context.IsRecording = false;
            graph = context.Driver.EndCapture(context.Stream);
        }
        _executable = context.Driver.Instantiate(graph);
        context.Driver.DestroyGraph(graph);
        _recordedWith = context.MemoryVersion;
        context.Recordings.Add(this);
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
