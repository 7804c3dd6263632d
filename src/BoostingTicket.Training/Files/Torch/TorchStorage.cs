namespace BoostingTicket.Training.Files.Torch;

/// <summary>A block of memory that a file of <c>torch.save</c> keeps, which tensors are views of.</summary>
/// <param name="Key">Its name in the file.</param>
/// <param name="Type">Its elements; <see cref="SafetensorsType.Unknown"/> where only the tensor says.</param>
/// <param name="Bytes">Its length in bytes.</param>
/// <param name="Begin">Where it begins in the block of that name, in bytes: older files keep parts of storages.</param>
internal sealed record TorchStorage(string Key, SafetensorsType Type, long Bytes, long Begin = 0);

/// <summary>A tensor of such a file: a strided view of a storage.</summary>
/// <param name="Storage">The storage.</param>
/// <param name="Type">The elements.</param>
/// <param name="Offset">The first element.</param>
/// <param name="Shape">The sizes, outermost first.</param>
/// <param name="Strides">Elements from one index to the next, for each size.</param>
internal sealed record TorchTensor(TorchStorage Storage, SafetensorsType Type, long Offset, long[] Shape, long[] Strides)
{
    /// <summary>Number of elements.</summary>
    public long Length => Shape.Aggregate(1L, (product, size) => product * size);

    /// <summary>Checks that the view lies within its storage.</summary>
    /// <exception cref="TorchFormatException">It does not, or cannot be counted.</exception>
    public TorchTensor Checked()
    {
        if (Shape.Length != Strides.Length || Shape.Length > 16 || Offset < 0 || Shape.Any(size => size < 0)
            || Strides.Any(stride => stride < 0))
            throw new TorchFormatException("a tensor has impossible sizes or strides");
        try
        {
            checked
            {
                long length = 1, last = Offset;
                for (int i = 0; i < Shape.Length; i++)
                {
                    length *= Shape[i];
                    last += Math.Max(Shape[i] - 1, 0) * Strides[i];
                }

                long elements = Storage.Bytes / Type.Size();
                // Repeated elements are no views that a network keeps, and would make much of little.
                if (length > 0 && (last >= elements || length > elements))
                    throw new TorchFormatException("a tensor goes past the end of its storage");
            }
        }
        catch (OverflowException error)
        {
            throw new TorchFormatException("a tensor has impossible sizes or strides", error);
        }

        return this;
    }

    /// <summary>Copies the elements in the order of the shape, outermost first.</summary>
    /// <param name="storage">Bytes of the storage.</param>
    /// <param name="destination">Receives them; <see cref="Length"/> elements.</param>
    public void CopyTo(ReadOnlySpan<byte> storage, Span<byte> destination)
    {
        int size = Type.Size();
        if (Length == 0)
            return;
        // Runs of the innermost dimensions that lie side by side are copied at once.
        int inner = Shape.Length;
        long run = 1;
        while (inner > 0 && (Shape[inner - 1] == 1 || Strides[inner - 1] == run))
            run *= Shape[--inner];
        Span<long> index = stackalloc long[inner];
        for (int done = 0; done < destination.Length; done += (int)run * size)
        {
            long element = Offset;
            for (int i = 0; i < inner; i++)
                element += index[i] * Strides[i];
            storage.Slice((int)(element * size), (int)run * size).CopyTo(destination[done..]);
            for (int i = inner - 1; i >= 0 && ++index[i] == Shape[i]; i--)
                index[i] = 0;
        }
    }
}

/// <summary>What is wrong with a file of <c>torch.save</c>, as part of a sentence.</summary>
/// <param name="message">The part.</param>
/// <param name="inner">The failure.</param>
internal sealed class TorchFormatException(string message, Exception? inner = null) : Exception(message, inner);
