using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Testing;

/// <summary>The backend that the others are measured against: every operation as plain loops over NCHW doubles, on one
/// thread, with every clause of the contract checked.</summary>
/// <remarks>Buffers are kept in double precision too, so finite differences of whole networks can be run on it. What it
/// refuses, with a <see cref="ContractException"/> that names the operation: wrong shapes; aliases that the contract does not
/// allow; tensors that were not placed; reading a tensor that nobody wrote since it was placed, or whose memory another
/// tensor has overwritten since; filters that were not prepared, are out of date or were made for other uses; backward passes
/// whose saved operands are not those of the forward pass. Pixels that attacks and data loading produce are computed in
/// float32 as the contract spells them, so they can be compared exactly.</remarks>
internal partial class ReferenceBackend : IBackend
{
    private int _tensors;

    /// <inheritdoc/>
    public DeviceInfo Device { get; } = new("reference", "naive double-precision loops, 1 thread");

    /// <inheritdoc/>
    public Precision Precision => Precision.Float32;

    /// <inheritdoc/>
    public int Alignment => 64;

    /// <inheritdoc/>
    public Tensor DescribeTensor(int batch, FeatureShape shape) =>
        new ReferenceTensor(batch, shape, ++_tensors, Accesses);

    /// <inheritdoc/>
    public Arena CreateArena(long bytes) => new ReferenceArena(bytes);

    /// <inheritdoc/>
    public void Place(Tensor tensor, Arena arena, long offset)
    {
        if (arena is not ReferenceArena { Memory: not null } reference)
            throw new ContractException("Place: the arena is disposed or belongs to another backend.");
        if (offset < 0 || offset % Alignment != 0 || offset + tensor.Bytes > arena.Bytes)
        {
            throw new ContractException(
                $"Place: {tensor} of {tensor.Bytes} bytes does not fit at offset {offset} of an arena of {arena.Bytes} bytes "
                + $"with alignment {Alignment}.");
        }
        ReferenceTensor.Of(tensor, nameof(Place), "tensor").Place(reference, offset);
    }

    /// <inheritdoc/>
    public FloatBuffer CreateFloats(int length) => new ReferenceFloats(length);

    /// <inheritdoc/>
    public IntBuffer CreateInts(int length) => new ReferenceInts(length);

    /// <inheritdoc/>
    public void Upload(ReadOnlySpan<float> source, Tensor destination)
    {
        var scope = new OperationScope(nameof(Upload));
        double[] result = scope.Write(destination, nameof(destination), destination.Batch, destination.Shape);
        RequireCount(scope, source.Length, result.Length);
        Widen(source, result);
        scope.Commit();
    }

    /// <inheritdoc/>
    public void Download(Tensor source, Span<float> destination)
    {
        var scope = new OperationScope(nameof(Download));
        ReadOnlySpan<double> values = scope.Read(source, nameof(source));
        RequireCount(scope, destination.Length, values.Length);
        Narrow(values, destination);
    }

    /// <inheritdoc/>
    public void Upload(ReadOnlySpan<float> source, BufferSlice destination)
    {
        var scope = new OperationScope(nameof(Upload));
        Widen(source, scope.Write(destination, nameof(destination), source.Length));
        scope.Commit();
    }

    /// <inheritdoc/>
    public void Download(BufferSlice source, Span<float> destination) =>
        Narrow(new OperationScope(nameof(Download)).Read(source, nameof(source), destination.Length), destination);

    /// <inheritdoc/>
    public void Upload(ReadOnlySpan<int> source, IntBuffer destination)
    {
        int[] values = ReferenceInts.Values(destination, nameof(Upload), nameof(destination));
        if (source.Length > values.Length)
            throw new ContractException($"Upload: {source.Length} values do not fit into a buffer of {values.Length}.");
        source.CopyTo(values);
    }

    /// <inheritdoc/>
    public void Copy(Tensor source, Tensor destination)
    {
        var scope = new OperationScope(nameof(Copy));
        ReadOnlySpan<double> values = scope.Read(source, nameof(source));
        values.CopyTo(scope.Write(destination, nameof(destination), source.Batch, source.Shape));
        scope.Commit();
    }

    /// <inheritdoc/>
    public void Copy(BufferSlice source, BufferSlice destination)
    {
        var scope = new OperationScope(nameof(Copy));
        ReadOnlySpan<double> values = scope.Read(source, nameof(source), source.Length);
        values.CopyTo(scope.Write(destination, nameof(destination), source.Length));
        scope.Commit();
    }

    /// <inheritdoc/>
    public void Fill(BufferSlice destination, float value)
    {
        var scope = new OperationScope(nameof(Fill));
        Array.Fill(scope.Write(destination, nameof(destination), destination.Length), value);
        scope.Commit();
    }

    /// <inheritdoc/>
    public void Synchronize() { }

    /// <summary>The tensors that operations read and wrote, while recording is on.</summary>
    public TensorAccesses Accesses { get; } = new();

    /// <summary>Makes a tensor one that nobody wrote, so that reading it is refused from here on.</summary>
    public void Forget(Tensor tensor) => ReferenceTensor.Of(tensor, nameof(Forget), nameof(tensor)).Forget();

    /// <summary>A tensor's values in double precision, NCHW.</summary>
    public double[] Values(Tensor tensor) => new OperationScope(nameof(Values)).Read(tensor, nameof(tensor)).ToArray();

    /// <summary>A slice's values in double precision.</summary>
    public double[] Values(BufferSlice slice) =>
        new OperationScope(nameof(Values)).Read(slice, nameof(slice), slice.Length).ToArray();

    /// <summary>Writes a tensor in double precision, NCHW.</summary>
    public void SetValues(Tensor tensor, ReadOnlySpan<double> values)
    {
        var scope = new OperationScope(nameof(SetValues));
        double[] result = scope.Write(tensor, nameof(tensor), tensor.Batch, tensor.Shape);
        RequireCount(scope, values.Length, result.Length);
        values.CopyTo(result);
        scope.Commit();
    }

    /// <summary>Writes a slice in double precision.</summary>
    public void SetValues(BufferSlice slice, ReadOnlySpan<double> values)
    {
        var scope = new OperationScope(nameof(SetValues));
        values.CopyTo(scope.Write(slice, nameof(slice), values.Length));
        scope.Commit();
    }

    /// <inheritdoc/>
    public void Dispose() => GC.SuppressFinalize(this);

    private static void RequireCount(OperationScope scope, int given, int needed) =>
        scope.Require(given == needed, $"{given} values were given where {needed} are needed.");

    private static void Widen(ReadOnlySpan<float> source, Span<double> destination)
    {
        for (int i = 0; i < source.Length; i++)
            destination[i] = source[i];
    }

    private static void Narrow(ReadOnlySpan<double> source, Span<float> destination)
    {
        for (int i = 0; i < source.Length; i++)
            destination[i] = (float)source[i];
    }
}
