using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json.Nodes;
using BoostingTicket.Training.Files;
using BoostingTicket.Training.Testing;

namespace BoostingTicket.Training.Tests.Files;

internal class SafetensorsTests
{
    private const string Shown = "x.safetensors";

    private TemporaryFolder _folder = null!;

    [SetUp]
    public void SetUp() => _folder = new TemporaryFolder();

    [TearDown]
    public void TearDown() => _folder.Dispose();

    [Test]
    public void Bytes_are_those_of_the_format()
    {
        byte[] bytes = Bytes(new SafetensorsWriter { Checksum = false }
            .Add("b", new float[] { 1, -2 }, 2, 1)
            .Add("mask.a", new byte[] { 1, 0, 1 }, 3)
            .Add("a", new float[] { 0.5f })
            .Add("n", new long[] { 7 }, 1));
        const string Header =
            "{\"n\":{\"dtype\":\"I64\",\"shape\":[1],\"data_offsets\":[0,8]},"
            + "\"a\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[8,12]},"
            + "\"b\":{\"dtype\":\"F32\",\"shape\":[2,1],\"data_offsets\":[12,20]},"
            + "\"mask.a\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[20,23]}}";
        byte[] header = Encoding.ASCII.GetBytes(Header.PadRight((Header.Length + 7) / 8 * 8));
        byte[] expected =
        [
            (byte)header.Length, (byte)(header.Length >> 8), 0, 0, 0, 0, 0, 0,
            .. header,
            7, 0, 0, 0, 0, 0, 0, 0,
            0, 0, 0, 0x3F,
            0, 0, 0x80, 0x3F, 0, 0, 0, 0xC0,
            1, 0, 1,
        ];
        Assert.That(bytes, Is.EqualTo(expected));
    }

    [Test]
    public void An_empty_file_is_a_padded_empty_object() => Assert.That(
        Bytes(new SafetensorsWriter { Checksum = false }),
        Is.EqualTo(new byte[] { 8, 0, 0, 0, 0, 0, 0, 0, (byte)'{', (byte)'}', 32, 32, 32, 32, 32, 32 }));

    [Test]
    public void The_same_content_gives_the_same_bytes_in_whatever_order_it_is_added()
    {
        byte[] first = Bytes(new SafetensorsWriter().WithMetadata("model", "lenet").WithMetadata("hash", "ab").Add(
            "x", new float[] { 1 }, 1).Add("y", new byte[] { 2 }, 1));
        byte[] second = Bytes(new SafetensorsWriter().Add("y", new byte[] { 2 }, 1).WithMetadata("hash", "ab").Add(
            "x", new float[] { 1 }, 1).WithMetadata("model", "lenet"));
        Assert.That(second, Is.EqualTo(first));
    }

    /// <summary>A second reader, written from the format's description alone and knowing nothing of the first.</summary>
    [Test]
    public void A_naive_reader_of_the_format_finds_everything()
    {
        float[] weights = [1.5f, -2, float.NaN, float.NegativeInfinity, 0, 1e-40f];
        byte[] bytes = Bytes(new SafetensorsWriter().WithMetadata("schlüssel", "\"quoted\"\n").Add(
            "fc.weight", weights, 2, 3).Add("i", new int[] { -1 }, 1));
        int headerLength = (int)BinaryPrimitives.ReadInt64LittleEndian(bytes);
        Assert.That(headerLength % 8, Is.Zero);
        JsonObject header = JsonNode.Parse(bytes.AsSpan(8, headerLength))!.AsObject();
        Assert.That(header["__metadata__"]!["schlüssel"]!.GetValue<string>(), Is.EqualTo("\"quoted\"\n"));
        Assert.That(header["fc.weight"]!["dtype"]!.GetValue<string>(), Is.EqualTo("F32"));
        Assert.That(header["fc.weight"]!["shape"]!.ToJsonString(), Is.EqualTo("[2,3]"));
        int begin = header["fc.weight"]!["data_offsets"]![0]!.GetValue<int>(),
        end = header["fc.weight"]!["data_offsets"]![1]!.GetValue<int>();
        byte[] data = bytes[(8 + headerLength + begin)..(8 + headerLength + end)];
        Assert.That(data, Is.EqualTo(MemoryMarshal.AsBytes<float>(weights).ToArray()));
        Assert.That(header.Select(pair => pair.Key), Is.EqualTo(new[] { "__metadata__", "fc.weight", "i" }));
    }

