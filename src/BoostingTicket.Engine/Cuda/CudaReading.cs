using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cuda.Bindings;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Cuda;

/// <summary>Results that are copied to page-locked memory in the order of the stream, and events between its work. The device's
/// clock tells the times, so that the host need not wait to take them.</summary>
internal sealed unsafe class CudaReading : Reading
{
    private readonly CudaContext _context;
    private readonly (DevicePointer Source, int Offset, int Length)[] _sources;
    private readonly float* _memory;
    private readonly nint[] _marks;
    private readonly nint _taken;
    private nint _last;

    /// <summary>Allocates the memory.</summary>
    /// <param name="context">The GPU.</param>
    /// <param name="sources">What is read; it must live as long.</param>
    /// <param name="marks">How many marks there are.</param>
    public CudaReading(CudaContext context, IReadOnlyList<BufferSlice> sources, int marks)
    {
        _context = context;
        context.EnterThread();
        _sources = new (DevicePointer, int, int)[sources.Count];
        int length = 0;
        for (int i = 0; i < _sources.Length; i++)
        {
            _sources[i] = (CudaFloats.Of(sources[i]), length, sources[i].Length);
            length += sources[i].Length;
        }
        _memory = (float*)context.Driver.AllocateHost((nuint)Math.Max(length, 1) * sizeof(float));
        _marks = [.. Enumerable.Range(0, marks).Select(_ => context.Driver.CreateEvent())];
        _taken = context.Driver.CreateEvent();
    }

    /// <inheritdoc/>
    public override bool IsImmediate => false;

    /// <inheritdoc/>
    public override void Mark(int mark) => Record(_marks[mark]);

    /// <inheritdoc/>
    public override void Take()
    {
        _context.RequireNotRecording("download");
        _context.EnterThread();
        foreach ((DevicePointer source, int offset, int length) in _sources)
            _context.Driver.CopyToHost(_memory + offset, source, (nuint)length * sizeof(float), _context.Stream);
        Record(_taken);
    }

    /// <inheritdoc/>
    public override void Wait()
    {
        _context.RequireNotRecording("wait for the device");
        if (_last == 0)
            return;
        _context.EnterThread();
        _context.Driver.SynchronizeEvent(_last);
        _last = 0;
    }

    /// <inheritdoc/>
    public override ReadOnlySpan<float> Values(int source) => new(_memory + _sources[source].Offset, _sources[source].Length);

    /// <inheritdoc/>
    public override double Seconds(int from, int to)
    {
        _context.EnterThread();
        return _context.Driver.Milliseconds(_marks[from], _marks[to]) * 1e-3;
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        if (_context.IsAbandoned)
            return;
        _context.EnterThread();
        // The device may still write.
        Wait();
        foreach (nint mark in _marks)
            _context.Driver.DestroyEvent(mark);
        _context.Driver.DestroyEvent(_taken);
        _context.Driver.FreeHost(_memory);
    }

    private void Record(nint @event)
    {
        _context.RequireNotRecording("take the time");
        _context.EnterThread();
        _context.Driver.Record(@event, _context.Stream);
        _last = @event;
    }
}
