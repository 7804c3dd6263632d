using System.Diagnostics;
using BoostingTicket.Engine.Cuda.Bindings;

namespace BoostingTicket.SoftwareCuda;

internal sealed unsafe partial class SoftwareCudaDevice
{
    private const int CaptureUnsupported = 900;
    private const int CaptureInvalidated = 901;

    private readonly Dictionary<nint, StreamState> _streams = [];
    private readonly Dictionary<nint, EventState> _events = [];
    private readonly Dictionary<nint, List<Action>> _graphs = [];
    private readonly Dictionary<nint, List<Action>> _executables = [];

    private sealed class EventState
    {
        public long Time { get; set; }

        public bool IsRecorded { get; set; }

        public bool IsCaptured { get; set; }

        public bool WasAsked { get; set; }

        public StreamState? Stream { get; set; }
    }

    /// <inheritdoc/>
    public nint CreateStream()
    {
        lock (_lock)
        {
            Require("cuStreamCreate");
            nint handle = NewHandle();
            _streams[handle] = new StreamState();
            return handle;
        }
    }

    /// <inheritdoc/>
    public void DestroyStream(nint stream)
    {
        lock (_lock)
        {
            Require("cuStreamDestroy");
            StreamState state = Known(_streams, stream, "cuStreamDestroy", "stream");
            if (state.Capture is not null)
                throw new SoftwareCudaException("cuStreamDestroy: the stream is being captured.");
            state.Complete();
            _streams.Remove(stream);
        }
    }

    /// <inheritdoc/>
    public void Synchronize(nint stream)
    {
        lock (_lock)
        {
            Require("cuStreamSynchronize");
            StreamState state = Known(_streams, stream, "cuStreamSynchronize", "stream");
            if (state.Capture is not null)
                throw Unsupported(state, "cuStreamSynchronize");
            state.Complete();
        }
    }

    /// <inheritdoc/>
    public nint CreateEvent()
    {
        lock (_lock)
        {
            Require("cuEventCreate");
            nint handle = NewHandle();
            _events[handle] = new EventState();
            return handle;
        }
    }

    /// <inheritdoc/>
    public void DestroyEvent(nint @event)
    {
        lock (_lock)
        {
            Require("cuEventDestroy");
            Known(_events, @event, "cuEventDestroy", "event");
            _events.Remove(@event);
        }
    }

    /// <inheritdoc/>
    public void Record(nint @event, nint stream)
    {
        lock (_lock)
        {
            StreamState state = Enter(stream, "cuEventRecord");
            EventState recorded = Known(_events, @event, "cuEventRecord", "event");
            recorded.IsCaptured = state.Capture is not null;
            recorded.IsRecorded = true;
            recorded.WasAsked = false;
            recorded.Stream = state;
            recorded.Time = Stopwatch.GetTimestamp();
        }
    }

    /// <inheritdoc/>
    public void SynchronizeEvent(nint @event)
    {
        lock (_lock)
        {
            Require("cuEventSynchronize");
            EventState recorded = Known(_events, @event, "cuEventSynchronize", "event");
            if (recorded.IsCaptured)
                throw Captured("cuEventSynchronize");
            recorded.Stream?.Complete();
        }
    }

    /// <inheritdoc/>
    public bool IsReached(nint @event)
    {
        lock (_lock)
        {
            Require("cuEventQuery");
            EventState recorded = Known(_events, @event, "cuEventQuery", "event");
            if (recorded.IsCaptured)
                throw Captured("cuEventQuery");
            // A GPU is seldom done when it is asked first.
            bool first = !recorded.WasAsked;
            recorded.WasAsked = true;
            if (first || _options.IsStuck?.Invoke() == true)
                return false;
            recorded.Stream?.Complete();
            return true;
        }
    }

    /// <inheritdoc/>
    public float Milliseconds(nint start, nint end)
    {
        lock (_lock)
        {
            Require("cuEventElapsedTime");
            EventState first = Known(_events, start, "cuEventElapsedTime", "event");
            EventState second = Known(_events, end, "cuEventElapsedTime", "event");
            if (first.IsCaptured || second.IsCaptured)
                throw Captured("cuEventElapsedTime");
            if (!first.IsRecorded || !second.IsRecorded)
            {
                throw new CudaException(
                    CudaLibrary.Driver, 400, "cuEventElapsedTime: CUDA_ERROR_INVALID_HANDLE (400), an event was not recorded.");
            }
            if (_options.Milliseconds is { } said)
                return said();
            return (float)((second.Time - first.Time) * 1000.0 / Stopwatch.Frequency);
        }
    }