    [Test]
    public void Reads_back_what_was_saved()
    {
        new SafetensorsWriter().WithMetadata("model", "lenet")
            .Add("w", new float[] { 1, 2, 3, 4, 5, 6 }, 2, 3).Add("d", new double[] { 1.0 / 3 }, 1).Add(
                "i", new int[] { -5, 6 }, 2)
            .Add("l", new long[] { long.MinValue }).Add("mask.w", new byte[] { 0, 1 }, 2).Add(
                "none", ReadOnlyMemory<float>.Empty, 3, 0)
            .Save(_folder["x"]);
        using SafetensorsFile file = SafetensorsFile.Open(_folder["x"]);
        Assert.That(file.Metadata["model"], Is.EqualTo("lenet"));
        Assert.That(
            Read<float>(file, file.Require("w", SafetensorsType.F32, 2, 3)), Is.EqualTo(new float[] { 1, 2, 3, 4, 5, 6 }));
        Assert.That(Read<double>(file, file.Require("d", SafetensorsType.F64, 1)), Is.EqualTo(new[] { 1.0 / 3 }));
        Assert.That(Read<int>(file, file.Require("i", SafetensorsType.I32, 2)), Is.EqualTo(new[] { -5, 6 }));
        Assert.That(Read<long>(file, file.Require("l", SafetensorsType.I64)), Is.EqualTo(new[] { long.MinValue }));
        Assert.That(Read<byte>(file, file.Require("mask.w", SafetensorsType.U8, 2)), Is.EqualTo(new byte[] { 0, 1 }));
        Assert.That(Read<float>(file, file.Require("none", SafetensorsType.F32, 3, 0)), Is.Empty);
        Assert.That(_folder.Files, Is.EqualTo(new[] { "x" }));
    }

    [Test]
    public void Other_floating_types_read_as_singles()
    {
        using SafetensorsFile file = Open(Bytes(new SafetensorsWriter()
            .AddBytes("bf16", SafetensorsType.BF16, new byte[] { 0x80, 0x3F, 0x20, 0xC0 }, 2)
            .AddBytes("f16", SafetensorsType.F16, MemoryMarshal.AsBytes<Half>([(Half)0.5, Half.PositiveInfinity]).ToArray(), 2)
            .Add("f64", Enumerable.Range(0, 20_000).Select(i => i + 0.1).ToArray(), 20_000)
            .Add("i32", new int[] { 1 }, 1)));
        Assert.That(Singles(file, "bf16"), Is.EqualTo(new[] { 1f, -2.5f }));
        Assert.That(Singles(file, "f16"), Is.EqualTo(new[] { 0.5f, float.PositiveInfinity }));
        Assert.That(Singles(file, "f64"), Is.EqualTo(Enumerable.Range(0, 20_000).Select(i => (float)(i + 0.1))));
        Assert.That(
            () => Singles(file, "i32"),
            Throws.TypeOf<DamagedFileException>().With.Message.EqualTo(
                "Tensor 'i32' of x.safetensors is I32 [1] where floating-point numbers are needed; give another file."));
    }

