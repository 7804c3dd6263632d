using System.Buffers.Binary;
using System.Text;
using System.Text.Json.Nodes;
using static TorchSharp.torch;

namespace BoostingTicket.GoldenData;

/// <summary>
/// Writes tensors as safetensors: the header's length (u64, little-endian), a JSON header of dtype, shape and data offsets by
/// name, and the data. Independent of the project's own reader and writer, so that it can test them.
/// </summary>
internal static class SafetensorsWriter
{
    /// <summary>Writes <paramref name="tensors"/> (float64 as F32, int64 as I64, bool as U8) and string metadata.</summary>
    public static void Write(
        string path, IReadOnlyDictionary<string, Tensor> tensors, IReadOnlyDictionary<string, string> metadata)
    {
        var header = new JsonObject
        {
            ["__metadata__"] = new JsonObject(metadata.Select(m => KeyValuePair.Create(m.Key, (JsonNode?)m.Value))),
        };
        using var data = new MemoryStream();
        // Eight-byte elements come first, so that every tensor is aligned to its element size.
        foreach ((string name, Tensor tensor) in tensors.OrderByDescending(t => t.Value.dtype == ScalarType.Int64))
        {
            (string type, ScalarType stored) = tensor.dtype switch
            {
                ScalarType.Int64 => ("I64", ScalarType.Int64),
                ScalarType.Bool => ("U8", ScalarType.Byte),
                _ => ("F32", ScalarType.Float32),
            };
            long start = data.Length;
            using Tensor contiguous = tensor.detach().to_type(stored).contiguous();
            data.Write(contiguous.bytes);
            header[name] = new JsonObject
            {
                ["dtype"] = type,
                ["shape"] = new JsonArray([.. tensor.shape.Select(d => (JsonNode)d)]),
                ["data_offsets"] = new JsonArray(start, data.Length),
            };
        }

        byte[] json = Encoding.UTF8.GetBytes(header.ToJsonString());
        int padded = (json.Length + 7) / 8 * 8;
        Span<byte> length = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(length, (ulong)padded);
        using FileStream file = File.Create(path);
        file.Write(length);
        file.Write(json);
        for (int i = json.Length; i < padded; i++)
            file.WriteByte((byte)' ');
        data.WriteTo(file);
    }
}
