using System.Text.Json;
using System.Text.Unicode;

namespace BoostingTicket.Training.Files;

/// <summary>The parsed and wholly checked header of a safetensors file.</summary>
/// <param name="Metadata">The <c>__metadata__</c> pairs; empty if the file has none.</param>
/// <param name="Entries">The tensors in the order of their bytes, which they fill without overlap or hole.</param>
internal sealed record SafetensorsHeader(IReadOnlyDictionary<string, string> Metadata, IReadOnlyList<SafetensorsEntry> Entries)
{
    /// <summary>Longest header that is read, as in the reference implementation: 100 MB.</summary>
    public const int MaximumLength = 100_000_000;

    /// <summary>Parses a header.</summary>
    /// <param name="json">The header's bytes, padding included.</param>
    /// <param name="dataLength">How many bytes follow the header in the file.</param>
    /// <exception cref="FormatException">What is wrong, as the end of a sentence, naming the tensor where one is to
    /// blame.</exception>
    public static SafetensorsHeader Parse(ReadOnlyMemory<byte> json, long dataLength)
    {
        if (json.Length == 0 || json.Span[0] != (byte)'{')
            throw new FormatException("its header does not begin with '{'");
        if (!Utf8.IsValid(json.Span))
            throw new FormatException("its header is not UTF-8");
        try
        {
            using var document = JsonDocument.Parse(json);
            return Parse(document.RootElement, dataLength);
        }
        catch (JsonException error)
        {
            throw new FormatException("its header is not JSON", error);
        }
        catch (InvalidOperationException error)
        {
            // What System.Text.Json throws for an escaped half of a surrogate pair.
            throw new FormatException("its header holds a text that is not Unicode", error);
        }
    }

    private static SafetensorsHeader Parse(JsonElement root, long dataLength)
    {
        var metadata = new Dictionary<string, string>(StringComparer.Ordinal);
        var names = new HashSet<string>(StringComparer.Ordinal);
        var entries = new List<SafetensorsEntry>();
        foreach (JsonProperty member in root.EnumerateObject())
        {
            if (!names.Add(member.Name))
                throw new FormatException($"its header names '{member.Name}' twice");
            if (member.Name == SafetensorsWriter.MetadataName)
                ParseMetadata(member.Value, metadata);
            else
                entries.Add(ParseEntry(member.Name, member.Value));
        }

        SafetensorsEntry[] ordered = [.. entries.OrderBy(entry => entry.Begin).ThenBy(entry => entry.End)];
        CheckCoverage(ordered, dataLength);
        return new SafetensorsHeader(metadata, ordered);
    }

    private static void ParseMetadata(JsonElement element, Dictionary<string, string> metadata)
    {
        // Some writers say so that they have none.
        if (element.ValueKind == JsonValueKind.Null)
            return;
        if (element.ValueKind != JsonValueKind.Object)
            throw new FormatException("its metadata is not an object");
        foreach (JsonProperty pair in element.EnumerateObject())
        {
            if (pair.Value.ValueKind != JsonValueKind.String)
                throw new FormatException($"its metadata '{pair.Name}' is not a string");
            if (!metadata.TryAdd(pair.Name, pair.Value.GetString()!))
                throw new FormatException($"its metadata names '{pair.Name}' twice");
        }
    }

    private static SafetensorsEntry ParseEntry(string name, JsonElement element)
    {
        if (element.ValueKind != JsonValueKind.Object)
            throw new FormatException($"tensor '{name}' is not described by an object");
        JsonElement? dtype = null, shapeElement = null, offsetsElement = null;
        foreach (JsonProperty member in element.EnumerateObject())
        {
            switch (member.Name)
            {
                case "dtype": Set(ref dtype, member, name); break;
                case "shape": Set(ref shapeElement, member, name); break;
                case "data_offsets": Set(ref offsetsElement, member, name); break;
                // What a later version of the format adds does not change what the others mean.
                default: break;
            }
        }

        if (dtype is not { ValueKind: JsonValueKind.String } typeName)
            throw new FormatException($"tensor '{name}' has no dtype");
        string typeText = typeName.GetString()!;
        bool known = SafetensorsTypes.TryParse(typeText, out SafetensorsType type);
        long[] shape = Numbers(shapeElement, name, "shape");
        long[] offsets = Numbers(offsetsElement, name, "data_offsets");
        if (offsets.Length != 2 || offsets[0] > offsets[1])
            throw new FormatException($"the data_offsets of tensor '{name}' are not a begin and an end");
        if (known && ByteLength(type, shape) != offsets[1] - offsets[0])
        {
            throw new FormatException(
                $"tensor '{name}' has {offsets[1] - offsets[0]} bytes, which are not {SafetensorsEntry.Describe(type, shape)}");
        }

        return new SafetensorsEntry(name, type, shape, offsets[0], offsets[1]) { TypeName = typeText };
    }

    private static void Set(ref JsonElement? field, JsonProperty member, string tensor)
    {
        if (field is not null)
            throw new FormatException($"tensor '{tensor}' has the member '{member.Name}' twice");
        field = member.Value;
    }

    private static long[] Numbers(JsonElement? element, string tensor, string member)
    {
        if (element is not { ValueKind: JsonValueKind.Array } array)
            throw new FormatException($"tensor '{tensor}' has no {member}");
        long[] numbers = new long[array.GetArrayLength()];
        int i = 0;
        foreach (JsonElement item in array.EnumerateArray())
        {
            if (item.ValueKind != JsonValueKind.Number || !item.TryGetInt64(out numbers[i++]) || numbers[i - 1] < 0)
                throw new FormatException($"the {member} of tensor '{tensor}' is not a list of whole numbers");
        }

        return numbers;
    }

    // Null where the product does not fit, which no length of a file equals.
    private static long? ByteLength(SafetensorsType type, long[] shape)
    {
        if (shape.Contains(0))
            return 0;
        UInt128 product = (UInt128)type.Size();
        foreach (long size in shape)
        {
            product *= (UInt128)size;
            if (product > long.MaxValue)
                return null;
        }

        return (long)product;
    }

    private static void CheckCoverage(SafetensorsEntry[] ordered, long dataLength)
    {
        long end = 0;
        string previous = "";
        foreach (SafetensorsEntry entry in ordered)
        {
            if (entry.Begin < end)
                throw new FormatException($"tensors '{previous}' and '{entry.Name}' overlap");
            if (entry.Begin > end)
                throw new FormatException($"{entry.Begin - end} bytes before tensor '{entry.Name}' belong to no tensor");
            if (entry.End > dataLength)
                throw new FormatException($"tensor '{entry.Name}' ends {entry.End - dataLength} bytes past the end of the file");
            end = entry.End;
            previous = entry.Name;
        }

        if (end != dataLength)
            throw new FormatException($"{dataLength - end} bytes after the last tensor belong to no tensor");
    }
}