    [Test]
    public void A_wrong_or_missing_tensor_is_one_sentence()
    {
        using SafetensorsFile file = Open(Bytes(new SafetensorsWriter().Add("w", new float[6], 2, 3)));
        Assert.That(
            () => file.Require("w", SafetensorsType.F32, 3, 2),
            Throws.TypeOf<DamagedFileException>().With.Message.EqualTo(
                "Tensor 'w' of x.safetensors is F32 [2, 3] where F32 [3, 2] is needed; give a file of this model."));
        Assert.That(
            () => file.Require("w", SafetensorsType.U8, 2, 3),
            Throws.TypeOf<DamagedFileException>().With.Message.Contains("is F32 [2, 3] where U8 [2, 3] is needed"));
        Assert.That(() => file.Require("v", SafetensorsType.F32, 1),
            Throws.TypeOf<DamagedFileException>().With.Message.StartsWith("x.safetensors has no tensor 'v'"));
    }

    [Test]
    public void Missing_and_surplus_names_are_listed()
    {
        using SafetensorsFile file = Open(Bytes(new SafetensorsWriter().Add("a", new float[1], 1).Add("b", new float[1], 1)));
        file.RequireExactly(["b", "a"]);
        (IReadOnlyList<string> missing, IReadOnlyList<string> surplus) = file.CompareNames(["z", "a", "y"]);
        Assert.That(missing, Is.EqualTo(new[] { "y", "z" }));
        Assert.That(surplus, Is.EqualTo(new[] { "b" }));
        Assert.That(
            () => file.RequireExactly(["a", "p", "q", "r", "s"]),
            Throws.TypeOf<DamagedFileException>().With.Message.EqualTo(
                "x.safetensors lacks tensors 'p', 'q', 'r' and 1 more and has the surplus tensor 'b'; "
                + "give a file of this model."));
    }

    [Test]
    public void Another_library_may_lay_the_content_out_anew_but_not_change_it()
    {
        byte[] original = Bytes(new SafetensorsWriter().WithMetadata("model", "m").Add("a", new float[] { 1 }, 1).Add(
            "b", new byte[] { 2 }, 1));
        int headerLength = (int)BinaryPrimitives.ReadInt64LittleEndian(original);
        JsonObject header = JsonNode.Parse(original.AsSpan(8, headerLength))!.AsObject();
        header["a"]!["data_offsets"] = new JsonArray(1, 5);
        header["b"]!["data_offsets"] = new JsonArray(0, 1);
        JsonNode metadata = header["__metadata__"]!;
        header.Remove("__metadata__");
        header.Add("__metadata__", metadata);
        byte[] data = original[(8 + headerLength)..];
        byte[] laidOutAnew = Raw(header.ToJsonString(), [data[4], .. data[..4]]);
        Open(laidOutAnew).Dispose();

        laidOutAnew[^1] ^= 1;
        Assert.That(
            () => Open(laidOutAnew), Throws.TypeOf<DamagedFileException>().With.Message.Contains("does not match its checksum"));
        metadata["model"] = "n";
        Assert.That(() => Open(Raw(header.ToJsonString(), [data[4], .. data[..4]])),
            Throws.TypeOf<DamagedFileException>().With.Message.Contains("checksum"));
    }

    [Test]
    public void Every_flipped_bit_is_noticed()
    {
        byte[] bytes = Bytes(new SafetensorsWriter().WithMetadata("model", "m").Add("w", new float[] { 1, 2 }, 2).Add(
            "mask.w", new byte[] { 1, 0 }, 2));
        // Within the checksum's own name a flip turns the pair into metadata of another name; nothing else is changed by it.
        int keyStart = bytes.AsSpan().IndexOf("boosting-ticket.sha256"u8), keyEnd = keyStart + "boosting-ticket.sha256".Length;
        for (int bit = 0; bit < 8 * bytes.Length; bit++)
        {
            if (bit / 8 >= keyStart && bit / 8 < keyEnd)
                continue;
            byte[] flipped = [.. bytes];
            flipped[bit / 8] ^= (byte)(1 << bit % 8);
            Assert.That(() => Open(flipped).Dispose(), Throws.TypeOf<DamagedFileException>(), $"bit {bit % 8} of byte {bit / 8}");
        }
    }

