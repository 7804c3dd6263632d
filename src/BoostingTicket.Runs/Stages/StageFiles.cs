using System.Text.Json;
using BoostingTicket.Engine.Graph;
using BoostingTicket.Engine.Plans;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Runs.Folders;
using BoostingTicket.Training.Checkpoints;
using BoostingTicket.Training.Data;
using BoostingTicket.Training.Evaluation;
using BoostingTicket.Training.Files;
using BoostingTicket.Training.Models;
using BoostingTicket.Training.Optimization;
using BoostingTicket.Training.Pruning;

namespace BoostingTicket.Runs.Stages;

/// <summary>The files of one seed's stages in a run's folder, and what they say about where they come from.</summary>
internal sealed class StageFiles
{
    private readonly RunFolder _folder;
    private readonly ulong _seed;
    private readonly ModelFileMetadata _metadata;
    private readonly ModelFileMetadata _checkpointMetadata;
    private readonly RunOwner? _owner;

    /// <summary>Names the files; none is written yet.</summary>
    /// <param name="folder">Where they are kept.</param>
    /// <param name="seed">The seed.</param>
    /// <param name="metadata">Where they come from; see <see cref="Describe"/>.</param>
    /// <param name="owner">Whose ticket the checkpoints are bound to; null for those of the folder itself.</param>
    public StageFiles(RunFolder folder, ulong seed, ModelFileMetadata metadata, RunOwner? owner = null)
    {
        _folder = folder;
        _seed = seed;
        _metadata = metadata;
        _owner = owner;
        _checkpointMetadata = owner is null
            ? metadata
            : metadata with { ConfigurationHash = owner.Bind(metadata.ConfigurationHash!) };
    }

    /// <summary>What the files of a configuration say about where they come from.</summary>
    /// <param name="configuration">The configuration.</param>
    /// <param name="graph">Its network.</param>
    /// <param name="train">Its training images.</param>
    /// <param name="seed">The seed.</param>
    /// <param name="start">Weights that trainings begin from, which bring their normalisation; null for drawn ones.</param>
    public static ModelFileMetadata Describe(
        RunConfiguration configuration, NetworkGraph graph, ImageSet train, ulong seed, StartWeights? start = null) =>
        ModelFileMetadata.Of(
            graph, start is not null ? start.Normalization : configuration.Data.Normalize ? DataNormalization.For(train)
                : null) with
        {
            Preset = configuration.Preset,
            Seed = seed,
            ConfigurationHash = RunJson.Hash(configuration),
            Settings = JsonSerializer.Serialize(configuration, RunJson.Compact),
        };

    /// <summary>The same files, of a network that is narrower than the model.</summary>
    public StageFiles Of(NetworkGraph graph) => new(_folder, _seed, _metadata with { Channels = graph.Channels }, _owner);

    /// <summary>Adds how a ticket was drawn.</summary>
    public static ModelFileMetadata OfTicket(ModelFileMetadata metadata, PruningSettings pruning) =>
        metadata with { PruningRatio = pruning.Ratio, PruningScope = pruning.Scope };

    /// <summary>Writes weights that stages begin from, unless they are there already.</summary>
    public void KeepInitial(ModelState initial)
    {
        string path = _folder.Initial(_seed);
        if (!File.Exists(path))
            WeightFile.Save(path, initial, _metadata);
    }

    /// <summary>Writes a ticket.</summary>
    public void SaveTicket(string stage, ModelState initial, SubNetwork network, PruningSettings pruning) =>
        TicketFile.Save(_folder.Ticket(_seed, stage), initial, network, OfTicket(_metadata, pruning));

    /// <summary>Keeps the weights after one epoch of a stage; null for the epoch 0, or none.</summary>
    public IEpochRule? KeepEpoch(string stage, int? epoch) =>
        epoch is { } number and > 0 ? new EpochKeeper(number, _folder.EpochWeights(_seed, stage, number), _metadata) : null;

    /// <summary>Reads the weights after an epoch of a stage.</summary>
    public ModelState LoadEpoch(string stage, int epoch, NetworkGraph graph) =>
        WeightFile.Load(_folder.EpochWeights(_seed, stage, epoch), graph).State;

    /// <summary>Writes the weights after the last epoch.</summary>
    public void SaveLast(string stage, Network network) => WeightFile.Save(
        _folder.LastWeights(_seed, stage), ModelState.Capture(network.Parameters, network.Backend), _metadata);

    /// <summary>Reads the weights that were best on validation.</summary>
    public ModelState LoadBest(string stage, NetworkGraph graph) =>
        WeightFile.Load(_folder.BestWeights(_seed, stage), graph).State;

    /// <summary>Writes images before and after an attack.</summary>
    public void SaveExamples(string stage, AdversarialExamples examples) => examples.Save(_folder.Examples(_seed, stage));

    /// <summary>File of a stage's result; it exists once the stage is done.</summary>
    public string Result(string stage) => _folder.StageResult(_seed, stage);

    /// <summary>What a trainer keeps of an unfinished stage.</summary>
    public StageStorage Storage(string stage) => new(
        _folder.Checkpoint(_seed, stage), _folder.BestWeights(_seed, stage), _metadata, _checkpointMetadata);

    /// <summary>Deletes the checkpoint of a stage whose result is kept.</summary>
    public void DeleteCheckpoint(string stage) => StoredFiles.Delete(_folder.Checkpoint(_seed, stage));
}
