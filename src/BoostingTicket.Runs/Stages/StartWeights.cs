using BoostingTicket.Engine.Graph;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Runs.Folders;
using BoostingTicket.Training;
using BoostingTicket.Training.Checkpoints;
using BoostingTicket.Training.Data;
using BoostingTicket.Training.Files;
using BoostingTicket.Training.Models;

namespace BoostingTicket.Runs.Stages;

/// <summary>Weights that trainings begin from in place of drawn ones: of this program, or of a PyTorch program with the repairs
/// of <see cref="WeightImport"/>. They bring the normalisation of images that they were trained behind.</summary>
internal sealed class StartWeights
{
    private readonly ModelState _state;
    private readonly FeatureShape? _input;

    private StartWeights(
        string path, string model, ModelState state, InputNormalizationConstants? normalization, FeatureShape? input,
        FileOrigin? origin, IReadOnlyList<string> notes)
    {
        Path = path;
        Model = model;
        _state = state;
        _input = input;
        Normalization = normalization;
        Origin = origin;
        Notes = notes;
    }

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>Name of the model that they are for.</summary>
    public string Model { get; }

    /// <summary>What they expect images to be normalised by; null for nothing.</summary>
    public InputNormalizationConstants? Normalization { get; }

    /// <summary>SHA-256 of all values and of the normalisation, lower-case hexadecimal, whatever file they are in.</summary>
    internal string Hash => RunOwner.HashOf(_state, Normalization);

    /// <summary>The settings that they come from.</summary>
    public FileOrigin? Origin { get; }

    /// <summary>What was changed about a file of another program, a sentence each.</summary>
    public IReadOnlyList<string> Notes { get; }

    /// <summary>Reads a file.</summary>
    /// <param name="path">A weights file of this program, or a file of a PyTorch program.</param>
    /// <param name="model">Name of the model, where a file of another program does not tell it; null to tell it by the
    /// tensors.</param>
    /// <param name="prefix">What the names of the network's tensors begin with in a file of another program; null to find
    /// it.</param>
    /// <exception cref="ConfigurationException">There is no such file, or it is of another kind, or holds several
    /// networks.</exception>
    /// <exception cref="DamagedFileException">It is damaged, or a tensor is missing or surplus.</exception>
    public static StartWeights Read(string path, string? model = null, string? prefix = null)
    {
        if (WeightFile.ReadMetadata(path) is { } metadata)
            return ReadOwn(path, metadata, FileOrigin.Read(path));
        ImportedWeights imported = WeightImport.Read(path, new ImportOptions(Model: model, Prefix: prefix));
        return new StartWeights(
            path, imported.Graph.Name, imported.State, imported.Normalization, input: null, FileOrigin.Of(path, imported),
            [.. imported.Repairs.Select(repair => $"{path}: {repair.Description}")]);
    }

    /// <summary>The weights that a folder's trainings began from, if its command was given any; null otherwise, or where they
    /// are not kept yet.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="seed">One of its seeds.</param>
    internal static StartWeights? Kept(RunFolder folder, ulong seed)
    {
        if (!File.Exists(folder.Command) || !File.Exists(folder.Initial(seed)))
            return null;
        RunOwner owner = RunJson.Read<RunOwner>(StoredFiles.ReadText(folder.Command), folder.Command);
        return owner.Weights is not null && WeightFile.ReadMetadata(folder.Initial(seed)) is { } metadata
            ? ReadOwn(folder.Initial(seed), metadata, origin: null)
            : null;
    }

    /// <summary>The network that a configuration asks for, behind the weights' normalisation.</summary>
    /// <param name="configuration">The settings.</param>
    /// <param name="data">The images.</param>
    /// <exception cref="ConfigurationException">The weights are for another model, other images or other classes, or the
    /// settings ask for another normalisation.</exception>
    internal NetworkGraph Build(RunConfiguration configuration, DataSplit data)
    {
        NetworkGraph graph = TicketRun.BuildModel(configuration, data, Normalization);
        if (graph.Name != Model)
        {
            throw new ConfigurationException(
                $"{Path} has weights of the model {Model}, not of {graph.Name}; choose that model ({Setting.Named("model")}), or "
                + "give other weights.");
        }

        if (configuration.Data.Normalize != Normalization is not null)
        {
            throw new ConfigurationException(
                $"{Path} was trained with{(Normalization is null ? "out" : "")} normalisation of its images, while "
                + $"{Setting.Named("data.normalize")} is {(configuration.Data.Normalize ? "true" : "false")}; leave that out.");
        }

        if (_input is { } input && input != graph.Input.Shape)
        {
            throw new ConfigurationException(
                $"{Path} is for images of {input}, but those of {configuration.Data.Name} are {graph.Input.Shape}; choose "
                + $"another "
                + $"data set ({Setting.Named("data.name")}), or give other weights.");
        }

        foreach (Parameter parameter in graph.Table.All)
        {
            if (_state.Table.Find(parameter.Name) is not { } given || !given.Spec.Dimensions.SequenceEqual(
                parameter.Spec.Dimensions))
            {
                throw new ConfigurationException(
                    $"{Path} is for other images or classes than those of {configuration.Data.Name} ({graph.Classes} classes of "
                    + $"images of {graph.Input.Shape}): its {parameter.Name} has another shape; choose another data set "
                    + $"({Setting.Named("data.name")}), or give other weights.");
            }
        }

        return graph;
    }

    /// <summary>The weights as the parameters of a network that <see cref="Build"/> made.</summary>
    internal ModelState For(NetworkGraph graph)
    {
        var state = new ModelState(graph.Table);
        foreach (Parameter parameter in graph.Table.All)
            _state[parameter.Name].CopyTo(state[parameter]);
        return state;
    }

    private static StartWeights ReadOwn(string path, ModelFileMetadata metadata, FileOrigin? origin)
    {
        NetworkGraph graph = ModelCatalog.Build(
            metadata.Model, new ModelOptions(metadata.Input, metadata.Classes, metadata.Normalization));
        return new StartWeights(
            path, graph.Name, WeightFile.Load(path, graph).State, metadata.Normalization, metadata.Input, origin, []);
    }
}
