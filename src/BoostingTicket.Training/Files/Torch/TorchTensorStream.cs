namespace BoostingTicket.Training.Files.Torch;

/// <summary>The tensors of a file of <c>torch.save</c> one behind the other, dense and in the order of their names; each is put
/// together when it is read, so that no more than one and its storage are in memory.</summary>
/// <param name="storages">The tensors; owned.</param>
internal sealed class TorchTensorStream(ITorchStorages storages) : Stream
{
    private readonly (TorchTensor Tensor, long Begin)[] _tensors = [.. Lay(storages.Tensors.Values)];
    private readonly long _length = storages.Tensors.Values.Sum(Bytes);
    private (string Key, byte[] Bytes) _storage = ("", []);
    private (long Begin, byte[] Bytes) _tensor = (-1, []);

    /// <inheritdoc/>
    public override bool CanRead => true;

    /// <inheritdoc/>
    public override bool CanSeek => true;

    /// <inheritdoc/>
    public override bool CanWrite => false;

    /// <inheritdoc/>
    public override long Length => _length;

    /// <inheritdoc/>
    public override long Position { get; set; }

    /// <summary>The tensors as a safetensors file would list them.</summary>
    public static IReadOnlyList<SafetensorsEntry> Describe(IReadOnlyDictionary<string, TorchTensor> tensors)
    {
        long begin = 0;
        var entries = new List<SafetensorsEntry>();
        foreach ((string name, TorchTensor tensor) in tensors)
        {
            long end = begin + Bytes(tensor);
            entries.Add(new SafetensorsEntry(name, tensor.Type, tensor.Shape, begin, end));
            begin = end;
        }

        return entries;
    }

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    /// <inheritdoc/>
    public override int Read(Span<byte> buffer)
    {
        if (buffer.Length == 0 || Position >= Length)
            return 0;
        // The last tensor that begins here or earlier; empty ones begin where the next does.
        int low = 0, high = _tensors.Length - 1;
        while (low < high)
        {
            int middle = (low + high + 1) / 2;
            if (_tensors[middle].Begin <= Position)
                low = middle;
            else
                high = middle - 1;
        }

        (TorchTensor tensor, long begin) = _tensors[low];
        ReadOnlySpan<byte> bytes = Dense(tensor, begin);
        int count = (int)Math.Min(buffer.Length, bytes.Length - (Position - begin));
        bytes.Slice((int)(Position - begin), count).CopyTo(buffer);
        Position += count;
        return count;
    }

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => Position = origin switch
    {
        SeekOrigin.Begin => offset,
        SeekOrigin.Current => Position + offset,
        _ => Length + offset,
    };

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void Flush()
    {
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
            storages.Dispose();
        base.Dispose(disposing);
    }

    private ReadOnlySpan<byte> Dense(TorchTensor tensor, long begin)
    {
        if (_tensor.Begin == begin)
            return _tensor.Bytes;
        try
        {
            if (_storage.Key != tensor.Storage.Key)
                _storage = (tensor.Storage.Key, storages.Read(tensor.Storage));
            // Two tensors may say different things of one storage.
            if (_storage.Bytes.Length < tensor.Storage.Begin + tensor.Storage.Bytes)
                throw new TorchFormatException($"the storage '{tensor.Storage.Key}' is cut");
            byte[] dense = new byte[Bytes(tensor)];
            tensor.CopyTo(_storage.Bytes.AsSpan((int)tensor.Storage.Begin, (int)tensor.Storage.Bytes), dense);
            _tensor = (begin, dense);
            return dense;
        }
        catch (Exception error) when (error is TorchFormatException or InvalidDataException)
        {
            throw new IOException(error.Message, error);
        }
    }

    private static long Bytes(TorchTensor tensor) => tensor.Length * tensor.Type.Size();

    private static IEnumerable<(TorchTensor Tensor, long Begin)> Lay(IEnumerable<TorchTensor> tensors)
    {
        long begin = 0;
        foreach (TorchTensor tensor in tensors)
        {
            // Nothing is ever read of an empty one.
            if (tensor.Length > 0)
                yield return (tensor, begin);
            begin += Bytes(tensor);
        }
    }
}
