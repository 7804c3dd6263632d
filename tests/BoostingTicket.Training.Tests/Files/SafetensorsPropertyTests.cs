using BoostingTicket.Training.Files;
using CsCheck;

namespace BoostingTicket.Training.Tests.Files;

/// <summary>Random content comes back as it went in; random damage never gives anything but a <see
/// cref="DamagedFileException"/>.</summary>
internal class SafetensorsPropertyTests
{
    private sealed record Content(string Name, SafetensorsType Type, long[] Shape, byte[] Bytes);

    private static readonly Gen<string> GenName = Gen.OneOf(
        Gen.String[Gen.Char.AlphaNumeric, 1, 12], Gen.String[Gen.Char["äß\"\\/\n\t 漢_.{}"], 1, 6]);

    private static readonly Gen<Content> GenTensor =
        from name in GenName
        from type in Gen.Enum<SafetensorsType>().Where(type => type != SafetensorsType.Unknown)
        from shape in Gen.Long[0, 4].Array[0, 4]
        from bytes in Gen.Byte.Array[(int)(shape.Aggregate(1L, (product, size) => product * size) * type.Size())]
        select new Content(name, type, shape, bytes);

    private static readonly Gen<(Content[] Tensors, (string, string)[] Metadata)> GenFile =
        from tensors in GenTensor.Array[0, 6]
        from metadata in Gen.Select(GenName, GenName).Array[0, 3]
        select (tensors.DistinctBy(tensor => tensor.Name).ToArray(), metadata);

    private static byte[] Write((Content[] Tensors, (string, string)[] Metadata) file)
    {
        var writer = new SafetensorsWriter();
        foreach ((string key, string value) in file.Metadata)
            writer.WithMetadata(key, value);
        foreach (Content tensor in file.Tensors)
            writer.AddBytes(tensor.Name, tensor.Type, tensor.Bytes, tensor.Shape);
        return SafetensorsTests.Bytes(writer);
    }

    [Test]
    public void Content_comes_back() => GenFile.Sample(content =>
    {
        using SafetensorsFile file = SafetensorsTests.Open(Write(content));
        foreach (Content tensor in content.Tensors)
        {
            SafetensorsEntry entry = file.Require(tensor.Name, tensor.Type, tensor.Shape);
            byte[] bytes = new byte[entry.ByteLength];
            file.ReadBytes(entry, bytes);
            if (!bytes.SequenceEqual(tensor.Bytes) || (entry.Begin % tensor.Type.Size()) != 0)
                return false;
        }

        file.RequireExactly(content.Tensors.Select(tensor => tensor.Name));
        Dictionary<string, string> metadata = [];
        foreach ((string key, string value) in content.Metadata)
            metadata[key] = value;
        return file.Metadata.Count == metadata.Count + 1 && metadata.All(pair => file.Metadata[pair.Key] == pair.Value);
    });

    [Test]
    public void Random_bytes_are_damage() => Gen.Byte.Array[0, 200].Sample(bytes => OpensOrIsDamaged(bytes));

    [Test]
    public void Random_headers_are_read_or_damage()
    {
        Gen<string> token = Gen.OneOf(
            "{", "}", "[", "]", ",", ":", "\"w\"", "\"dtype\"", "\"F32\"", "\"BF16\"", "\"shape\"", "\"data_offsets\"",
            "\"__metadata__\"",
            "0", "4", "8", "-1", "1e9", "9223372036854775807", "null", "true", " ", "\"\\ud800\"", "\"\\u0000\"");
        Gen.Select(token.Array[0, 25], Gen.Byte.Array[0, 16]).Sample((tokens, data) =>
            OpensOrIsDamaged(SafetensorsTests.Raw("{" + string.Concat(tokens), data)));
    }

    [Test]
    public void A_mutated_file_is_damage()
    {
        Gen<(int Where, int Removed, byte[] Inserted)> mutation = Gen.Select(
            Gen.Int[0, 400], Gen.Int[0, 8], Gen.Byte.Array[0, 8]);
        Gen.Select(GenFile, mutation).Sample((content, change) =>
        {
            byte[] bytes = Write(content);
            int where = Math.Min(change.Where, bytes.Length), after = Math.Min(where + change.Removed, bytes.Length);
            byte[] mutated = [.. bytes[..where], .. change.Inserted, .. bytes[after..]];
            // Damage must be noticed unless it spells the same content, as white space in the header may, or hits the name of the
            // checksum: without one, the file is another program's.
            return mutated.SequenceEqual(bytes)
                || (OpensOrIsDamaged(mutated, out bool opened) && (!opened || !HasChecksum(mutated) || SameContent(
                    mutated, bytes)));
        });
    }

    private static bool HasChecksum(byte[] bytes)
    {
        using SafetensorsFile file = SafetensorsTests.Open(bytes);
        return file.Metadata.ContainsKey(SafetensorsChecksum.Key);
    }

    // Header members that this project's reader takes, whatever the bytes around them.
    private static bool SameContent(byte[] a, byte[] b)
    {
        using SafetensorsFile first = SafetensorsTests.Open(a), second = SafetensorsTests.Open(b);
        return first.Metadata.OrderBy(pair => pair.Key).SequenceEqual(second.Metadata.OrderBy(pair => pair.Key))
            && Describe(first).SequenceEqual(Describe(second));
    }

    private static IEnumerable<string> Describe(SafetensorsFile file) => file.Tensors.Select(entry =>
    {
        byte[] bytes = new byte[entry.ByteLength];
        file.ReadBytes(entry, bytes);
        return $"{entry.Name} {entry.Description} {Convert.ToHexString(bytes)}";
    }).Order(StringComparer.Ordinal);

    private static bool OpensOrIsDamaged(byte[] bytes) => OpensOrIsDamaged(bytes, out _);

    private static bool OpensOrIsDamaged(byte[] bytes, out bool opened)
    {
        try
        {
            SafetensorsTests.Open(bytes).Dispose();
            opened = true;
        }
        catch (DamagedFileException)
        {
            opened = false;
        }

        return true;
    }
}
