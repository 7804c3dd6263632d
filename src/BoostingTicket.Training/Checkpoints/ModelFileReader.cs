using System.Globalization;
using BoostingTicket.Engine.Graph;
using BoostingTicket.Training.Files;
using BoostingTicket.Training.Models;
using BoostingTicket.Training.Pruning;

namespace BoostingTicket.Training.Checkpoints;

/// <summary>Reads the tensors of a model from a file and checks that they are what the model needs.</summary>
internal sealed class ModelFileReader : IDisposable
{
    /// <summary>How the names of masks begin.</summary>
    public const string MaskPrefix = "mask.";

    /// <summary>How the names begin of what says which channels are kept.</summary>
    public const string ChannelPrefix = "channels.";

    private readonly SafetensorsFile _file;
    private readonly NetworkGraph _graph;
    private Dictionary<string, SafetensorsEntry> _entries = new(StringComparer.Ordinal);
    private ForeignTensors? _foreign;

    private ModelFileReader(SafetensorsFile file, NetworkGraph graph)
    {
        _file = file;
        _graph = graph;
    }

    /// <summary>Where the tensors come from; null for a file of somebody else.</summary>
    public ModelFileMetadata? Metadata { get; private set; }

    /// <summary>What was ignored in a file of somebody else, a sentence each.</summary>
    public IReadOnlyList<string> Notes => _foreign?.Notes ?? [];

    /// <summary>Opens a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="graph">The model that its tensors have to fit.</param>
    /// <param name="kind">What it has to be; files of others may be anything that fits.</param>
    /// <exception cref="ConfigurationException">There is no such file, or it is another kind or model.</exception>
    /// <exception cref="DamagedFileException">It is damaged.</exception>
    public static ModelFileReader Open(string path, NetworkGraph graph, FileKind kind)
    {
        ArgumentNullException.ThrowIfNull(graph);
        var reader = new ModelFileReader(SafetensorsFile.Open(path), graph);
        try
        {
            reader.CheckOrigin(kind);
            reader.MapNames(kind);
            return reader;
        }
        catch
        {
            reader.Dispose();
            throw;
        }
    }

    /// <summary>Makes sure that the file has exactly the tensors of these parts.</summary>
    /// <exception cref="ConfigurationException">The file is this model's, but masks other tensors.</exception>
    /// <exception cref="DamagedFileException">A tensor is missing or surplus.</exception>
    public void RequireExactly(bool state, bool mask)
    {
        HashSet<string> wanted = [];
        if (state)
            wanted.UnionWith(_graph.Table.All.Select(parameter => parameter.Name));
        if (mask)
            wanted.UnionWith(_graph.Table.Prunable.Where(HasMask).Select(parameter => MaskPrefix + parameter.Name));
        if (mask && _graph.Channels is not null)
            wanted.UnionWith(ChannelGroups.Of(_graph).All.Select(group => ChannelPrefix + group.Name));
        string[] missing = [.. wanted.Where(name => !_entries.ContainsKey(name)).Order(StringComparer.Ordinal)];
        string[] surplus = [.. _entries.Keys.Where(name => !wanted.Contains(name)).Order(StringComparer.Ordinal)];
        if (missing.Length + surplus.Length == 0)
            return;

        string difference = string.Join(" and ", new[] { TensorNames.List("lacks", missing), TensorNames.List(
            "has the surplus", surplus) }.Where(part => part.Length > 0));
        if (Metadata is not null && missing.Concat(surplus).All(name => name.StartsWith(MaskPrefix, StringComparison.Ordinal)))
        {
            throw new ConfigurationException(
                $"{_file.Path} {difference}: it was made with another choice of prunable tensors of {_graph.Name}; choose the "
                + $"same, or give another file.");
        }

        throw new DamagedFileException($"{_file.Path} {difference} for the model {_graph.Name}; give a file of this model.");
    }

    /// <summary>Reads all parameters and statistics.</summary>
    /// <exception cref="DamagedFileException">One has another type or shape, or holds a value that it cannot have.</exception>
    public ModelState ReadState()
    {
        // Before memory is asked for: a few letters of metadata can name a network of gigabytes.
        foreach (Parameter parameter in _graph.Table.All)
            Find(parameter.Name, SafetensorsType.F32, parameter);
        var state = new ModelState(_graph.Table);
        foreach (Parameter parameter in _graph.Table.All)
        {
            Span<float> values = state[parameter];
            _file.Read(Find(parameter.Name, SafetensorsType.F32, parameter), values);
            ApplyFactor(parameter, values);
            RequireValues(parameter, values, parameter.Name, _file.Path);
        }

        return state;
    }

    /// <summary>Reads all masks.</summary>
    /// <exception cref="DamagedFileException">One has another type or shape, or holds a value other than 0 and 1.</exception>
    public Mask ReadMask()
    {
        foreach (Parameter parameter in _graph.Table.Prunable.Where(HasMask))
            FindMask(MaskPrefix + parameter.Name, parameter);
        byte[] values = new byte[_graph.Table.PrunableLength];
        foreach (Parameter parameter in _graph.Table.Prunable)
        {
            Span<byte> layer = values.AsSpan(parameter.Offset, parameter.Length);
            if (!HasMask(parameter))
                layer.Fill(1);
            else
                MaskValues.Read(_file, FindMask(MaskPrefix + parameter.Name, parameter), layer);
        }

        return new Mask(_graph.Table, values);
    }

