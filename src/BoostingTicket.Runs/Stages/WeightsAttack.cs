using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Graph;
using BoostingTicket.Engine.Plans;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Runs.Folders;
using BoostingTicket.Training;
using BoostingTicket.Training.Attacks;
using BoostingTicket.Training.Checkpoints;
using BoostingTicket.Training.Data;
using BoostingTicket.Training.Evaluation;
using BoostingTicket.Training.Files;
using BoostingTicket.Training.Models;
using BoostingTicket.Training.Progress;

namespace BoostingTicket.Runs.Stages;

/// <summary>Attacks by name on saved weights: the command <c>evaluate --attack</c>.</summary>
/// <param name="configuration">Model, data and evaluation.</param>
/// <param name="backend">Where to compute.</param>
/// <param name="data">The data set that the configuration names.</param>
/// <param name="progress">Told how it goes.</param>
internal sealed class WeightsAttack(RunConfiguration configuration, IBackend backend, DataSplit data, IRunProgress progress)
{
    /// <summary>The command that its folder belongs to.</summary>
    public const string Command = "evaluate";

    /// <summary>Measures the robustness of saved weights by named attacks on the configuration's test samples, behind the
    /// normalisation that their file records.</summary>
    /// <param name="weightsPath">A weights file.</param>
    /// <param name="attacks">Names of <see cref="AttackCatalog.Names"/>, at least one.</param>
    /// <param name="keepImages">Whether the images are kept, to be saved afterwards.</param>
    /// <param name="folder">Folder that keeps how far the evaluation is and then its result; must be new unless resumed. Null for
    /// none.</param>
    /// <param name="resume">Continue what the folder holds.</param>
    /// <param name="cancellation">Ends the test between iterations.</param>
    /// <exception cref="DamagedFileException">The weights file is damaged or of another model.</exception>
    /// <exception cref="ConfigurationException">A name is unknown, an attack cannot attack this network, or the folder is in use
    /// or belongs to something else.</exception>
    public AttackOutcome Execute(
        string weightsPath, IReadOnlyList<string> attacks, bool keepImages, string? folder, bool resume,
        CancellationToken cancellation)
    {
        configuration.Validate();
        InputNormalizationConstants? normalization = WeightsNormalization.Of(weightsPath, configuration, data);
        NetworkGraph graph = WeightFile.GraphOf(weightsPath, TicketRun.BuildModel(configuration, data, normalization));
        ModelState state = WeightFile.Load(weightsPath, graph, progress.Note).State;
        RunFolder? files = folder is null ? null : new RunFolder(folder);
        var owner = new RunOwner(
            Command, Weights: RunOwner.HashOf(state, normalization), Attacks: RunOwner.AttacksOf(attacks, keepImages));
        if (files is not null)
            owner = owner.InWordsOf(files);
        RunFolderGuard? guard = files is null
            ? null
            : new RunFolderGuard(files, configuration, owner, RunFolderGuard.Describe(backend, data), resume);
        using RunLock? found = guard?.LockExisting();
        using var network = new Network(graph, backend);
        state.CopyTo(network.Parameters, backend);
        using var images = new RunData(data, configuration.Data, backend);
        RunMemory.Require(configuration, [], network, images, progress);
        using RunLock? created = files is null || found is not null ? null : RunLock.Acquire(files.Root);
        guard?.Claim(progress);
        bool wanted = keepImages;
        // A folder that was begun with images keeps them until it is done, wanted or not.
        keepImages |= owner.KeepsImages;
        AttackStateFile? storage = files is null ? null : new AttackStateFile(
            files.AttackState, owner.BindEvaluation(RunJson.Hash(configuration), data.Test.ContentHash), images.TestCount,
            keepImages ? images.TestCount * images.Shape.Length : 0);
        FeatureShape shape = images.Shape;
        int[] dimensions = [images.TestCount, shape.Channels, shape.Height, shape.Width];
        if (files is not null && File.Exists(files.Result))
        {
            var kept = RunJson.Read<RobustnessResult>(StoredFiles.ReadText(files.Result), files.Result);
            return new AttackOutcome(kept, files, dimensions, wanted ? storage!.Restore()?.Images : null);
        }

        EvaluationSettings settings = configuration.Evaluation;
        var evaluator = new AttackEvaluator(network, images.Test, images.TestSamples, settings.BatchSize, progress);
        if (keepImages)
            evaluator.KeepImages();
        RobustnessResult result = evaluator.Run(
            attacks, settings.Attack, Philox.Key(configuration.Seed, RandomStream.EvaluationAttack), storage, cancellation);
        if (files is not null)
            AtomicFile.WriteAllText(files.Result, RunJson.Write(result));
        return new AttackOutcome(result, files, dimensions, wanted ? evaluator.Adversarial.ToArray() : null);
    }

    /// <summary>Checks that adversarial images can be saved under a name, before attacks that may take hours.</summary>
    /// <exception cref="ConfigurationException">The name is that of a folder or of another kind of file.</exception>
    public static void RequireImageFile(string path)
    {
        if (!path.EndsWith(".npy", StringComparison.OrdinalIgnoreCase) || Directory.Exists(path))
            throw new ConfigurationException($"{Setting.Named("saveAdversarial")} names {path}; name a file that ends in .npy.");
    }
}
