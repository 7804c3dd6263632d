using System.Globalization;
using BoostingTicket.Training.Files;

namespace BoostingTicket.Training.Checkpoints;

/// <summary>The tensors of a file of another program, with each pair <c>NAME_orig</c> and <c>NAME_mask</c> of
/// <c>torch.nn.utils.prune</c> as the one tensor NAME that the program computed with: their product.</summary>
internal sealed class PrunedTensors
{
    private readonly SafetensorsFile _file;
    private readonly Dictionary<string, SafetensorsEntry> _values = new(StringComparer.Ordinal);
    private readonly Dictionary<string, SafetensorsEntry> _masks = new(StringComparer.Ordinal);
    private long _weights, _zeros;

    /// <summary>Finds the pairs; reads none.</summary>
    public PrunedTensors(SafetensorsFile file)
    {
        _file = file;
        foreach (SafetensorsEntry entry in file.Tensors)
        {
            string? parameter = PyTorchNames.PrunedParameter(entry.Name, name => file.TryFind(name, out _), out bool mask);
            // A file that has NAME as well keeps all three apart.
            bool pair = parameter is not null && !file.TryFind(parameter, out _);
            (pair && mask ? _masks : _values).Add(pair ? parameter! : entry.Name, entry);
        }

        Shapes = _values.ToDictionary(pair => pair.Key, pair => pair.Value.Shape, StringComparer.Ordinal);
    }

    /// <summary>Shapes by the names that the program computed with.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<long>> Shapes { get; }

    /// <summary>The names that the program computed with, and the file's names of their masks.</summary>
    public IEnumerable<(string Name, string Mask)> Masks => _masks.Select(pair => (pair.Key, pair.Value.Name));

    /// <summary>The tensor that holds a name's values, before its mask where it has one.</summary>
    public SafetensorsEntry Values(string name) => _values[name];

    /// <summary>Multiplies values by their mask; nothing for a tensor without.</summary>
    /// <exception cref="DamagedFileException">The mask has another shape, or a value other than 0 and 1.</exception>
    public void Apply(string name, Span<float> values)
    {
        if (!_masks.TryGetValue(name, out SafetensorsEntry? entry))
            return;
        if (!entry.Shape.SequenceEqual(_values[name].Shape))
            throw new DamagedFileException(
                $"Tensor '{entry.Name}' of {_file.Path} is {entry.Description} where a mask of {_values[name].Description} is "
                    + "needed; give another file.");
        byte[] mask = new byte[values.Length];
        MaskValues.Read(_file, entry, mask);
        for (int i = 0; i < mask.Length; i++)
        {
            if (mask[i] == 0)
                values[i] = 0;
        }

        _weights += mask.Length;
        _zeros += mask.AsSpan().Count((byte)0);
    }

    /// <summary>What the masks that were applied did, in one sentence; null if there were none.</summary>
    public string? Describe() => _masks.Count == 0
        ? null
        : string.Create(
            CultureInfo.InvariantCulture,
            $"The masks of torch.nn.utils.prune were applied: {_zeros:N0} of {_weights:N0} weights are zero.");
}
