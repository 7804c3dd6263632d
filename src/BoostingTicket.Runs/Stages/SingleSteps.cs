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
using BoostingTicket.Training.Optimization;
using BoostingTicket.Training.Progress;
using BoostingTicket.Training.Pruning;

namespace BoostingTicket.Runs.Stages;

/// <summary>The steps of a run one by one, for people who want to look at, change or replace what lies between them. Each
/// training leaves the same files in its folder as a run's stage does.</summary>
/// <param name="configuration">Model, data, attack, training and evaluation.</param>
/// <param name="backend">Where to compute.</param>
/// <param name="data">The data set that the configuration names.</param>
/// <param name="progress">Receives progress.</param>
public sealed class SingleSteps(RunConfiguration configuration, IBackend backend, DataSplit data, IRunProgress progress)
{
    /// <summary>Name of the stage that <see cref="Train"/> leaves in its folder.</summary>
    public const string TrainStage = "train";

    /// <summary>Name of the stage that <see cref="Retrain(string, string, bool, CancellationToken)"/> leaves in its
    /// folder.</summary>
    public const string RetrainStage = "retrain";

    /// <summary>The command that a folder of <see cref="Attack"/> belongs to.</summary>
    public const string EvaluateCommand = "evaluate";

    /// <summary>Trains the full network from its seed's initial weights by the configuration's <c>dense</c> settings, and
    /// tests it. Leaves initial, last and best weights in the folder.</summary>
    /// <param name="folder">Where files go; must be new unless resumed.</param>
    /// <param name="resume">Continue what the folder holds.</param>
    /// <param name="cancellation">Finishes the step and saves, then ends with <see cref="OperationCanceledException"/>.</param>
    public ArmResult Train(string folder, bool resume, CancellationToken cancellation) =>
        RunStage(folder, resume, TrainStage, Arm.Dense, configuration.Dense, ticket: null, cancellation);

    /// <summary>Trains a ticket by the configuration's <c>retrain</c> settings and tests it.</summary>
    /// <param name="ticketPath">A ticket file: initial weights and mask.</param>
    /// <param name="folder">Where files go; must be new unless resumed.</param>
    /// <param name="resume">Continue what the folder holds.</param>
    /// <param name="cancellation">Finishes the step and saves, then ends with <see cref="OperationCanceledException"/>.</param>
    /// <exception cref="DamagedFileException">The ticket is damaged or of another model.</exception>
    public ArmResult Retrain(string ticketPath, string folder, bool resume, CancellationToken cancellation) =>
        Retrain(ticketPath, maskPath: null, folder, resume, cancellation);

    /// <summary>Trains a ticket, or initial weights under a mask of their own, by the configuration's <c>retrain</c> settings and
    /// tests it.</summary>
    /// <param name="ticketPath">A ticket file: initial weights and mask. With a mask of its own, a weights file.</param>
    /// <param name="maskPath">A mask file; null for the ticket's mask.</param>
    /// <param name="folder">Where files go; must be new unless resumed.</param>
    /// <param name="resume">Continue what the folder holds.</param>
    /// <param name="cancellation">Finishes the step and saves, then ends with <see cref="OperationCanceledException"/>.</param>
    /// <exception cref="DamagedFileException">The ticket is damaged or of another model.</exception>
    public ArmResult Retrain(string ticketPath, string? maskPath, string folder, bool resume, CancellationToken cancellation)
    {
        NetworkGraph graph = BuildGraph();
        Ticket ticket = maskPath is null
            ? TicketFile.Load(ticketPath, graph, progress.Note)
            : new Ticket(
                WeightFile.Load(ticketPath, graph, progress.Note).State,
                MaskFile.Load(maskPath, graph, progress.Note).Mask, null);
        RunChecks.RequireSomeKept(ticket.Mask, $"The mask of {maskPath ?? ticketPath}", "another one");
        // A layer may be cut on purpose, where a shortcut leads around it; nobody should find out after the training.
        foreach (string warning in PruningReport.Describe(ticket.Mask, minimumKept: 0).Warnings)
            progress.Warn(warning);
        return RunStage(folder, resume, RetrainStage, Arm.Ticket, configuration.Retrain, ticket, cancellation);
    }

