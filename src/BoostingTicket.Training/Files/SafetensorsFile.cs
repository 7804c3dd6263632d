using System.Buffers;
using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using BoostingTicket.Training.Files.Torch;

namespace BoostingTicket.Training.Files;

/// <summary>
/// An open safetensors file, or a file of <c>torch.save</c> shown as one. Opening checks everything the header says against the
/// file, and the checksum if the file carries one; tensors are then read straight into the caller's memory. Not for use by two
/// threads at once.
/// </summary>
internal sealed class SafetensorsFile : IDisposable
{
    private const int ChunkLength = 1 << 16;

    private readonly Stream _stream;
    private readonly long _dataStart;
    private readonly Dictionary<string, SafetensorsEntry> _byName;

    private SafetensorsFile(Stream stream, string path, long dataStart, SafetensorsHeader header)
    {
        _stream = stream;
        _dataStart = dataStart;
        Path = path;
        Metadata = header.Metadata;
        Tensors = header.Entries;
        _byName = header.Entries.ToDictionary(entry => entry.Name, StringComparer.Ordinal);
    }

    /// <summary>The file, as messages name it.</summary>
    public string Path { get; }

    /// <summary>The <c>__metadata__</c> pairs; empty if the file has none.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>The tensors in the order of their bytes.</summary>
    public IReadOnlyList<SafetensorsEntry> Tensors { get; }

