using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace BoostingTicket.Training.Files;

/// <summary>
/// Writes a safetensors file: an 8-byte little-endian header length, a JSON header padded with spaces to a multiple of 8, then
/// the tensors without gaps. Tensors are laid out as by the reference implementation (by type, largest first, then by
/// name) and metadata in order of keys, so the same content always gives the same bytes, whatever order it was added in.
/// </summary>
/// <remarks>The added memory is not copied: it must stay unchanged until the file is written.</remarks>
internal sealed class SafetensorsWriter : IWeightWriter
{
    /// <summary>Headers are a multiple of this many bytes long.</summary>
    internal const int HeaderAlignment = 8;

    /// <summary>The header's name for the metadata.</summary>
    internal const string MetadataName = "__metadata__";

    private delegate ReadOnlySpan<byte> Bytes();

    private readonly record struct Item(string Name, SafetensorsType Type, long[] Shape, Bytes Content);

    private readonly Dictionary<string, Item> _items = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, string> _metadata = new(StringComparer.Ordinal);

    /// <summary>
    /// Whether the metadata carry a checksum of the content, by which damaged bytes are noticed when the file is opened.
    /// </summary>
    public bool Checksum { get; init; } = true;

    /// <summary>Sets one metadata pair, replacing an earlier one of that key.</summary>
    /// <param name="key">The key; <c>boosting-ticket.sha256</c> is the checksum's and cannot be set.</param>
    /// <param name="value">The value.</param>
    public SafetensorsWriter WithMetadata(string key, string value)
    {
        CheckText(key, nameof(key));
        CheckText(value, nameof(value));
        if (key == SafetensorsChecksum.Key)
            throw new ArgumentException($"the metadata key '{key}' is the checksum's", nameof(key));
        _metadata[key] = value;
        return this;
    }

    /// <summary>Adds a tensor of 32-bit floats.</summary>
    /// <param name="name">A name that the file does not have yet.</param>
    /// <param name="values">The elements, outermost dimension slowest.</param>
    /// <param name="shape">The sizes, outermost first; none for a scalar.</param>
    public SafetensorsWriter Add(string name, ReadOnlyMemory<float> values, params ReadOnlySpan<long> shape) =>
        Add(name, SafetensorsType.F32, shape, values.Length, () => MemoryMarshal.AsBytes(values.Span));

    /// <summary>Adds a tensor of 64-bit floats; see <see cref="Add(string, ReadOnlyMemory{float},
    /// ReadOnlySpan{long})"/>.</summary>
    /// <param name="name">A name that the file does not have yet.</param>
    /// <param name="values">The elements.</param>
    /// <param name="shape">The sizes.</param>
    public SafetensorsWriter Add(string name, ReadOnlyMemory<double> values, params ReadOnlySpan<long> shape) =>
        Add(name, SafetensorsType.F64, shape, values.Length, () => MemoryMarshal.AsBytes(values.Span));

    /// <summary>Adds a tensor of bytes; see <see cref="Add(string, ReadOnlyMemory{float}, ReadOnlySpan{long})"/>.</summary>
    /// <param name="name">A name that the file does not have yet.</param>
    /// <param name="values">The elements.</param>
    /// <param name="shape">The sizes.</param>
    public SafetensorsWriter Add(string name, ReadOnlyMemory<byte> values, params ReadOnlySpan<long> shape) =>
        Add(name, SafetensorsType.U8, shape, values.Length, () => values.Span);

    /// <summary>Adds a tensor of 32-bit integers; see <see cref="Add(string, ReadOnlyMemory{float},
    /// ReadOnlySpan{long})"/>.</summary>
    /// <param name="name">A name that the file does not have yet.</param>
    /// <param name="values">The elements.</param>
    /// <param name="shape">The sizes.</param>
    public SafetensorsWriter Add(string name, ReadOnlyMemory<int> values, params ReadOnlySpan<long> shape) =>
        Add(name, SafetensorsType.I32, shape, values.Length, () => MemoryMarshal.AsBytes(values.Span));

    /// <summary>Adds a tensor of 64-bit integers; see <see cref="Add(string, ReadOnlyMemory{float},
    /// ReadOnlySpan{long})"/>.</summary>
    /// <param name="name">A name that the file does not have yet.</param>
    /// <param name="values">The elements.</param>
    /// <param name="shape">The sizes.</param>
    public SafetensorsWriter Add(string name, ReadOnlyMemory<long> values, params ReadOnlySpan<long> shape) =>
        Add(name, SafetensorsType.I64, shape, values.Length, () => MemoryMarshal.AsBytes(values.Span));

