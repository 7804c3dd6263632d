using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Testing;

/// <summary>Consecutive doubles of one block of memory.</summary>
/// <param name="Memory">The block; regions of different blocks never overlap.</param>
/// <param name="Start">Index of the first value.</param>
/// <param name="Length">Number of values.</param>
internal readonly record struct Region(double[] Memory, int Start, int Length)
{
    public Span<double> Values => Memory.AsSpan(Start, Length);

    public bool Overlaps(Region other) =>
        ReferenceEquals(Memory, other.Memory) && Start < other.Start + other.Length && other.Start < Start + Length;
}

/// <summary>Whether a tensor's memory holds what the tensor was last written.</summary>
internal enum Contents
{
    /// <summary>Nobody wrote the tensor since it was placed.</summary>
    NeverWritten,

    /// <summary>The tensor holds its values.</summary>
    Valid,

    /// <summary>Another tensor that lies in the same memory was written since.</summary>
    Overwritten,
}

/// <summary>An arena of doubles that starts as NaN and knows which tensors were placed in it, so that writing one can
/// poison all others that share memory with it.</summary>
internal sealed class ReferenceArena : Arena
{
    private readonly List<ReferenceTensor> _placed = [];
    private double[]? _memory;

    public ReferenceArena(long bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        Bytes = bytes;
        _memory = new double[bytes / sizeof(double)];
        Array.Fill(_memory, double.NaN);
    }

    public override long Bytes { get; }

    /// <summary>The memory, or null once disposed.</summary>
    public double[]? Memory => _memory;

    public override void Dispose() => _memory = null;

    public void Add(ReferenceTensor tensor) => _placed.Add(tensor);

    public void Remove(ReferenceTensor tensor) => _placed.Remove(tensor);

    /// <summary>Marks a tensor as written by an operation and everything else in the same memory as lost.</summary>
    public void MarkWritten(ReferenceTensor written, string operation)
    {
        foreach (ReferenceTensor tensor in _placed)
        {
            if (tensor != written && tensor.Contents == Contents.Valid && tensor.SharesMemoryWith(written))
                tensor.Poison(written, operation);
        }
        written.MarkValid();
    }
}

/// <summary>A tensor of doubles in logical NCHW order.</summary>
internal sealed class ReferenceTensor(int batch, FeatureShape shape, int number, TensorAccesses accesses)
    : Tensor(batch, shape)
{
    private ReferenceArena? _arena;
    private int _start;
    private string _cause = "";

    public override long Bytes => Length * sizeof(double);

    public Contents Contents { get; private set; }

    public void Place(ReferenceArena arena, long offset)
    {
        _arena?.Remove(this);
        arena.Add(this);
        _arena = arena;
        _start = checked((int)(offset / sizeof(double)));
        Contents = Contents.NeverWritten;
    }

    public bool SharesMemoryWith(ReferenceTensor other) =>
        _arena == other._arena && _start < other._start + other.Length && other._start < _start + Length;

    public void MarkValid()
    {
        Contents = Contents.Valid;
        accesses.Add(accesses.Written, this);
    }

    public void Forget() => Contents = Contents.NeverWritten;

    public void Poison(ReferenceTensor by, string operation)
    {
        Contents = Contents.Overwritten;
        _cause = $"{operation} wrote tensor {by} into the same memory since";
    }

    /// <summary>The tensor's memory.</summary>
    /// <exception cref="ContractException">It has none.</exception>
    public Region Memory(string operation, string role)
    {
        if (_arena is null)
            throw new ContractException($"{operation}: {role} {this} was used before it was placed.");
        if (_arena.Memory is not { } memory)
            throw new ContractException($"{operation}: {role} {this} was used after its arena was disposed.");
        return new Region(memory, _start, checked((int)Length));
    }

    /// <summary>The tensor's memory, after making sure that it holds the tensor's values.</summary>
    public Region Written(string operation, string role)
    {
        Region region = Memory(operation, role);
        accesses.Add(accesses.Read, this);
        return Contents switch
        {
            Contents.Valid => region,
            Contents.Overwritten => throw new ContractException($"{operation} reads {role} {this}, but {_cause}."),
            _ => throw new ContractException($"{operation} reads {role} {this}, which nobody wrote since it was placed."),
        };
    }

    public void NoteWrite(string operation) => _arena!.MarkWritten(this, operation);

    public override string ToString() => $"#{number} ({base.ToString()})";

    public static ReferenceTensor Of(Tensor tensor, string operation, string role) => tensor as ReferenceTensor
        ?? throw new ContractException($"{operation}: {role} {tensor} is no tensor of the reference backend.");
}

/// <summary>A flat buffer in double precision.</summary>
internal sealed class ReferenceFloats(int length) : FloatBuffer
{
    private double[]? _values = new double[length];

    public override int Length { get; } = length;

    public override void Dispose() => _values = null;

    /// <summary>A slice's memory, after checking that it lies in a living buffer of the reference backend.</summary>
    public static Region Region(BufferSlice slice, string operation, string role)
    {
        if (slice.Buffer is not ReferenceFloats buffer)
            throw new ContractException($"{operation}: {role} is no buffer of the reference backend.");
        if (buffer._values is not { } values)
            throw new ContractException($"{operation}: {role} was used after its buffer was disposed.");
        if (slice.Offset < 0 || slice.Length < 0 || (long)slice.Offset + slice.Length > values.Length)
        {
            throw new ContractException(
                $"{operation}: {role} covers values {slice.Offset} to {(long)slice.Offset + slice.Length} of a buffer "
                + $"of {values.Length}.");
        }
        return new Region(values, slice.Offset, slice.Length);
    }
}

/// <summary>A flat buffer of integers.</summary>
internal sealed class ReferenceInts(int length) : IntBuffer
{
    private int[]? _values = new int[length];

    public override int Length { get; } = length;

    public override void Dispose() => _values = null;

    public static int[] Values(IntBuffer buffer, string operation, string role)
    {
        if (buffer is not ReferenceInts ints)
            throw new ContractException($"{operation}: {role} is no buffer of the reference backend.");
        return ints._values
            ?? throw new ContractException($"{operation}: {role} was used after its buffer was disposed.");
    }
}
