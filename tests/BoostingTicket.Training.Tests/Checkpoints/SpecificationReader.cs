using System.Text;
using System.Text.Json;

namespace BoostingTicket.Training.Tests.Checkpoints;

/// <summary>A safetensors reader written from the format's description alone: 8 bytes of header length, little-endian; that many
/// bytes of JSON, which begin with a brace and may end in spaces; then the bytes of the tensors, row-major and little-endian,
/// without holes, each where <c>data_offsets</c> says.</summary>
internal sealed class SpecificationReader
{
    private readonly byte[] _bytes;
    private readonly long _data;

    public SpecificationReader(string path)
    {
        _bytes = File.ReadAllBytes(path);
        ulong length = 0;
        for (int i = 7; i >= 0; i--)
            length = length << 8 | _bytes[i];
        _data = 8 + (long)length;
        if (_bytes[8] != '{')
            throw new FormatException("the header does not begin with a brace");
        using var header = JsonDocument.Parse(Encoding.UTF8.GetString(_bytes, 8, (int)length));
        var ranges = new List<(long Begin, long End)>();
        foreach (JsonProperty property in header.RootElement.EnumerateObject())
        {
            if (property.Name == "__metadata__")
            {
                foreach (JsonProperty pair in property.Value.EnumerateObject())
                    Metadata.Add(pair.Name, pair.Value.GetString()!);
                continue;
            }

            long[] shape = [.. property.Value.GetProperty("shape").EnumerateArray().Select(item => item.GetInt64())];
            long begin = property.Value.GetProperty("data_offsets")[0].GetInt64(),
            end = property.Value.GetProperty("data_offsets")[1].GetInt64();
            Tensors.Add(property.Name, (property.Value.GetProperty("dtype").GetString()!, shape, begin, end));
            ranges.Add((begin, end));
        }

        long expected = 0;
        foreach ((long begin, long end) in ranges.Order())
        {
            if (begin != expected)
                throw new FormatException($"a hole or an overlap at {begin}");
            expected = end;
        }

        if (_data + expected != _bytes.Length)
            throw new FormatException("the tensors do not fill the file");
    }

    public Dictionary<string, string> Metadata { get; } = [];

    public Dictionary<string, (string Type, long[] Shape, long Begin, long End)> Tensors { get; } = [];

    /// <summary>The bytes of a tensor.</summary>
    public byte[] Bytes(string name) => _bytes[(int)(_data + Tensors[name].Begin)..(int)(_data + Tensors[name].End)];

    /// <summary>The element of an F32 tensor at given coordinates.</summary>
    public float Single(string name, params long[] coordinates)
    {
        (string type, long[] shape, long begin, long _) = Tensors[name];
        if (type != "F32")
            throw new FormatException($"{name} is {type}");
        long index = 0;
        for (int i = 0; i < shape.Length; i++)
            index = index * shape[i] + coordinates[i];
        int at = (int)(_data + begin + 4 * index);
        return BitConverter.Int32BitsToSingle(_bytes[at] | _bytes[at + 1] << 8 | _bytes[at + 2] << 16 | _bytes[at + 3] << 24);
    }
}