    /// <summary>Tests saved weights on the configuration's test samples, behind the normalisation that their file
    /// records.</summary>
    /// <param name="weightsPath">A weights file.</param>
    /// <param name="cancellation">Ends the test between batches.</param>
    /// <exception cref="DamagedFileException">The file is damaged or of another model.</exception>
    public TestResult Evaluate(string weightsPath, CancellationToken cancellation)
    {
        configuration.Validate();
        using var network = new Network(BuildGraph(NormalizationOf(weightsPath)), backend);
        WeightFile.Load(weightsPath, network.Graph, progress.Note).State.CopyTo(network.Parameters, backend);
        using var images = new RunData(data, configuration.Data, backend);
        RunMemory.Require(configuration, [], network, images, progress);
        // Nothing is kept of a test, so the runner's folder is never written to.
        var runner = new StageRunner(
            configuration, new RunFolder("."), configuration.Seed, network, images, progress, cancellation);
        return runner.Test(Path.GetFileName(weightsPath), "given");
    }

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
    public AttackOutcome Attack(
        string weightsPath, IReadOnlyList<string> attacks, bool keepImages, string? folder, bool resume,
        CancellationToken cancellation)
    {
        configuration.Validate();
        InputNormalizationConstants? normalization = NormalizationOf(weightsPath);
        NetworkGraph graph = BuildGraph(normalization);
        ModelState state = WeightFile.Load(weightsPath, graph, progress.Note).State;
        RunFolder? files = folder is null ? null : new RunFolder(folder);
        var owner = new RunOwner(
            EvaluateCommand, Weights: RunOwner.HashOf(state, normalization), Attacks: RunOwner.AttacksOf(attacks, keepImages));
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
        // A folder that was started with images keeps them until it is done, wanted or not.
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

    /// <summary>Measures on the configuration's test samples how adversarial images made against each of several saved networks
    /// do on all of them.</summary>
    /// <param name="weightsPaths">Weights files of this program, which may be of different models.</param>
    /// <param name="attack">A name of <see cref="AttackCatalog.Names"/>.</param>
    /// <param name="cancellation">Ends the measurement between iterations.</param>
    /// <exception cref="DamagedFileException">A file is damaged.</exception>
    /// <exception cref="ConfigurationException">A file does not say of which model it is, or is for other images; the name is
    /// unknown, or the attack cannot attack one of the networks.</exception>
    public TransferResult Transfer(IReadOnlyList<string> weightsPaths, string attack, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(weightsPaths);
        configuration.Validate();
        SavedModel[] models = [.. weightsPaths.Select(SavedModel.Load)];
        foreach (SavedModel model in models)
            model.RequireFits(data.Test);
        using var images = new RunData(data, configuration.Data, backend);
        foreach (NetworkGraph graph in models.Select(model => model.Graph))
        {
            using var network = new Network(graph, backend);
            RunMemory.Require(configuration, [], network, images, progress);
        }
        EvaluationSettings settings = configuration.Evaluation;
        return new TransferMatrix(backend, images.Test, images.TestSamples, settings.BatchSize, progress).Run(
            [.. models.Select(model => new TransferNetwork(model.Path, model.Graph, model.State))], attack, settings.Attack,
            Philox.Key(configuration.Seed, RandomStream.EvaluationAttack), cancellation);
    }

    /// <summary>Checks that adversarial images can be saved under a name, before attacks that may take hours.</summary>
    /// <exception cref="ConfigurationException">The name is that of a folder or of another kind of file.</exception>
    public static void RequireImageFile(string path)
    {
        if (!path.EndsWith(".npy", StringComparison.OrdinalIgnoreCase) || Directory.Exists(path))
            throw new ConfigurationException($"{Setting.Named("saveAdversarial")} names {path}; name a file that ends in .npy.");
    }

    /// <summary>Draws a ticket from trained weights: prunes them by the configuration's settings and resets what is left to the
    /// initial weights. Weights that are exactly zero count as pruned already, and stay so.</summary>
    /// <param name="trainedPath">Weights of the donor after training.</param>
    /// <param name="initialPath">Weights of the donor before training.</param>
    /// <param name="ticketPath">The ticket's file, written whole or not at all.</param>
    /// <exception cref="DamagedFileException">A file is damaged or of another model.</exception>
    /// <exception cref="ConfigurationException">The ratio cannot be reached, or is less than what is pruned already.</exception>
    public PruningReport Prune(string trainedPath, string initialPath, string ticketPath)
    {
        configuration.Validate();
        NetworkGraph graph = BuildGraph();
        ModelState trained = WeightFile.Load(trainedPath, graph, progress.Note).State;
        ModelState initial = WeightFile.Load(initialPath, graph, progress.Note).State;
        PruningSettings settings = configuration.Pruning;
        PruningResult pruned = PrunerCatalog.Find(settings.Scope).Prune(
            trained, new PruningOptions(settings.Ratio, settings.MinimumKept), Mask.OfNonZero(trained));
        RunChecks.RequireSomeKept(pruned.Mask, settings);
        TicketFile.Save(ticketPath, initial, pruned.Mask, StageRunner.OfTicket(
            StageRunner.Describe(configuration, graph, data.Train, configuration.Seed), settings));
        return pruned.Report;
    }

    private ArmResult RunStage(
        string folder, bool resume, string stage, Arm arm, TrainingSettings settings, Ticket? ticket,
        CancellationToken cancellation)
    {
        configuration.Validate();
        var files = new RunFolder(folder);
        var owner = new RunOwner(stage, ticket is null ? null : RunOwner.HashOf(ticket));
        var guard = new RunFolderGuard(files, configuration, owner, RunFolderGuard.Describe(backend, data), resume);
        using RunLock? found = guard.LockExisting();
        NetworkGraph graph = BuildGraph();
        using var images = new RunData(data, configuration.Data, backend);
        RunChecks.RequireBatches(settings, configuration.PathOf(settings) + "batchSize", graph, images.TrainCount - configuration.Data.ValidationSamples);
        using var network = new Network(graph, backend);
        RunMemory.Require(configuration, [settings], network, images, progress);
        using RunLock? created = found is null ? RunLock.Acquire(files.Root) : null;
        guard.Claim(progress);
        ulong seed = configuration.Seed;
        StoredFiles.CreateFolder(files.Seed(seed));
        ModelState initial = ticket?.Initial
            ?? Initialization.Draw(network.Graph.Table, seed, Initialization.ParseScheme(configuration.Initialization));
        var runner = new StageRunner(configuration, files, seed, network, images, progress, cancellation, owner);
        if (!File.Exists(files.Initial(seed)))
            runner.SaveInitial(initial);
        ArmResult result = runner.TrainAndTest(stage, arm, initial, ticket?.Mask, settings, pruningSeconds: 0);
        AtomicFile.WriteAllText(files.Result, RunJson.Write(result));
        return result;
    }

    private NetworkGraph BuildGraph() => TicketRun.BuildModel(configuration, data);

    private NetworkGraph BuildGraph(InputNormalizationConstants? normalization) => TicketRun.BuildModel(configuration, data, normalization);

    // The measured accuracy of weights holds only with their own normalisation.
    private InputNormalizationConstants? NormalizationOf(string weightsPath)
    {
        if (!configuration.Data.Normalize)
            return null;
        ModelFileMetadata? origin = WeightFile.ReadMetadata(weightsPath);
        origin?.RequireFits(weightsPath, DeviceImages.Shape(data.Test), data.Test.Classes.Count);
        return origin?.Normalization ?? RunNormalization.For(data.Train);
    }
}
