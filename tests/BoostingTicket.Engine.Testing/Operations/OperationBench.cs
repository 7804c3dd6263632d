using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Testing.Operations;

/// <summary>Where a case of the operation table lays out its operands on a backend. Every tensor stands in one arena between
/// guard tensors; every slice stands off the start of its buffer between guard values. Memory starts as NaN. Running the
/// operation fails the case when a guard or an operand that must not change did change.</summary>
internal sealed class OperationBench : IDisposable
{
    /// <summary>Guard values on either side of a slice. Odd, so that slices start off any vector's alignment.</summary>
    private const int GuardBefore = 5;
    private const int GuardAfter = 19;

    /// <summary>Samples and channels of a guard tensor: whole blocks in any layout.</summary>
    private const int GuardSide = 16;

    private readonly string _case;
    private readonly IBackend _backend;
    private readonly Precision _precision;
    private readonly Workspace _workspace;
    private readonly List<PlacedTensor> _tensors = [];
    private readonly List<GuardedSlice> _slices = [];
    private readonly List<Output> _outputs = [];

    private sealed record PlacedTensor(string Name, Tensor Tensor, float[]? Initial, bool IsOutput, Match Match);

    private sealed record GuardedSlice(
        string Name, BufferSlice Slice, float[] Before, bool IsOutput, Match Match, bool[]? MayBeZero);

    internal OperationBench(string caseName, IBackend backend, Precision precision)
    {
        _case = caseName;
        _backend = backend;
        _precision = precision;
        _workspace = new Workspace(backend);
        Random = new SeededValues(caseName);
    }

    /// <summary>Values that depend on the case's name alone.</summary>
    public SeededValues Random { get; }

    /// <summary>What the case computed.</summary>
    public IReadOnlyList<Output> Outputs => _outputs;

    /// <summary>A tensor that the operation reads and must not change; standard normal values by default.</summary>
    /// <param name="name">What messages call it.</param>
    /// <param name="batch">Samples.</param>
    /// <param name="shape">Shape of a sample.</param>
    /// <param name="values">NCHW values, rounded to what the tensor can hold.</param>
    /// <param name="images">Whether it is float32 in every precision.</param>
    public Tensor Operand(string name, int batch, FeatureShape shape, float[]? values = null, bool images = false) =>
        Add(name, batch, shape, values ?? Random.Normal(batch * shape.Length), isOutput: false, default, images);

    /// <summary>A tensor that the operation overwrites; holds NaN before.</summary>
    public Tensor Destination(
        string name, int batch, FeatureShape shape, Match match = Match.Close, bool images = false) =>
        Add(name, batch, shape, null, isOutput: true, match, images);

    /// <summary>A tensor that the operation reads and overwrites; standard normal values by default.</summary>
    public Tensor Updated(
        string name, int batch, FeatureShape shape, float[]? values = null, Match match = Match.Close,
        bool images = false) =>
        Add(name, batch, shape, values ?? Random.Normal(batch * shape.Length), isOutput: true, match, images);

    /// <summary>A slice that the operation reads and must not change.</summary>
    public BufferSlice Operand(string name, float[] values) => Add(name, values, GuardBefore, isOutput: false, default, null);

    /// <summary>A slice that the operation overwrites; holds NaN before.</summary>
    public BufferSlice Destination(string name, int length, Match match = Match.Close, bool[]? mayBeZero = null) =>
        Add(name, Repeat(float.NaN, length), GuardBefore, isOutput: true, match, mayBeZero);

    /// <summary>A slice that the operation reads and overwrites.</summary>
    public BufferSlice Updated(string name, float[] values, Match match = Match.Close) =>
        Add(name, values, GuardBefore, isOutput: true, match, null);

    /// <summary>A buffer, longer than needed, whose first values the operation reads and must not change.</summary>
    public FloatBuffer OperandBuffer(string name, float[] values) =>
        Add(name, values, 0, isOutput: false, default, null).Buffer;