    /// <summary>Adds a tensor of any type from its little-endian bytes.</summary>
    /// <param name="name">A name that the file does not have yet.</param>
    /// <param name="type">The element type.</param>
    /// <param name="bytes">The elements, little-endian.</param>
    /// <param name="shape">The sizes, outermost first; none for a scalar.</param>
    public SafetensorsWriter AddBytes(
        string name, SafetensorsType type, ReadOnlyMemory<byte> bytes, params ReadOnlySpan<long> shape)
    {
        if (bytes.Length % type.Size() != 0)
            throw new ArgumentException($"{bytes.Length} bytes are not a whole number of {type.HeaderName()}", nameof(bytes));
        return Add(name, type, shape, bytes.Length / type.Size(), () => bytes.Span);
    }

    /// <summary>Writes the file whole or not at all; see <see cref="AtomicFile"/>.</summary>
    /// <param name="path">The file to create or to replace.</param>
    /// <exception cref="ConfigurationException">The file cannot be written there, or the disk is full.</exception>
    public void Save(string path) => AtomicFile.Write(path, Write);

    /// <summary>Writes the file's bytes to a stream.</summary>
    /// <param name="stream">Where to write.</param>
    public void Write(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        if (!BitConverter.IsLittleEndian)
            throw new PlatformNotSupportedException("safetensors files are written on little-endian machines only");
        Item[] ordered =
            [.. _items.Values.OrderByDescending(item => item.Type).ThenBy(item => item.Name, StringComparer.Ordinal)];
        byte[] header = Header(ordered);
        Span<byte> length = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(length, (ulong)header.Length);
        stream.Write(length);
        stream.Write(header);
        foreach (Item item in ordered)
            stream.Write(item.Content());
    }

    void IWeightWriter.AddMetadata(string key, string value) => WithMetadata(key, value);

    void IWeightWriter.AddTensor(string name, ReadOnlyMemory<float> values, params ReadOnlySpan<long> shape) =>
        Add(name, values, shape);

    private SafetensorsWriter Add(string name, SafetensorsType type, ReadOnlySpan<long> shape, long count, Bytes content)
    {
        CheckText(name, nameof(name));
        long product = 1;
        foreach (long size in shape)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(size, nameof(shape));
            product = checked(product * size);
        }

        if (product != count)
            throw new ArgumentException(
                $"tensor {name}: {count} elements do not fill [{string.Join(", ", shape.ToArray())}]", nameof(shape));
        if (name == MetadataName || !_items.TryAdd(name, new Item(name, type, shape.ToArray(), content)))
            throw new ArgumentException($"the file already has a tensor named {name}, or the name is reserved", nameof(name));
        return this;
    }

    private byte[] Header(Item[] ordered)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(
            buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            var metadata = new SortedDictionary<string, string>(_metadata, StringComparer.Ordinal);
            if (Checksum)
                metadata[SafetensorsChecksum.Key] = ComputeChecksum();
            if (metadata.Count > 0)
            {
                json.WriteStartObject(MetadataName);
                foreach ((string key, string value) in metadata)
                    json.WriteString(key, value);
                json.WriteEndObject();
            }

            long offset = 0;
            foreach (Item item in ordered)
            {
                json.WriteStartObject(item.Name);
                json.WriteString("dtype", item.Type.HeaderName());
                json.WriteStartArray("shape");
                foreach (long size in item.Shape)
                    json.WriteNumberValue(size);
                json.WriteEndArray();
                json.WriteStartArray("data_offsets");
                json.WriteNumberValue(offset);
                offset += item.Content().Length;
                json.WriteNumberValue(offset);
                json.WriteEndArray();
                json.WriteEndObject();
            }

            json.WriteEndObject();
        }

        int padding = -buffer.WrittenCount & (HeaderAlignment - 1);
        buffer.GetSpan(padding)[..padding].Fill((byte)' ');
        buffer.Advance(padding);
        return buffer.WrittenSpan.ToArray();
    }

    private string ComputeChecksum()
    {
        using var checksum = new SafetensorsChecksum(_metadata);
        foreach (Item item in _items.Values.OrderBy(item => item.Name, StringComparer.Ordinal))
        {
            checksum.Append(item.Name, item.Type, item.Shape);
            checksum.Append(item.Content());
        }

        return checksum.Finish();
    }

    // JSON cannot carry half of a surrogate pair: two such names would be written as one.
    private static void CheckText(string text, string parameter)
    {
        ArgumentNullException.ThrowIfNull(text, parameter);
        try
        {
            _ = new UTF8Encoding(false, throwOnInvalidBytes: true).GetByteCount(text);
        }
        catch (EncoderFallbackException)
        {
            throw new ArgumentException("the text holds half of a surrogate pair", parameter);
        }
    }
}
