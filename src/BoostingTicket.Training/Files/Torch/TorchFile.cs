using System.Collections;
using System.IO.Compression;
using System.Numerics;

namespace BoostingTicket.Training.Files.Torch;

/// <summary>
/// Files of <c>torch.save</c> (.pt, .pth), read without Python: the zip archive of PyTorch 1.6 and later, and the sequence of
/// pickles of earlier versions (torch/serialization.py). Their tensors are shown as those of a safetensors file, under their
/// paths in the saved dictionaries. Nothing in a file can run: <see cref="TorchConstructors"/> are all that it can ask for.
/// </summary>
internal static class TorchFile
{
    private const string ZipStart = "PK\x03\x04";
    private const int LongestPickle = 1 << 26;

    // What the older format begins with, after the opcodes of its number.
    private static readonly BigInteger Magic = BigInteger.Parse(
        "119547037146038801333356", System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>Whether a file begins like a zip archive or a pickle.</summary>
    /// <param name="start">Its first eight bytes.</param>
    public static bool IsLike(ReadOnlySpan<byte> start) =>
        start.StartsWith(System.Text.Encoding.Latin1.GetBytes(ZipStart)) || start is [0x80, >= 2 and <= 5, ..];

    /// <summary>Opens a file; the result owns the stream.</summary>
    /// <param name="stream">The file.</param>
    /// <param name="path">What messages call it.</param>
    /// <exception cref="ConfigurationException">It holds no tensors, or asks for what is neither a tensor nor a
    /// dictionary.</exception>
    /// <exception cref="DamagedFileException">It is damaged.</exception>
    public static SafetensorsFile Open(Stream stream, string path)
    {
        try
        {
            stream.Position = 0;
            Span<byte> start = stackalloc byte[ZipStart.Length];
            stream.ReadExactly(start);
            stream.Position = 0;
            ITorchStorages storages = start[0] == 'P' ? TorchZip.Open(stream) : TorchSequence.Open(stream);
            if (storages.Tensors.Count == 0)
                throw new ConfigurationException($"{path} does not hold tensors; give a file that holds a state_dict.");
            return SafetensorsFile.Of(new TorchTensorStream(storages), path, TorchTensorStream.Describe(storages.Tensors));
        }
        catch (TorchRefusedException error)
        {
            throw new ConfigurationException(
                $"{path} asks for {error.Name}, which is neither a tensor nor a dictionary, and is not read; in Python, save the "
                + "state_dict alone: torch.save(model.state_dict(), 'weights.pt').", error);
        }
        catch (Exception error) when (error is TorchFormatException or InvalidDataException or EndOfStreamException)
        {
            throw new DamagedFileException(
                $"{path} is damaged or was not written by torch.save: {StorageErrors.Reason(error)}; restore it from a copy or "
                + $"save it "
                + "again.", error);
        }
    }

    private sealed class TorchZip : ITorchStorages
    {
        private readonly ZipArchive _archive;
        private readonly string _folder;

        private TorchZip(ZipArchive archive)
        {
            _archive = archive;
            ZipArchiveEntry[] pickles = [.. archive.Entries.Where(entry => entry.Name == "data.pkl")];
            if (archive.Entries.Any(entry => entry.Name == "constants.pkl"))
                throw new TorchRefusedException("the code of torch.jit.save");
            if (pickles.Length != 1)
                throw new TorchFormatException($"it has {pickles.Length} entries data.pkl");
            _folder = pickles[0].FullName[..^"data.pkl".Length];
            if (archive.GetEntry(_folder + "byteorder") is { } order && Read(order, 16) is var text
                && !text.AsSpan().SequenceEqual("little"u8))
                throw new TorchFormatException("it was written on a big-endian machine");
            byte[] pickle = Read(pickles[0], LongestPickle);
            Tensors = TorchPickle.Tensors(pickle);
        }

        public IReadOnlyDictionary<string, TorchTensor> Tensors { get; }

        public static TorchZip Open(Stream stream)
        {
            var archive = new ZipArchive(stream, ZipArchiveMode.Read);
            return new TorchZip(archive);
        }

        public byte[] Read(TorchStorage storage)
        {
            ZipArchiveEntry entry = _archive.GetEntry($"{_folder}data/{storage.Key}")
                ?? throw new TorchFormatException($"it lacks the storage '{storage.Key}'");
            if (entry.Length < storage.Begin + storage.Bytes)
                throw new TorchFormatException($"the storage '{storage.Key}' is cut");
            return Read(entry, Array.MaxLength);
        }

        public void Dispose() => _archive.Dispose();

        // torch.save does not compress, so that an entry is as long as its bytes in the file.
        private static byte[] Read(ZipArchiveEntry entry, int longest)
        {
            if (entry.Length != entry.CompressedLength || entry.Length > longest)
                throw new TorchFormatException($"its entry {entry.Name} is compressed or too long");
            byte[] bytes = new byte[entry.Length];
            using Stream content = entry.Open();
            content.ReadExactly(bytes);
            return bytes;
        }
    }

    private sealed class TorchSequence : ITorchStorages
    {
        private readonly Stream _stream;
        private readonly Dictionary<string, (long Position, long Bytes)> _blocks = new(StringComparer.Ordinal);
        private long _position;

        private TorchSequence(Stream stream)
        {
            _stream = stream;
            byte[] start = new byte[Math.Min(stream.Length, LongestPickle)];
            stream.ReadExactly(start);
            if (TorchPickle.Read(Next(start)) is not BigInteger magic || magic != Magic)
                throw new TorchFormatException("it is a pickle that torch.save did not write");
            if (TorchPickle.Read(Next(start)) is not 1001)
                throw new TorchFormatException("its version is not 1001");
            if (TorchPickle.Read(Next(start)) is IDictionary system && system["little_endian"] is false)
                throw new TorchFormatException("it was written on a big-endian machine");
            Tensors = TorchPickle.Tensors(Next(start));
            if (TorchPickle.Read(Next(start)) is not ArrayList keys)
                throw new TorchFormatException("it has no list of storages");
            stream.Position = _position;
            var sizes = new Dictionary<string, int>(StringComparer.Ordinal);
            foreach (TorchTensor tensor in Tensors.Values)
                sizes[tensor.Storage.Key] = tensor.Storage.Type.Size();
            Span<byte> count = stackalloc byte[sizeof(long)];
            foreach (object? key in keys)
            {
                if (key is not string name)
                    throw new TorchFormatException("a storage has no name");
                stream.ReadExactly(count);
                long elements = System.Buffers.Binary.BinaryPrimitives.ReadInt64LittleEndian(count);
                // Of what no tensor needs the element's size is not known, so nothing behind it can be found.
                if (elements < 0 || !sizes.TryGetValue(name, out int size) || elements > (stream.Length - stream.Position) / size)
                    throw new TorchFormatException($"the storage '{name}' is cut");
                if (!_blocks.TryAdd(name, (stream.Position, elements * size)))
                    throw new TorchFormatException($"the storage '{name}' is there twice");
                stream.Position += elements * size;
            }
        }

        public IReadOnlyDictionary<string, TorchTensor> Tensors { get; }

        public static TorchSequence Open(Stream stream) => new(stream);

        public byte[] Read(TorchStorage storage)
        {
            if (!_blocks.TryGetValue(storage.Key, out (long Position, long Bytes) block))
                throw new TorchFormatException($"it lacks the storage '{storage.Key}'");
            if (block.Bytes < storage.Begin + storage.Bytes || block.Bytes > Array.MaxLength)
                throw new TorchFormatException($"the storage '{storage.Key}' is cut");
            byte[] bytes = new byte[block.Bytes];
            _stream.Position = block.Position;
            _stream.ReadExactly(bytes);
            return bytes;
        }

        public void Dispose() => _stream.Dispose();

        private byte[] Next(byte[] start)
        {
            int begin = (int)_position;
            _position += PickleScan.Length(start.AsSpan(begin));
            return start[begin..(int)_position];
        }
    }
}

/// <summary>The tensors of a file of <c>torch.save</c>, and its storages.</summary>
internal interface ITorchStorages : IDisposable
{
    /// <summary>The tensors by name.</summary>
    IReadOnlyDictionary<string, TorchTensor> Tensors { get; }

    /// <summary>Reads the block of a storage, whole.</summary>
    /// <exception cref="TorchFormatException">The file lacks it, or it is cut.</exception>
    byte[] Read(TorchStorage storage);
}