    [Test]
    public void Every_truncation_is_noticed()
    {
        byte[] bytes = Bytes(new SafetensorsWriter().Add("w", new float[] { 1, 2 }, 2));
        for (int length = 0; length < bytes.Length; length++)
            Assert.That(() => Open(bytes[..length]).Dispose(), Throws.TypeOf<DamagedFileException>(), $"cut to {length} bytes");
        Assert.That(() => Open([.. bytes, 0]).Dispose(), Throws.TypeOf<DamagedFileException>(), "one byte more");
    }

    [Test]
    public void A_missing_file_is_a_configuration_error()
    {
        ConfigurationException error = Assert.Throws<ConfigurationException>(
            () => SafetensorsFile.Open(_folder["none.safetensors"]).Dispose())!;
        Assert.That(
            error.Message, Is.EqualTo($"There is no file {_folder["none.safetensors"]}; give the path of a safetensors file."));
        Assert.That(() => SafetensorsFile.Open(_folder.Path).Dispose(),
            Throws.TypeOf<ConfigurationException>().With.Message.StartsWith($"Cannot read {_folder.Path}"));
    }

    [Test]
    public void The_writer_refuses_what_the_format_cannot_hold()
    {
        SafetensorsWriter writer = new SafetensorsWriter().Add("w", new float[6], 2, 3);
        Assert.That(() => writer.Add("w", new float[1], 1), Throws.ArgumentException.With.Message.Contains("already has"));
        Assert.That(() => writer.Add("__metadata__", new float[1], 1), Throws.ArgumentException);
        Assert.That(() => writer.Add("v", new float[5], 2, 3), Throws.ArgumentException.With.Message.Contains(
            "5 elements do not fill [2, 3]"));
        Assert.That(() => writer.Add("\ud800", new float[1], 1), Throws.ArgumentException.With.Message.Contains("surrogate"));
        Assert.That(() => writer.WithMetadata("boosting-ticket.sha256", "x"), Throws.ArgumentException);
        Assert.That(() => writer.AddBytes("v", SafetensorsType.F32, new byte[5], 1), Throws.ArgumentException);
    }

