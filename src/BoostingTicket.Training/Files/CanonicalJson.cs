using System.Buffers;
using System.Security.Cryptography;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace BoostingTicket.Training.Files;

/// <summary>
/// One spelling for all JSON documents that mean the same: members sorted by name (ordinal), no white space, integers in
/// decimal, other numbers in the shortest form that reads back as the same double. Hashes of configurations rest on it.
/// </summary>
internal static class CanonicalJson
{
    /// <summary>The canonical spelling, UTF-8.</summary>
    /// <param name="element">Any JSON value.</param>
    /// <exception cref="JsonException">An object names a member twice.</exception>
    public static byte[] Write(JsonElement element)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(
            buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
            Write(element, writer);
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>SHA-256 of the canonical spelling, lower-case hexadecimal.</summary>
    /// <param name="element">Any JSON value.</param>
    /// <exception cref="JsonException">An object names a member twice.</exception>
    public static string Hash(JsonElement element) => Convert.ToHexStringLower(SHA256.HashData(Write(element)));

    /// <summary>SHA-256 of the canonical spelling of a document given as text, lower-case hexadecimal.</summary>
    /// <param name="json">A JSON document.</param>
    /// <exception cref="JsonException">The text is not JSON, or an object names a member twice.</exception>
    public static string Hash(string json)
    {
        using var document = JsonDocument.Parse(json);
        return Hash(document.RootElement);
    }

    private static void Write(JsonElement element, Utf8JsonWriter writer)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                writer.WriteStartObject();
                string? previous = null;
                foreach (JsonProperty member in element.EnumerateObject().OrderBy(member => member.Name, StringComparer.Ordinal))
                {
                    if (member.Name == previous)
                        throw new JsonException($"the member '{member.Name}' is named twice");
                    previous = member.Name;
                    writer.WritePropertyName(member.Name);
                    Write(member.Value, writer);
                }

                writer.WriteEndObject();
                break;
            case JsonValueKind.Array:
                writer.WriteStartArray();
                foreach (JsonElement item in element.EnumerateArray())
                    Write(item, writer);
                writer.WriteEndArray();
                break;
            case JsonValueKind.Number when element.TryGetInt64(out long integer):
                writer.WriteNumberValue(integer);
                break;
            case JsonValueKind.Number when element.TryGetUInt64(out ulong integer):
                writer.WriteNumberValue(integer);
                break;
            case JsonValueKind.Number:
                WriteDouble(element, writer);
                break;
            default:
                element.WriteTo(writer);
                break;
        }
    }

    private static void WriteDouble(JsonElement element, Utf8JsonWriter writer)
    {
        double value = element.GetDouble();
        if (!double.IsFinite(value))
            throw new JsonException($"the number {element.GetRawText()} is out of the range of a double");
        // Whole doubles, 1.0 and 1e3, spell like the integers they equal; so does negative zero.
        if (value == Math.Floor(value) && Math.Abs(value) < 1L << 53)
            writer.WriteNumberValue((long)value);
        else
            writer.WriteNumberValue(value);
    }
}