    /// <summary>A buffer, longer than needed, whose first values the operation overwrites.</summary>
    public FloatBuffer DestinationBuffer(string name, int length, Match match = Match.Close) =>
        Add(name, Repeat(float.NaN, length), 0, isOutput: true, match, null).Buffer;

    /// <summary>A buffer, longer than needed, whose first values the operation reads and overwrites.</summary>
    public FloatBuffer UpdatedBuffer(string name, float[] values, Match match = Match.Close) =>
        Add(name, values, 0, isOutput: true, match, null).Buffer;

    /// <summary>Integers; the buffer is longer and holds an invalid value behind them.</summary>
    public IntBuffer Integers(params ReadOnlySpan<int> values) => _workspace.Ints([.. values, int.MinValue, int.MaxValue]);

    /// <summary>A filter that is freed with the bench, not prepared yet. On a backend that rounds attacks more it is one for
    /// attacks, if an attack can use it.</summary>
    public Filter CreateFilter(ConvolutionShape shape, FilterUses uses) => Own(_backend.CreateFilter(
        shape, _backend.RoundsAttacksMore && !uses.HasFlag(FilterUses.BackwardFilter) ? uses | FilterUses.Attack : uses));

    /// <summary>Takes something that is freed with the bench.</summary>
    public T Own<T>(T resource)
        where T : IDisposable => _workspace.Own(resource);

    /// <summary>Adds a number that the operation returned.</summary>
    public void Result(string name, double value, Match match = Match.Close) =>
        _outputs.Add(new Output(name, [value], match, null));

    /// <summary>Places and fills the operands, runs the operation, checks what must not have changed, and collects the
    /// outputs. Call it once, after declaring every operand.</summary>
    public void Execute(Action<IBackend> operation)
    {
        ArgumentNullException.ThrowIfNull(operation);
        List<PlacedTensor> guards = Place();
        operation(_backend);
        _backend.Synchronize();
        foreach (PlacedTensor guard in guards)
            RequireUnchanged(guard.Name, guard.Initial!, Download(guard.Tensor));
        foreach (PlacedTensor tensor in _tensors)
            Collect(tensor);
        foreach (GuardedSlice slice in _slices)
            Collect(slice);
    }

    /// <inheritdoc/>
    public void Dispose() => _workspace.Dispose();

    private Tensor Add(
        string name, int batch, FeatureShape shape, float[]? values, bool isOutput, Match match, bool images)
    {
        Tensor tensor = images ? _backend.DescribeImages(batch, shape) : _backend.DescribeTensor(batch, shape);
        if (values is not null && !images && _precision == Precision.BFloat16)
            values = Array.ConvertAll(values, RoundedToBFloat16);
        _tensors.Add(new PlacedTensor(name, tensor, values, isOutput, match));
        return tensor;
    }

    private BufferSlice Add(string name, float[] values, int before, bool isOutput, Match match, bool[]? mayBeZero)
    {
        float[] all = new float[before + values.Length + GuardAfter];
        for (int i = 0; i < all.Length; i++)
            all[i] = Sentinel(i);
        values.CopyTo(all, before);
        BufferSlice buffer = _workspace.Floats(all);
        var slice = new BufferSlice(buffer.Buffer, before, values.Length);
        _slices.Add(new GuardedSlice(name, slice, all, isOutput, match, mayBeZero));
        return slice;
    }

