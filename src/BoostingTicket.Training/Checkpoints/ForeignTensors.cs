using BoostingTicket.Engine.Graph;
using BoostingTicket.Training.Files;

namespace BoostingTicket.Training.Checkpoints;

/// <summary>Finds a model's tensors in a file of another program and gives them this program's names: weights under the model's
/// own, masks behind <see cref="ModelFileReader.MaskPrefix"/>. What is no part of a network is passed over, and said.</summary>
internal sealed class ForeignTensors
{
    private const int Shown = 3;

    private readonly SafetensorsFile _file;
    private readonly NetworkGraph _graph;
    private readonly Dictionary<string, Parameter> _parameters;
    private readonly HashSet<string> _names;
    private readonly List<string> _notes = [];

    private ForeignTensors(SafetensorsFile file, NetworkGraph graph)
    {
        _file = file;
        _graph = graph;
        _parameters = graph.Table.All.ToDictionary(parameter => parameter.Name, StringComparer.Ordinal);
        _names = [.. file.Tensors.Select(entry => PyTorchNames.InModel(entry.Name)).OfType<string>()];
    }

    /// <summary>The tensors by this program's names; those that nothing is known about keep theirs.</summary>
    public Dictionary<string, SafetensorsEntry> Entries { get; } = new(StringComparer.Ordinal);

    /// <summary>Masks to multiply weights by, by the weights' names; for weights files alone.</summary>
    public Dictionary<string, SafetensorsEntry> Factors { get; } = new(StringComparer.Ordinal);

    /// <summary>Prunable parameters that a file by <c>torch.nn.utils.prune</c> has no mask for, which it keeps whole.</summary>
    public HashSet<string> Whole { get; } = new(StringComparer.Ordinal);

    /// <summary>What was ignored, a sentence each.</summary>
    public IReadOnlyList<string> Notes => _notes;

    /// <summary>Reads the names of a file.</summary>
    /// <param name="file">The file.</param>
    /// <param name="graph">The model that it is to fit.</param>
    /// <param name="kind">What is wanted of it.</param>
    /// <exception cref="DamagedFileException">Two tensors have the same name but for their prefixes.</exception>
    /// <exception cref="ConfigurationException">A mask prunes what the model does not prune.</exception>
    public static ForeignTensors Map(SafetensorsFile file, NetworkGraph graph, FileKind kind)
    {
        var tensors = new ForeignTensors(file, graph);
        List<string> beside = [];
        foreach (SafetensorsEntry entry in file.Tensors)
        {
            if (PyTorchNames.InModel(entry.Name) is not { } bare)
                continue;
            if (tensors.NameOf(bare, kind) is not { } name)
                beside.Add(entry.Name);
            else if (!tensors._parameters.ContainsKey(name) && PyTorchNames.IsBeside(bare, entry.Length))
                beside.Add(entry.Name);
            else if (!tensors.Entries.TryAdd(name, entry))
                throw new DamagedFileException($"{file.Path} has two tensors for '{name}'; give a file of one model.");
        }

        if (beside.Count > 0)
        {
            string verb = beside.Count == 1 ? "is" : "are";
            tensors._notes.Add($"{file.Path}: ignored {List(beside)}, which {verb} not needed.");
        }

        tensors.TakeMasks(kind);
        return tensors;
    }

    // Null for what a file of this kind may have and nobody needs.
    private string? NameOf(string bare, FileKind kind)
    {
        if (PyTorchNames.PrunedParameter(bare, _names.Contains, out bool mask) is { } pruned && _parameters.ContainsKey(pruned))
            return mask ? ModelFileReader.MaskPrefix + pruned : kind == FileKind.Mask ? null : pruned;
        if (kind != FileKind.Mask || !_parameters.ContainsKey(bare))
            return bare;
        // Masks under the names of their weights, or weights beside masks.
        return _names.Any(IsMaskName) ? null : ModelFileReader.MaskPrefix + bare;
    }

    private bool IsMaskName(string name) => name.StartsWith(ModelFileReader.MaskPrefix, StringComparison.Ordinal)
        || (PyTorchNames.PrunedParameter(name, _names.Contains, out bool mask) is not null && mask);

    private void TakeMasks(FileKind kind)
    {
        bool pairs = _names.Any(name => PyTorchNames.PrunedParameter(name, _names.Contains, out _) is not null);
        foreach ((string name, Parameter parameter) in _parameters)
        {
            string maskName = ModelFileReader.MaskPrefix + name;
            if (!Entries.TryGetValue(maskName, out SafetensorsEntry? mask))
            {
                if (pairs && parameter.Prunable)
                    Whole.Add(name);
                continue;
            }
            if (kind == FileKind.Weights && pairs)
            {
                Entries.Remove(maskName);
                Factors.Add(name, mask);
            }
            else if (!parameter.Prunable)
            {
                RequireWhole(mask, parameter);
                Entries.Remove(maskName);
                _notes.Add(
                    $"{_file.Path}: ignored the mask of {name}, which keeps everything and is not pruned in {_graph.Name}.");
            }
        }
    }

    private void RequireWhole(SafetensorsEntry entry, Parameter parameter)
    {
        ModelFileReader.RequireShape(entry, parameter, entry.Type, _file.Path, _graph.Name);
        byte[] mask = new byte[parameter.Length];
        MaskValues.Read(_file, entry, mask);
        if (mask.Contains((byte)0))
            throw new ConfigurationException(
                $"{_file.Path} prunes {parameter.Name}, which is not prunable in {_graph.Name}; choose a mask that leaves it "
                + $"whole, or, for a hidden linear layer, set {Setting.Named("pruning.hiddenLinear")} to true.");
    }

    private static string List(List<string> names)
    {
        string list = string.Join(", ", names.Take(Shown).Select(name => $"'{name}'"));
        return names.Count > Shown ? FormattableString.Invariant($"{list} and {names.Count - Shown} more") : list;
    }
}