    private static IEnumerable<TestCaseData> BadHeaders()
    {
        const string W = """
            "w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}
            """;
        yield return Case("[1]", 0, "does not begin with '{'");
        yield return Case(" {}", 0, "does not begin with '{'");
        yield return Case("", 0, "does not begin with '{'");
        yield return Case("{", 0, "is not JSON");
        yield return Case("{}x", 0, "is not JSON");
        yield return Case("{\"\ud800\":1}".Replace("\ud800", "\\ud800", StringComparison.Ordinal), 0, "not Unicode");
        yield return Case($"{{{W}}}", 7, "tensor 'w' ends 1 bytes past the end");
        yield return Case($"{{{W}}}", 9, "1 bytes after the last tensor");
        yield return Case($"{{{W},{W}}}", 8, "names 'w' twice");
        yield return Case($"{{{W},{W.Replace("\"w\"", "\"v\"", StringComparison.Ordinal)}}}", 8, "overlap");
        yield return Case("""{"w":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}""", 12, "4 bytes before tensor 'w'");
        yield return Case("""{"w":{"dtype":3,"shape":[2],"data_offsets":[0,8]}}""", 8, "tensor 'w' has no dtype");
        yield return Case("""{"w":{"shape":[2],"data_offsets":[0,8]}}""", 8, "tensor 'w' has no dtype");
        yield return Case("""{"w":{"dtype":"F32","data_offsets":[0,8]}}""", 8, "tensor 'w' has no shape");
        yield return Case("""{"w":{"dtype":"F32","shape":[2]}}""", 8, "tensor 'w' has no data_offsets");
        yield return Case("""{"w":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}""", 8,
            "tensor 'w' has 8 bytes, which are not F32 [3]");
        yield return Case("""{"w":{"dtype":"F64","shape":[2],"data_offsets":[0,8]}}""", 8, "which are not F64 [2]");
        yield return Case("""{"w":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}""", 8, "the shape of tensor 'w'");
        yield return Case("""{"w":{"dtype":"F32","shape":[2.0],"data_offsets":[0,8]}}""", 8, "the shape of tensor 'w'");
        yield return Case("""{"w":{"dtype":"F32","shape":["2"],"data_offsets":[0,8]}}""", 8, "the shape of tensor 'w'");
        yield return Case("""{"w":{"dtype":"F32","shape":[4294967296,4294967296,4],"data_offsets":[0,0]}}""", 0, "has 0 bytes");
        yield return Case("""{"w":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}""", 8, "data_offsets of tensor 'w'");
        yield return Case("""{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8,9]}}""", 8, "data_offsets of tensor 'w'");
        yield return Case("""{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,18446744073709551615]}}""", 8,
            "data_offsets of tensor 'w'");
        yield return Case(
            """{"w":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 8, "the member 'dtype' twice");
        yield return Case("""{"w":8}""", 8, "tensor 'w' is not described");
        yield return Case("""{"__metadata__":3}""", 0, "metadata is not an object");
        yield return Case("""{"__metadata__":{"a":3}}""", 0, "metadata 'a' is not a string");
        yield return Case("""{"__metadata__":{"a":"b","a":"b"}}""", 0, "metadata names 'a' twice");
        yield return Case("{\"w\":" + new string('[', 1000), 0, "is not JSON");

        static TestCaseData Case(string header, int dataLength, string problem) =>
            new TestCaseData(Raw(header, new byte[dataLength]), problem).SetArgDisplayNames(
                header.Length > 60 ? header[..60] : header, problem);
    }

    [TestCaseSource(nameof(BadHeaders))]
    public void A_bad_header_is_one_sentence(byte[] bytes, string problem)
    {
        DamagedFileException error = Assert.Throws<DamagedFileException>(() => Open(bytes).Dispose())!;
        Assert.That(error.Message, Does.StartWith("x.safetensors is damaged or no safetensors file: ").And.Contains(problem));
        Assert.That(error.Message, Does.EndWith("; restore it from a copy or make it again."));
    }

    [Test]
    public void A_bad_header_length_is_one_sentence()
    {
        byte[] bytes = Bytes(new SafetensorsWriter().Add("w", new float[] { 1, 2 }, 2));
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, (ulong)bytes.Length);
        Assert.That(
            () => Open(bytes), Throws.TypeOf<DamagedFileException>().With.Message.Contains("goes past the end of the file"));
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, ulong.MaxValue);
        Assert.That(
            () => Open(bytes), Throws.TypeOf<DamagedFileException>().With.Message.Contains("over the limit of 100000000"));
        Assert.That(() => Open(Raw("{\"\xff\"}", [])), Throws.TypeOf<DamagedFileException>());
    }

    internal static SafetensorsFile Open(byte[] bytes) => SafetensorsFile.Open(new MemoryStream(bytes), Shown);

    internal static byte[] Bytes(SafetensorsWriter writer)
    {
        using var stream = new MemoryStream();
        writer.Write(stream);
        return stream.ToArray();
    }

    internal static byte[] Raw(string header, byte[] data)
    {
        byte[] json = Encoding.UTF8.GetBytes(header);
        byte[] length = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, json.Length);
        return [.. length, .. json, .. data];
    }

    private static T[] Read<T>(SafetensorsFile file, SafetensorsEntry entry)
        where T : unmanaged
    {
        var values = new T[entry.Length];
        file.Read<T>(entry, values);
        return values;
    }

    private static float[] Singles(SafetensorsFile file, string name)
    {
        Assert.That(file.TryFind(name, out SafetensorsEntry? entry));
        float[] values = new float[entry!.Length];
        file.ReadSingles(entry, values);
        return values;
    }
}