    /// <summary>Guard, tensor, guard, tensor, …, guard.</summary>
    private List<PlacedTensor> Place()
    {
        var guards = new List<PlacedTensor>();
        var places = new List<(PlacedTensor Tensor, long Offset)>();
        long end = 0;
        foreach (PlacedTensor tensor in _tensors)
        {
            AddGuard($"the guard before {tensor.Name}");
            Append(tensor);
        }
        AddGuard("the guard after the last tensor");

        long unit = RoundUp(guards[0].Tensor.Bytes);
        int units = checked((int)((end + unit - 1) / unit));
        Arena arena = _workspace.Own(_backend.CreateArena(units * unit));
        Tensor everything = _backend.DescribeTensor(GuardSide, new FeatureShape(GuardSide * units));
        _backend.Place(everything, arena, 0);
        _backend.Upload(Repeat(float.NaN, checked((int)everything.Length)), everything);
        foreach ((PlacedTensor tensor, long offset) in places)
            _backend.Place(tensor.Tensor, arena, offset);
        foreach ((PlacedTensor tensor, _) in places)
        {
            if (tensor.Initial is { } values)
                _backend.Upload(values, tensor.Tensor);
        }
        return guards;

        void AddGuard(string name)
        {
            float[] values = new float[GuardSide * GuardSide];
            for (int i = 0; i < values.Length; i++)
                values[i] = Sentinel(i);
            var shape = new FeatureShape(GuardSide);
            var guard = new PlacedTensor(name, _backend.DescribeTensor(GuardSide, shape), values, false, default);
            guards.Add(guard);
            Append(guard);
        }

        void Append(PlacedTensor tensor)
        {
            places.Add((tensor, end));
            end = RoundUp(end + tensor.Tensor.Bytes);
        }
    }

    private void Collect(PlacedTensor tensor)
    {
        if (!tensor.IsOutput)
            RequireUnchanged(tensor.Name, tensor.Initial!, Download(tensor.Tensor));
        else
            _outputs.Add(new Output(tensor.Name, Values(tensor.Tensor), tensor.Match, null));
    }

    private void Collect(GuardedSlice slice)
    {
        float[] after = new float[slice.Before.Length];
        _backend.Download(slice.Slice.Buffer.All, after);
        int start = slice.Slice.Offset, end = start + slice.Slice.Length;
        RequireUnchanged($"the guard before {slice.Name}", slice.Before[..start], after[..start]);
        RequireUnchanged($"the guard after {slice.Name}", slice.Before[end..], after[end..]);
        if (!slice.IsOutput)
            RequireUnchanged(slice.Name, slice.Before[start..end], after[start..end]);
        else
            _outputs.Add(new Output(slice.Name, Values(slice.Slice, after), slice.Match, slice.MayBeZero));
    }

    private void RequireUnchanged(string name, float[] before, float[] after)
    {
        for (int i = 0; i < before.Length; i++)
        {
            if (BitConverter.SingleToInt32Bits(before[i]) != BitConverter.SingleToInt32Bits(after[i]))
            {
                throw new OperationFailedException(
                    $"{_case}: {name} must not change, but value {i} went from {before[i]:R} to {after[i]:R}.");
            }
        }
    }

    private float[] Download(Tensor tensor)
    {
        float[] values = new float[tensor.Length];
        _backend.Download(tensor, values);
        return values;
    }

    private double[] Values(Tensor tensor) =>
        _backend is ReferenceBackend reference
            ? reference.Values(tensor)
            : Array.ConvertAll(Download(tensor), value => (double)value);

    private double[] Values(BufferSlice slice, float[] buffer) =>
        _backend is ReferenceBackend reference
            ? reference.Values(slice)
            : Array.ConvertAll(buffer[slice.Offset..(slice.Offset + slice.Length)], value => (double)value);

    private long RoundUp(long bytes) => (bytes + _backend.Alignment - 1) / _backend.Alignment * _backend.Alignment;

    // Values that every number format holds.
    private static float Sentinel(int index) => -4096 - 32 * (index % 13);

    /// <summary>The nearest bfloat16, to even in the middle.</summary>
    internal static float RoundedToBFloat16(float value)
    {
        if (float.IsNaN(value))
            return value;
        uint bits = BitConverter.SingleToUInt32Bits(value);
        return BitConverter.UInt32BitsToSingle((bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000);
    }

    private static float[] Repeat(float value, int length)
    {
        float[] values = new float[length];
        Array.Fill(values, value);
        return values;
    }
}
