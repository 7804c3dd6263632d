using System.Globalization;
using BoostingTicket.Training.Files;

namespace BoostingTicket.Training.Tests.Golden;

/// <summary>Golden values of one network, or of attacks, computed by TorchSharp; see tests/golden/README.md for the
/// tensors.</summary>
internal sealed class GoldenFile : IDisposable
{
    private readonly SafetensorsFile _file;

    /// <summary>Opens the copy beside the tests.</summary>
    public GoldenFile(string model) =>
        _file = SafetensorsFile.Open(Path.Combine(AppContext.BaseDirectory, "golden", model + ".safetensors"));

    /// <summary>Values of an F32 tensor.</summary>
    public float[] this[string name]
    {
        get
        {
            SafetensorsEntry entry = Find(name);
            float[] values = new float[entry.Length];
            _file.Read(entry, values.AsSpan());
            return values;
        }
    }

    /// <summary>The class of each image.</summary>
    public int[] Labels => Integers("labels");

    /// <summary>Values of an I64 tensor.</summary>
    public int[] Integers(string name)
    {
        SafetensorsEntry entry = Find(name);
        long[] values = new long[entry.Length];
        _file.Read(entry, values.AsSpan());
        return [.. values.Select(value => (int)value)];
    }

    /// <summary>Values of a U8 tensor.</summary>
    public byte[] Bytes(string name)
    {
        SafetensorsEntry entry = Find(name);
        byte[] values = new byte[entry.Length];
        _file.ReadBytes(entry, values);
        return values;
    }

    /// <summary>The mask of a parameter, 1 kept and 0 pruned.</summary>
    public byte[] Mask(string parameter)
    {
        SafetensorsEntry entry = Find("mask." + parameter);
        byte[] values = new byte[entry.Length];
        _file.Read(entry, values.AsSpan());
        return values;
    }

    /// <summary>A constant of the metadata.</summary>
    public double Constant(string key) => double.Parse(_file.Metadata[key], CultureInfo.InvariantCulture);

    /// <summary>Shape of a tensor.</summary>
    public IReadOnlyList<long> Shape(string name) => Find(name).Shape;

    /// <summary>Names of the tensors that begin with a prefix, without it.</summary>
    public IEnumerable<string> Names(string prefix) => _file.Tensors
        .Where(entry => entry.Name.StartsWith(prefix, StringComparison.Ordinal))
        .Select(entry => entry.Name[prefix.Length..]);

    public void Dispose() => _file.Dispose();

    private SafetensorsEntry Find(string name) =>
        _file.TryFind(name, out SafetensorsEntry? entry) ? entry : throw new KeyNotFoundException($"{_file.Path} has no {name}.");
}
