using System.Text.Json;
using System.Text.Json.Nodes;
using BoostingTicket.Engine.Devices;
using BoostingTicket.Runs.Folders;
using BoostingTicket.Training;
using BoostingTicket.Training.Checkpoints;
using BoostingTicket.Training.Data;
using BoostingTicket.Training.Models;

namespace BoostingTicket.Runs.Configuration;

/// <summary>The settings that a weights, ticket or mask file comes from: those that it carries; for a file of version 0.1.0,
/// those of the run's folder that it lies in.</summary>
/// <param name="Path">The file.</param>
/// <param name="Configuration">The settings; null where neither the file nor a folder says. Its device is <c>auto</c>: where to
/// compute is a matter of the machine.</param>
/// <param name="Source">What to call the settings; what is assumed, where there are none.</param>
internal sealed record FileOrigin(string Path, RunConfiguration? Configuration, string Source)
{
    /// <summary>The model that the file names; null for a file of another program.</summary>
    public string? Model { get; private init; }

    /// <summary>Whether the model begins by normalising images; null for a file of another program.</summary>
    public bool? Normalize { get; private init; }

    /// <summary>Name of the data set whose defaults are taken where there are no settings; never null then.</summary>
    public string? AssumedDataSet { get; private init; }

    /// <summary>Whether the file itself says where it comes from.</summary>
    public bool IsCarried { get; private init; }

    /// <summary>Reads where a file comes from.</summary>
    /// <param name="path">The file.</param>
    /// <returns>Null where there is no such file; whoever needs it says so.</returns>
    /// <exception cref="ConfigurationException">The file cannot be read, or a later version wrote it.</exception>
    /// <exception cref="DamagedFileException">It is damaged, or its settings cannot be used.</exception>
    public static FileOrigin? Read(string path)
    {
        if (!File.Exists(path))
            return null;
        ModelFileMetadata? metadata = WeightFile.ReadMetadata(path);
        FileOrigin origin = metadata?.Settings is { } settings
            ? new FileOrigin(path, Parse(settings, path), $"those that {path} carries") { IsCarried = true }
            : OfFolder(path) ?? Assume(path, metadata);
        if (metadata is null)
            return origin;
        // What the file says of its own tensors goes before what was written about a run.
        bool normalize = metadata.Normalization is not null;
        RunConfiguration? configuration = origin.Configuration;
        return origin with
        {
            Model = metadata.Model,
            Normalize = normalize,
            Configuration = configuration is null ? null : configuration with
            {
                Model = metadata.Model,
                Data = configuration.Data with { Normalize = normalize },
            },
        };
    }

    /// <summary>The origin of a network that was imported from another program's file, which carries no settings.</summary>
    /// <param name="path">The file.</param>
    /// <param name="imported">The network.</param>
    public static FileOrigin Of(string path, ImportedWeights imported)
    {
        ArgumentNullException.ThrowIfNull(imported);
        ModelFileMetadata metadata = ModelFileMetadata.Of(imported.Graph, imported.Normalization);
        return Assume(path, metadata) with { Model = metadata.Model, Normalize = imported.Normalization is not null };
    }

    /// <summary>Where the configuration of the run is that a seed's file belongs to; it need not exist.</summary>
    /// <param name="file">A file in the folder of a seed.</param>
    public static string ConfigurationBeside(string file)
    {
        string? seed = System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(file));
        return new RunFolder(System.IO.Path.GetDirectoryName(seed) ?? ".").Configuration;
    }

    private static FileOrigin? OfFolder(string path)
    {
        string beside = ConfigurationBeside(path);
        if (!File.Exists(beside))
            return null;
        JsonObject settings = ConfigurationSources.ReadFile(beside);
        MachineSettings.Take(settings, beside);
        return new FileOrigin(path, Build(settings, beside), $"{beside}, the run that {path} lies in");
    }

    // A file of version 0.1.0 outside its run, or of another program.
    private static FileOrigin Assume(string path, ModelFileMetadata? metadata)
    {
        (string? set, string reason) = metadata is null ? (null, "") : Recognize(metadata);
        string source = set is null
            ? $"defaults of {DataSetDefaults.DataSet}, since {path} carries none and "
                + $"does not name its data set"
            : $"defaults of {set}, assumed from {reason}, since {path} carries none";
        return new FileOrigin(path, null, source) { AssumedDataSet = set ?? DataSetDefaults.DataSet };
    }

    private static (string? Set, string Reason) Recognize(ModelFileMetadata metadata)
    {
        bool Fits(IDataSet set) => set.Shape == metadata.Input && set.Classes.Count == metadata.Classes;
        if (metadata.Normalization is { } constants
            && DataSetCatalog.All.FirstOrDefault(set =>
                Fits(set) && set.Normalization is { } usual && usual.ContentEquals(constants)) is { } known)
            return (known.Name, "its normalisation");
        if (metadata.Preset is { } name && Presets.All.FirstOrDefault(preset => preset.Name == name) is { } preset
            && DataSetCatalog.All.FirstOrDefault(set => set.Name == preset.Configuration.Data.Name && Fits(set)) is { } named)
            return (named.Name, $"its preset {name}");
        return (null, "");
    }

    // The text may be anybody's: it is read like a configuration file, and nothing of it is repeated.
    private static RunConfiguration Parse(string settings, string path)
    {
        try
        {
            var options = new JsonDocumentOptions { AllowDuplicateProperties = false, MaxDepth = 16 };
            if (JsonNode.Parse(settings, documentOptions: options) is not JsonObject root)
                throw new JsonException("no object");
            return Build(root, path);
        }
        catch (Exception error) when (
            error is JsonException or ConfigurationException or InvalidOperationException or ArgumentException)
        {
            throw new DamagedFileException(
                $"The settings that {path} carries cannot be used; choose others with {Setting.Named("preset")} or "
                + $"{Setting.Named("config")}, or give "
                + "another file.", error);
        }
    }

    private static RunConfiguration Build(JsonObject settings, string file)
    {
        var draft = new ConfigurationDraft(new RunConfiguration());
        draft.Overlay(settings, file);
        RunConfiguration configuration = draft.Build();
        configuration.Validate();
        IDataSet set = DataSetCatalog.Find(configuration.Data.Name);
        ModelCatalog.Describe(configuration.Model);
        return configuration with
        {
            Device = DeviceCatalog.Auto,
            // Parts of experiments come from no preset that a file could name.
            Preset = Presets.Names.Contains(configuration.Preset) ? configuration.Preset : set.Conventions.Presets[0],
        };
    }
}