    /// <summary>Reads which channels of the model are kept; null where all are.</summary>
    /// <param name="full">The model.</param>
    /// <exception cref="DamagedFileException">A choice has another type or shape, holds a value other than 0 and 1, or keeps more
    /// or fewer channels than the network has.</exception>
    public ChannelSelection? ReadChannels(NetworkGraph full)
    {
        if (_graph.Channels is not { } widths)
            return null;
        var kept = new List<int[]>();
        foreach ((ChannelGroup group, int width) in ChannelGroups.Of(full).All.Zip(widths))
        {
            byte[] flags = new byte[group.Channels];
            _file.ReadBytes(_file.Require(ChannelPrefix + group.Name, SafetensorsType.U8, [group.Channels]), flags);
            if (flags.AsSpan().ContainsAnyExcept((byte)0, (byte)1) || flags.AsSpan().Count((byte)1) != width)
            {
                throw new DamagedFileException(
                    $"Tensor '{ChannelPrefix}{group.Name}' of {_file.Path} does not choose {width} channels by ones; restore the "
                    + "file from a copy or make it again.");
            }

            kept.Add([.. Enumerable.Range(0, group.Channels).Where(channel => flags[channel] == 1)]);
        }

        return new ChannelSelection(full, kept);
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private void CheckOrigin(FileKind kind)
    {
        FileKind actual = ModelFileMetadata.KindOf(_file.Metadata, _file.Path);
        if (actual != kind && actual != FileKind.Other)
        {
            throw new ConfigurationException(
                $"{_file.Path} is a {ModelFileMetadata.NameOf(actual)} file where a {ModelFileMetadata.NameOf(kind)} file is "
                + $"needed; give one of that kind.");
        }

        Metadata = ModelFileMetadata.FromPairs(_file.Metadata, _file.Path);
        if (Metadata is { } origin && origin.Model != _graph.Name)
        {
            throw new ConfigurationException(
                $"{_file.Path} is a {ModelFileMetadata.NameOf(kind)} file of the model {origin.Model}, not of {_graph.Name}; "
                + $"choose that model, or give another file.");
        }

        Metadata?.RequireFits(_file.Path, _graph.Input.Shape, _graph.Classes);
        if (Metadata is { } written && !(written.Channels ?? []).SequenceEqual(_graph.Channels ?? []))
        {
            throw new ConfigurationException(
                $"{_file.Path} is of another choice of channels of {_graph.Name}; give a file of the same ticket.");
        }
    }

    private void MapNames(FileKind kind)
    {
        if (Metadata is null)
        {
            _foreign = ForeignTensors.Map(_file, _graph, kind);
            _entries = _foreign.Entries;
            return;
        }

        foreach (SafetensorsEntry entry in _file.Tensors)
            _entries.Add(entry.Name, entry);
    }

    private bool HasMask(Parameter parameter) => _foreign?.Whole.Contains(parameter.Name) != true;

    private void ApplyFactor(Parameter parameter, Span<float> values)
    {
        if (_foreign?.Factors.GetValueOrDefault(parameter.Name) is not { } entry)
            return;
        RequireShape(entry, parameter, entry.Type, _file.Path, _graph.Name);
        byte[] mask = new byte[values.Length];
        MaskValues.Read(_file, entry, mask);
        for (int i = 0; i < mask.Length; i++)
        {
            if (mask[i] == 0)
                values[i] = 0;
        }
    }

    // Others keep masks in the format that they compute with.
    private SafetensorsEntry FindMask(string name, Parameter parameter)
    {
        if (_foreign is null)
            return Find(name, SafetensorsType.U8, parameter);
        RequireShape(_entries[name], parameter, SafetensorsType.U8, _file.Path, _graph.Name);
        return _entries[name];
    }

    private SafetensorsEntry Find(string name, SafetensorsType type, Parameter parameter)
    {
        SafetensorsEntry entry = _entries[name];
        RequireShape(entry, parameter, type, _file.Path, _graph.Name);
        if (entry.Type != type)
        {
            throw new DamagedFileException(
                $"Tensor '{entry.Name}' of {_file.Path} is of type {entry.TypeName} where {type.HeaderName()} is needed; save "
                    + $"it as {type.HeaderName()}, or give another file.");
        }

        return entry;
    }

    /// <summary>Makes sure that a tensor has the shape of a parameter.</summary>
    /// <exception cref="DamagedFileException">It does not; the message names it.</exception>
    public static void RequireShape(SafetensorsEntry entry, Parameter parameter, SafetensorsType type, string path, string model)
    {
        long[] shape = [.. parameter.Spec.Dimensions.Select(dimension => (long)dimension)];
        if (!entry.Shape.SequenceEqual(shape))
        {
            throw new DamagedFileException(
                $"Tensor '{entry.Name}' of {path} is {entry.Description} where {model} needs "
                + $"{SafetensorsEntry.Describe(type, shape)}; give a file of this model.");
        }
    }

    /// <summary>Makes sure that a parameter's values are such as a trained network can have.</summary>
    /// <exception cref="DamagedFileException">One is not; the message names it.</exception>
    public static void RequireValues(Parameter parameter, ReadOnlySpan<float> values, string name, string path)
    {
        bool variance = parameter.Role == ParameterRole.RunningVariance;
        for (int i = 0; i < values.Length; i++)
        {
            if (!float.IsFinite(values[i]) || (variance && values[i] < 0))
            {
                throw new DamagedFileException(string.Create(
                    CultureInfo.InvariantCulture,
                    $"Tensor '{name}' of {path} holds {values[i]} at index {i}, which no trained "
                    + $"{(variance ? "variance" : "value")} is; give another file."));
            }
        }
    }
}