    /// <summary>Opens a file and checks it.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="ConfigurationException">There is no such file, or it cannot be read.</exception>
    /// <exception cref="DamagedFileException">The file is not what a safetensors file must be.</exception>
    public static SafetensorsFile Open(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        try
        {
            return Open(new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, ChunkLength), path);
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new ConfigurationException($"There is no file {path}; give the path of a safetensors file.", error);
        }
        catch (Exception error) when (StorageErrors.IsStorage(error))
        {
            throw new ConfigurationException(
                $"Cannot read {path}: {StorageErrors.Reason(error)}; give the path of a readable safetensors file.", error);
        }
    }

    /// <summary>Opens a stream that can seek and checks what it holds; the result owns the stream.</summary>
    /// <param name="stream">Positioned anywhere; read from its beginning.</param>
    /// <param name="path">What messages call it.</param>
    /// <exception cref="DamagedFileException">The stream is not what a safetensors file must be.</exception>
    public static SafetensorsFile Open(Stream stream, string path)
    {
        ArgumentNullException.ThrowIfNull(stream);
        SafetensorsFile? file = null;
        try
        {
            if (IsTorch(stream))
                return TorchFile.Open(stream, path);
            file = OpenHeader(stream, path);
            file.CheckChecksum();
            return file;
        }
        catch
        {
            stream.Dispose();
            throw;
        }
    }

    /// <summary>Tensors of another format, shown as those of a safetensors file; the result owns the stream.</summary>
    /// <param name="data">Their bytes, one tensor behind the other.</param>
    /// <param name="path">What messages call the file.</param>
    /// <param name="entries">The tensors in the order of their bytes.</param>
    internal static SafetensorsFile Of(Stream data, string path, IReadOnlyList<SafetensorsEntry> entries) =>
        new(data, path, dataStart: 0, new SafetensorsHeader(new Dictionary<string, string>(), entries));

    /// <summary>Finds a tensor by name.</summary>
    /// <param name="name">The name.</param>
    /// <param name="entry">The tensor, if the file has it.</param>
    public bool TryFind(string name, [NotNullWhen(true)] out SafetensorsEntry? entry) => _byName.TryGetValue(name, out entry);

    /// <summary>The tensor of the given name, type and shape.</summary>
    /// <param name="name">The name.</param>
    /// <param name="type">The type it must have.</param>
    /// <param name="shape">The sizes it must have, outermost first.</param>
    /// <exception cref="DamagedFileException">The file has no such tensor, or another type or shape of it.</exception>
    public SafetensorsEntry Require(string name, SafetensorsType type, params ReadOnlySpan<long> shape)
    {
        if (!TryFind(name, out SafetensorsEntry? entry))
            throw new DamagedFileException(
                $"{Path} has no tensor '{name}'; it is not a file of this model, or was cut: give another file.");
        if (entry.Type != type || !entry.Shape.SequenceEqual(shape.ToArray()))
        {
            throw new DamagedFileException(
                $"Tensor '{name}' of {Path} is {entry.Description} where {SafetensorsEntry.Describe(type, shape.ToArray())} is "
                + $"needed; give a file of this model.");
        }

        return entry;
    }

    /// <summary>Compares the names of the file's tensors with those that are wanted.</summary>
    /// <param name="expected">The names that are wanted.</param>
    /// <returns>Wanted names that the file lacks, and names of the file that are not wanted; each in ordinal order.</returns>
    public (IReadOnlyList<string> Missing, IReadOnlyList<string> Surplus) CompareNames(IEnumerable<string> expected)
    {
        var wanted = new HashSet<string>(expected, StringComparer.Ordinal);
        return ([.. wanted.Where(name => !_byName.ContainsKey(name)).Order(StringComparer.Ordinal)],
            [.. _byName.Keys.Where(name => !wanted.Contains(name)).Order(StringComparer.Ordinal)]);
    }

    /// <summary>Makes sure that the file has exactly the named tensors.</summary>
    /// <param name="expected">The names that are wanted.</param>
    /// <exception cref="DamagedFileException">A tensor is missing or surplus; up to three of each are named.</exception>
    public void RequireExactly(IEnumerable<string> expected)
    {
        (IReadOnlyList<string> missing, IReadOnlyList<string> surplus) = CompareNames(expected);
        if (missing.Count + surplus.Count == 0)
            return;
        string[] parts = [.. new[] { TensorNames.List("lacks", missing), TensorNames.List("has the surplus", surplus) }.Where(
            part => part.Length > 0)];
        throw new DamagedFileException($"{Path} {string.Join(" and ", parts)}; give a file of this model.");
    }

    /// <summary>Reads a tensor's bytes.</summary>
    /// <param name="entry">A tensor of this file.</param>
    /// <param name="destination">Receives the elements, little-endian; exactly <see cref="SafetensorsEntry.ByteLength"/>
    /// long.</param>
    /// <exception cref="DamagedFileException">The bytes cannot be read.</exception>
    public void ReadBytes(SafetensorsEntry entry, Span<byte> destination)
    {
        CheckLength(entry, destination.Length, entry.ByteLength);
        ReadAt(entry.Name, entry.Begin, destination);
    }

    /// <summary>Reads the elements of a tensor whose type has the size of <typeparamref name="T"/>, unconverted.</summary>
    /// <typeparam name="T">The element: float for F32, int for I32, byte for U8 and so on.</typeparam>
    /// <param name="entry">A tensor of this file.</param>
    /// <param name="destination">Receives the elements; exactly <see cref="SafetensorsEntry.Length"/> long.</param>
    /// <exception cref="DamagedFileException">The bytes cannot be read.</exception>
    public void Read<T>(SafetensorsEntry entry, Span<T> destination)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(entry);
        CheckLittleEndian();
        if (Unsafe.SizeOf<T>() != entry.Type.Size())
            throw new ArgumentException($"tensor {entry.Name} is {entry.Description}, not {typeof(T).Name}", nameof(entry));
        CheckLength(entry, destination.Length, entry.Length);
        ReadAt(entry.Name, entry.Begin, MemoryMarshal.AsBytes(destination));
    }

    /// <summary>Reads a tensor of any floating type but the 8-bit ones as 32-bit floats; F64 is rounded, the others are
    /// exact.</summary>
    /// <param name="entry">A tensor of this file, of type F32, F64, F16 or BF16.</param>
    /// <param name="destination">Receives the elements; exactly <see cref="SafetensorsEntry.Length"/> long.</param>
    /// <exception cref="DamagedFileException">The tensor is of another type, or cannot be read.</exception>
    public void ReadSingles(SafetensorsEntry entry, Span<float> destination)
    {
        ArgumentNullException.ThrowIfNull(entry);
        CheckLittleEndian();
        if (entry.Type is not (SafetensorsType.F32 or SafetensorsType.F64 or SafetensorsType.F16 or SafetensorsType.BF16))
        {
            throw new DamagedFileException(
                $"Tensor '{entry.Name}' of {Path} is {entry.Description} where floating-point numbers are needed; give another "
                    + "file.");
        }

        CheckLength(entry, destination.Length, entry.Length);
        if (entry.Type == SafetensorsType.F32)
        {
            Read(entry, destination);
            return;
        }

        int size = entry.Type.Size();
        Span<byte> chunk = new byte[Math.Min(ChunkLength, entry.ByteLength)];
        for (int done = 0; done < destination.Length;)
        {
            int count = Math.Min(chunk.Length / size, destination.Length - done);
            ReadAt(entry.Name, entry.Begin + (long)done * size, chunk[..(count * size)]);
            Convert(entry.Type, chunk[..(count * size)], destination.Slice(done, count));
            done += count;
        }
    }

    /// <summary>Closes the file.</summary>
    public void Dispose() => _stream.Dispose();

    // A zip archive; or a pickle, which begins like a length that may also be right.
    private static bool IsTorch(Stream stream)
    {
        Span<byte> prefix = stackalloc byte[sizeof(ulong)];
        if (stream.Length < prefix.Length)
            return false;
        stream.Position = 0;
        stream.ReadExactly(prefix);
        return TorchFile.IsLike(prefix)
            && (prefix[0] == 'P' || BinaryPrimitives.ReadUInt64LittleEndian(prefix) > SafetensorsHeader.MaximumLength);
    }

    private static SafetensorsFile OpenHeader(Stream stream, string path)
    {
        long length = stream.Length;
        if (length < sizeof(ulong))
            throw Damaged(path, $"it has {length} bytes, fewer than the 8 of a header length");
        Span<byte> prefix = stackalloc byte[sizeof(ulong)];
        stream.Position = 0;
        stream.ReadExactly(prefix);
        ulong headerLength = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
        if (headerLength > SafetensorsHeader.MaximumLength)
            throw Damaged(
                path, $"its header would be {headerLength} bytes long, over the limit of {SafetensorsHeader.MaximumLength}");
        if ((long)headerLength > length - sizeof(ulong))
            throw Damaged(path, $"its header of {headerLength} bytes goes past the end of the file");
        byte[] json = new byte[headerLength];
        stream.ReadExactly(json);
        long dataStart = sizeof(ulong) + (long)headerLength;
        try
        {
            return new SafetensorsFile(stream, path, dataStart, SafetensorsHeader.Parse(json, length - dataStart));
        }
        catch (FormatException error)
        {
            throw Damaged(path, error.Message, error);
        }
    }

    private void CheckChecksum()
    {
        if (!Metadata.TryGetValue(SafetensorsChecksum.Key, out string? expected))
            return;
        using var checksum = new SafetensorsChecksum(Metadata);
        byte[] chunk = ArrayPool<byte>.Shared.Rent(ChunkLength);
        foreach (SafetensorsEntry entry in Tensors.OrderBy(entry => entry.Name, StringComparer.Ordinal))
        {
            checksum.Append(entry.Name, entry.Type, entry.Shape);
            for (long position = entry.Begin; position < entry.End;)
            {
                int count = (int)Math.Min(chunk.Length, entry.End - position);
                ReadAt(entry.Name, position, chunk.AsSpan(0, count));
                checksum.Append(chunk.AsSpan(0, count));
                position += count;
            }
        }

        ArrayPool<byte>.Shared.Return(chunk);
        if (!string.Equals(checksum.Finish(), expected, StringComparison.Ordinal))
            throw Damaged(Path, "its content does not match its checksum");
    }

    private void ReadAt(string tensor, long offset, Span<byte> destination)
    {
        try
        {
            _stream.Position = _dataStart + offset;
            _stream.ReadExactly(destination);
        }
        catch (IOException error)
        {
            throw Damaged(Path, $"tensor '{tensor}' cannot be read ({StorageErrors.Reason(error)})", error);
        }
    }

    private static void Convert(SafetensorsType type, ReadOnlySpan<byte> bytes, Span<float> destination)
    {
        switch (type)
        {
            case SafetensorsType.F64:
                ReadOnlySpan<double> doubles = MemoryMarshal.Cast<byte, double>(bytes);
                for (int i = 0; i < destination.Length; i++)
                    destination[i] = (float)doubles[i];
                break;
            case SafetensorsType.F16:
                ReadOnlySpan<Half> halves = MemoryMarshal.Cast<byte, Half>(bytes);
                for (int i = 0; i < destination.Length; i++)
                    destination[i] = (float)halves[i];
                break;
            default:
                ReadOnlySpan<ushort> upper = MemoryMarshal.Cast<byte, ushort>(bytes);
                for (int i = 0; i < destination.Length; i++)
                    destination[i] = BitConverter.UInt32BitsToSingle((uint)upper[i] << 16);
                break;
        }
    }

    private static void CheckLength(SafetensorsEntry entry, long actual, long needed)
    {
        if (actual != needed)
            throw new ArgumentException($"tensor {entry.Name} needs room for {needed}, not {actual}", nameof(entry));
    }

    private static void CheckLittleEndian()
    {
        if (!BitConverter.IsLittleEndian)
            throw new PlatformNotSupportedException("safetensors files are read on little-endian machines only");
    }

    private static DamagedFileException Damaged(string path, string what, Exception? inner = null) =>
        new($"{path} is damaged or no safetensors file: {what}; restore it from a copy or make it again.", inner);
}