    /// <inheritdoc/>
    public void BeginCapture(nint stream)
    {
        lock (_lock)
        {
            Require("cuStreamBeginCapture");
            StreamState state = Known(_streams, stream, "cuStreamBeginCapture", "stream");
            if (state.Capture is not null)
                throw Invalid("cuStreamBeginCapture", "it is being captured");
            state.Capture = [];
            state.CaptureThread = Environment.CurrentManagedThreadId;
            state.IsInvalidated = _options.RefusesRecording;
        }
    }

    /// <inheritdoc/>
    public nint EndCapture(nint stream)
    {
        lock (_lock)
        {
            Require("cuStreamEndCapture");
            StreamState state = Known(_streams, stream, "cuStreamEndCapture", "stream");
            List<Action> nodes = state.Capture ?? throw Invalid("cuStreamEndCapture", "nothing is captured");
            if (state.CaptureThread != Environment.CurrentManagedThreadId)
            {
                throw new CudaException(
                    CudaLibrary.Driver, 908,
                    "cuStreamEndCapture: CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD (908), another thread began.");
            }
            state.Capture = null;
            if (state.IsInvalidated)
            {
                throw new CudaException(
                    CudaLibrary.Driver, CaptureInvalidated,
                    "cuStreamEndCapture: CUDA_ERROR_STREAM_CAPTURE_INVALIDATED (901), a forbidden call broke the capture.");
            }
            nint handle = NewHandle();
            _graphs[handle] = nodes;
            return handle;
        }
    }

    /// <inheritdoc/>
    public void DestroyGraph(nint graph)
    {
        lock (_lock)
        {
            Require("cuGraphDestroy");
            Known(_graphs, graph, "cuGraphDestroy", "graph");
            _graphs.Remove(graph);
        }
    }

    /// <inheritdoc/>
    public nint Instantiate(nint graph)
    {
        lock (_lock)
        {
            Require("cuGraphInstantiate");
            List<Action> nodes = Known(_graphs, graph, "cuGraphInstantiate", "graph");
            nint handle = NewHandle();
            _executables[handle] = [.. nodes];
            return handle;
        }
    }

    /// <inheritdoc/>
    public void LaunchGraph(nint executable, nint stream)
    {
        lock (_lock)
        {
            StreamState state = Enter(stream, "cuGraphLaunch");
            List<Action> nodes = Known(_executables, executable, "cuGraphLaunch", "executable graph");
            GraphLaunches++;
            Submit(state, () =>
            {
                foreach (Action node in nodes)
                    node();
            });
        }
    }

    /// <summary>Launches of graphs.</summary>
    public long GraphLaunches { get; private set; }

    /// <inheritdoc/>
    public void DestroyExecutable(nint executable)
    {
        lock (_lock)
        {
            Require("cuGraphExecDestroy");
            Known(_executables, executable, "cuGraphExecDestroy", "executable graph");
            _executables.Remove(executable);
        }
    }

    /// <inheritdoc/>
    public void Submit(nint stream, string name, Action work)
    {
        lock (_lock)
        {
            StreamState state = Enter(stream, name);
            Submit(state, () =>
            {
                Coverage.AddCall(name);
                work();
            });
        }
    }

    private void Submit(StreamState state, Action work)
    {
        if (state.Capture is not null)
        {
            state.Capture.Add(work);
            return;
        }
        bool done = false;
        try
        {
            work();
            done = true;
        }
        finally
        {
            _failed |= !done;
        }
    }

    // The stream of a call that submits work.
    private StreamState Enter(nint stream, string call)
    {
        Require(call);
        StreamState state = Known(_streams, stream, call, "stream");
        if (state.Capture is not null && state.CaptureThread != Environment.CurrentManagedThreadId)
            throw new SoftwareCudaException($"{call}: another thread captures the stream.");
        return state;
    }

    // A thread that captures must not allocate, free or load: in thread-local mode such calls break the capture.
    private void RefuseInCapture(string call)
    {
        foreach (StreamState state in _streams.Values)
        {
            if (state.Capture is not null && state.CaptureThread == Environment.CurrentManagedThreadId)
                throw Unsupported(state, call);
        }
    }

    private static CudaException Unsupported(StreamState state, string call)
    {
        state.IsInvalidated = true;
        return new CudaException(
            CudaLibrary.Driver, CaptureUnsupported,
            $"{call}: CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED (900), the call is not permitted while a stream is captured.");
    }

    private static CudaException Invalid(string call, string why) =>
        new(CudaLibrary.Driver, 1, $"{call}: CUDA_ERROR_INVALID_VALUE (1), {why}.");

    private static CudaException Captured(string call) => new(
        CudaLibrary.Driver, 907, $"{call}: CUDA_ERROR_CAPTURED_EVENT (907), the event was recorded in a capture.");
}
