using BoostingTicket.Engine.Cuda.Bindings;
using BoostingTicket.SoftwareCuda;
using BoostingTicket.SoftwareCuda.Libraries;

namespace BoostingTicket.Engine.Tests.Cuda.Software.Libraries;

/// <summary>The least device that libraries can run on: one array as memory, in which it is known what was written, and streams
/// that may be captured.</summary>
internal sealed class ArrayDevice : ISoftwareDevice
{
    public const nint Stream = 77;

    private const ulong Base = 0x10000;
    private const int Capacity = 1 << 24;
    private const int Alignment = 256;

    private readonly byte[] _memory = new byte[Capacity];
    private readonly bool[] _written = new bool[Capacity];
    private readonly List<Action> _captured = [];
    private int _used;

    public List<string> Calls { get; } = [];

    public bool IsCapturing { get; set; }

    public void Submit(nint stream, string name, Action work)
    {
        Assert.That(stream, Is.EqualTo(Stream), "the stream that was set");
        Calls.Add(name);
        if (IsCapturing)
            _captured.Add(work);
        else
            work();
    }

    public ReadOnlySpan<byte> Read(DevicePointer pointer, long bytes, string reader)
    {
        int first = Offset(pointer, bytes, reader);
        if (_written.AsSpan(first, (int)bytes).Contains(false))
            throw new InvalidOperationException($"{reader}: nobody wrote that");
        return _memory.AsSpan(first, (int)bytes);
    }

    public Span<byte> Write(DevicePointer pointer, long bytes, string writer)
    {
        int first = Offset(pointer, bytes, writer);
        _written.AsSpan(first, (int)bytes).Fill(true);
        return _memory.AsSpan(first, (int)bytes);
    }

    /// <summary>What was captured, once more.</summary>
    public void Replay()
    {
        foreach (Action work in _captured)
            work();
    }

    public DevicePointer Allocate(long bytes)
    {
        int first = (_used + Alignment - 1) / Alignment * Alignment;
        _used = first + (int)bytes;
        Assert.That(_used, Is.LessThanOrEqualTo(Capacity));
        return new DevicePointer(Base + (ulong)first);
    }

    /// <summary>Memory that holds values as float32 or bfloat16.</summary>
    public DevicePointer Upload(double[] values, bool isBFloat16 = false)
    {
        long bytes = (long)values.Length * (isBFloat16 ? 2 : 4);
        DevicePointer pointer = Allocate(bytes);
        DeviceNumbers.Store(values, isBFloat16, Write(pointer, bytes, "upload"));
        return pointer;
    }

    public double[] Download(DevicePointer pointer, int length, bool isBFloat16 = false)
    {
        double[] values = new double[length];
        DeviceNumbers.Load(Read(pointer, (long)length * (isBFloat16 ? 2 : 4), "download"), isBFloat16, values);
        return values;
    }

    private int Offset(DevicePointer pointer, long bytes, string user)
    {
        long first = (long)(pointer.Address - Base);
        if (first < 0 || first + bytes > _used)
            throw new InvalidOperationException($"{user}: outside");
        return (int)first;
    }
}
