using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Devices;
using BoostingTicket.Engine.Graph;
using BoostingTicket.Engine.Plans;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Training.Attacks;
using BoostingTicket.Training.Checkpoints;
using BoostingTicket.Training.Data;
using BoostingTicket.Training.Evaluation;
using BoostingTicket.Training.Models;
using BoostingTicket.Training.Optimization;
using BoostingTicket.Training.Pruning;

namespace BoostingTicket.Training.Classifiers;

/// <summary>A network that classifies images, with its weights on a device: it predicts, is attacked, trained and pruned. Images
/// are in pixel units of [0, 1]; the network normalises them itself. Equal seeds, settings and devices give equal bits. Not safe
/// for use from several threads at once. Dispose it to free the device's memory.</summary>
public sealed class Classifier : IDisposable
{
    private readonly ClassifierOptions _options;
    private readonly IBackend _backend;
    private readonly Network _network;
    private readonly SubNetwork? _ticket;
    private readonly ModelState _initial;
    private readonly ModelFileMetadata _metadata;

    private Classifier(
        NetworkGraph graph, SubNetwork? ticket, ModelState initial, ModelFileMetadata metadata, ClassifierOptions options)
    {
        if (options.BatchSize is < 1 or > 65_536)
            throw new ArgumentOutOfRangeException(nameof(options), options.BatchSize, "A batch has 1 to 65,536 images.");
        _options = options;
        _ticket = ticket;
        _initial = initial;
        // Settings and hashes are those of a run, not of what is done here.
        _metadata = metadata with { Settings = null, Preset = null, ConfigurationHash = null };
        _backend = DeviceCatalog.Open(
            DeviceCatalog.Select(options.Device),
            new DeviceOptions(options.Threads, options.Precision, options.Deterministic));
        try
        {
            _network = new Network(graph, _backend);
            Begin(initial);
        }
        catch
        {
            _network?.Dispose();
            _backend.Dispose();
            throw;
        }
    }

    /// <summary>Name of the model, such as <c>resnet18</c>.</summary>
    public string Model => _network.Graph.Name;

    /// <summary>Shape of an image.</summary>
    public FeatureShape Input => _network.Graph.Input.Shape;

    /// <summary>Number of classes.</summary>
    public int Classes => _network.Graph.Classes;

    /// <summary>Share of the model's prunable weights that is gone, in [0, 1]; 0 for a full network.</summary>
    public double Sparsity => _ticket?.Sparsity ?? 0;

    /// <summary>Seed of weights, validation samples, order, augmentation and attacks.</summary>
    public ulong Seed => _metadata.Seed ?? 0;

    /// <summary>What was changed about a file of another program, and what pruning warns of; a sentence each.</summary>
    public IReadOnlyList<string> Notes { get; private init; } = [];

    /// <summary>A network with new random weights, for images of the size and the classes of a data set, which it normalises by
    /// the data set's mean and deviation.</summary>
    /// <param name="model">A name of <see cref="ModelCatalog.Names"/>, or another name of those families:
    /// <c>wrn-16-4</c>.</param>
    /// <param name="images">Training images.</param>
    /// <param name="seed">Seed of everything random.</param>
    /// <param name="options">Where it computes; null for the defaults.</param>
    /// <exception cref="ConfigurationException">There is no such model, or it does not take such images.</exception>
    /// <exception cref="DeviceException">The device cannot be used.</exception>
    public static Classifier Create(string model, ImageSet images, ulong seed = 0, ClassifierOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(images);
        InputNormalizationConstants normalization = DataNormalization.For(images);
        NetworkGraph graph = ModelCatalog.Build(
            model, new ModelOptions(DeviceImages.Shape(images), images.Classes.Count, normalization));
        return new Classifier(
            graph, null, Initialization.Draw(graph.Table, seed), ModelFileMetadata.Of(graph, normalization) with { Seed = seed },
            options ?? new ClassifierOptions());
    }

    /// <summary>A network from a file: weights or a ticket of this project, or weights that PyTorch saved (safetensors,
    /// <c>.pt</c>, <c>.pth</c>). A ticket is at its initial weights. Weights that are exactly zero count as pruned and stay
    /// zero in training.</summary>
    /// <param name="path">The file.</param>
    /// <param name="model">Name of the model; null where the file or its tensors tell it.</param>
    /// <param name="normalization">What a network of another program expects its images to be normalised by; null for what its
    /// file says, or else nothing. Files of this project say it themselves.</param>
    /// <param name="options">Where it computes; null for the defaults.</param>
    /// <exception cref="ConfigurationException">There is no such file or model, or the file is of another kind.</exception>
    /// <exception cref="DamagedFileException">The file is damaged, or its tensors are not the model's.</exception>
    /// <exception cref="DeviceException">The device cannot be used.</exception>
    public static Classifier Load(
        string path, string? model = null, InputNormalizationConstants? normalization = null, ClassifierOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        options ??= new ClassifierOptions();
        if (WeightFile.ReadMetadata(path) is not { } metadata)
        {
            ImportedWeights imported = WeightImport.Read(
                path,
                new ImportOptions(model, Normalization: normalization, NormalizationGiven: normalization is not null));
            return OfWeights(
                imported.Graph, imported.State, ModelFileMetadata.Of(imported.Graph, imported.Normalization), options,
                [.. imported.Repairs.Select(repair => repair.Description)]);
        }

        if (normalization is not null && !normalization.ContentEquals(metadata.Normalization))
            throw new ConfigurationException($"{path} says itself what its images are normalised by; leave that out.");
        if (model is not null
            && ModelCatalog.Build(model, new ModelOptions(metadata.Input, metadata.Classes)).Name != metadata.Model)
            throw new ConfigurationException($"{path} is of the model {metadata.Model}, not of {model}; leave the model out.");
        if (WeightFile.KindOf(path) == FileKind.Ticket)
        {
            Ticket ticket = TicketFile.Load(path, metadata);
            return new Classifier(ticket.Network.Graph, ticket.Network, ticket.Initial, metadata, options);
        }

        var saved = SavedModel.Load(path);
        return OfWeights(saved.Graph, saved.State, saved.Metadata, options, []);
    }

    /// <summary>The class of each image: that of the largest logit.</summary>
    /// <param name="images">Images of <see cref="Input"/>'s shape; their labels do not matter.</param>
    /// <returns>One class an image, each in [0, <see cref="Classes"/>).</returns>
    /// <exception cref="ConfigurationException">They are of another shape or have other classes.</exception>
    public int[] Predict(ImageSet images) => LargestOf(Logits(images));

    /// <summary>The class of each image: that of the largest logit.</summary>
    /// <param name="images">N x channels x height x width in [0, 1].</param>
    /// <returns>N classes, each in [0, <see cref="Classes"/>).</returns>
    /// <exception cref="ArgumentException">They are no whole number of images.</exception>
    public int[] Predict(ReadOnlySpan<float> images) => LargestOf(Logits(images));

    /// <summary>The logits of each image.</summary>
    /// <param name="images">Images of <see cref="Input"/>'s shape; their labels do not matter.</param>
    /// <returns>N x classes.</returns>
    /// <exception cref="ConfigurationException">They are of another shape or have other classes.</exception>
    public float[] Logits(ImageSet images)
    {
        RequireFits(images);
        using var pixels = new DeviceImages(images, _backend);
        float[] logits = new float[images.Count * Classes];
        BatchBuffers buffers = Buffers(images.Count);
        var requests = new ImageRequest[buffers.Batch];
        for (int first = 0; first < images.Count; first += buffers.Batch)
        {
            // Repeats fill the last batch.
            for (int i = 0; i < requests.Length; i++)
                requests[i] = new ImageRequest(Math.Min(first + i, images.Count - 1), 0, 0, false);
            pixels.Load(requests, buffers, buffers.Input);
            Answer(buffers, logits.AsSpan(first * Classes));
        }
        return logits;
    }

    /// <summary>The logits of each image.</summary>
    /// <param name="images">N x channels x height x width in [0, 1].</param>
    /// <returns>N x classes.</returns>
    /// <exception cref="ArgumentException">They are no whole number of images.</exception>
    public float[] Logits(ReadOnlySpan<float> images)
    {
        int length = Input.Length, count = images.Length / length;
        if (images.Length != count * length)
            throw new ArgumentException($"{images.Length} values are no whole number of images of {Input}.", nameof(images));
        float[] logits = new float[count * Classes];
        BatchBuffers buffers = Buffers(count);
        float[] batch = new float[buffers.Batch * length];
        for (int first = 0; first < count; first += buffers.Batch)
        {
            images.Slice(first * length, Math.Min(buffers.Batch, count - first) * length).CopyTo(batch);
            _backend.Upload(batch, buffers.Input);
            Answer(buffers, logits.AsSpan(first * Classes));
        }
        return logits;
    }

    /// <summary>Share of the images that are classified as they are labelled.</summary>
    /// <param name="images">At least one image of <see cref="Input"/>'s shape.</param>
    /// <returns>A share in [0, 1].</returns>
    /// <exception cref="ConfigurationException">They are of another shape or have other classes.</exception>
    public double Accuracy(ImageSet images)
    {
        RequireFits(images);
        using var pixels = new DeviceImages(images, _backend);
        using var evaluator = new Evaluator(_network, pixels, Samples(images), _options.BatchSize, attacks: false);
        return evaluator.Clean();
    }

    /// <summary>Measures robust accuracy by attacks. Each attacks the images that are classified correctly clean.</summary>
    /// <param name="images">At least one image of <see cref="Input"/>'s shape.</param>
    /// <param name="settings">Radius of the L∞ ball for all attacks; step size, steps and restarts for PGD.</param>
    /// <param name="attacks">Names of <see cref="AttackCatalog.Names"/>, at least one: <c>pgd-20</c>,
    /// <c>autoattack</c>.</param>
    /// <param name="cancellation">Ends the measurement between iterations.</param>
    /// <returns>Clean accuracy, what each attack left, and the worst case of all of them, with reasons to distrust it.</returns>
    /// <exception cref="ConfigurationException">An attack is unknown, cannot move an image, or cannot attack this
    /// network.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public RobustnessResult Attack(
        ImageSet images, AttackSettings settings, IReadOnlyList<string> attacks, CancellationToken cancellation = default)
    {
        using var pixels = new DeviceImages(RequireFits(images), _backend);
        return Attacked(pixels, settings, attacks, keepImages: false, cancellation).Result;
    }

    /// <summary>Makes adversarial images.</summary>
    /// <param name="images">At least one image of <see cref="Input"/>'s shape.</param>
    /// <param name="settings">Radius of the L∞ ball; step size, steps and restarts for PGD.</param>
    /// <param name="attack">A name of <see cref="AttackCatalog.Names"/>.</param>
    /// <param name="cancellation">Ends the attack between iterations.</param>
    /// <returns>N x channels x height x width in [0, 1]: the image that fools the network, no pixel of it further than the radius
    /// from the clean one; the clean image where none was found, or where it is misclassified already.</returns>
    /// <exception cref="ConfigurationException">The attack is unknown, cannot move an image, or cannot attack this
    /// network.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public float[] Perturb(
        ImageSet images, AttackSettings settings, string attack, CancellationToken cancellation = default)
    {
        using var pixels = new DeviceImages(RequireFits(images), _backend);
        return Attacked(pixels, settings, [attack], keepImages: true, cancellation).Images;
    }

    /// <summary>Trains from the weights that the network has, without momentum of earlier trainings. Pruned weights stay
    /// zero.</summary>
    /// <param name="images">Images of <see cref="Input"/>'s shape, to train and to validate on.</param>
    /// <param name="settings">Method, epochs, rates.</param>
    /// <param name="attack">The attack that it defends against and that validation probes with; null for the defaults.</param>
    /// <param name="options">Validation, augmentation, progress; null for the defaults.</param>
    /// <param name="cancellation">Ends the training after a step; the network keeps the weights that it has then.</param>
    /// <returns>How it went.</returns>
    /// <exception cref="ConfigurationException">A setting is out of range, or the images are others than the
    /// network's.</exception>
    /// <exception cref="DivergedException">The loss or a weight is not a finite number.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public TrainingOutcome Train(
        ImageSet images, TrainingSettings settings, AttackSettings? attack = null, TrainingOptions? options = null,
        CancellationToken cancellation = default)
    {
        RequireFits(images);
        ArgumentNullException.ThrowIfNull(settings);
        attack ??= new AttackSettings();
        options ??= new TrainingOptions();
        settings.Validate("");
        attack.Validate("");
        options.Validation.Validate("");
        int validation = options.ValidationSamples ?? Math.Max(images.Count / 10, 1);
        Require.InRange("validationSamples", validation, 1, images.Count - 1);
        var split = TrainValidationSplit.Create(images.Count, validation, Seed);
        BatchChecks.RequireBatches(settings, "batchSize", _network.Graph, split.Train.Length);
        Begin(ModelState.Capture(_network.Parameters, _backend));
        using var pixels = new DeviceImages(images, _backend);
        var best = new BestWeights();
        using var trainer = new Trainer(
            new TrainingContext(
                _network, pixels, split.Train.ToArray(), split.Validation.ToArray(), options.Augmentation, Seed),
            settings, attack, options.Validation, best, new EpochReports(options.Progress));
        TrainingState state = trainer.Restore();
        trainer.Run(state, cancellation);
        if (options.KeepBest)
            best.State?.CopyTo(_network.Parameters, _backend);
        return new TrainingOutcome([.. state.History], state.BestEpoch, [.. state.Warnings]);
    }

    /// <summary>Finds a ticket: prunes by the weights that the network has, and resets what is left to the weights that it began
    /// with, those of <see cref="Create"/> or <see cref="Load"/>. This network stays as it is.</summary>
    /// <param name="ratio">Share of the prunable weights that is pruned, in [0, 1), what is pruned already included; of the
    /// multiply-adds of a forward pass where only channels go.</param>
    /// <param name="scope">What competes: <c>global</c> (all weights), <c>layerwise</c> (those of each layer) or <c>cost</c>
    /// (all, expensive ones going first).</param>
    /// <param name="structure">What goes: <c>weight</c>, <c>channel</c> or <c>channel,weight</c>.</param>
    /// <returns>The ticket, ready to be trained, on a device of its own.</returns>
    /// <exception cref="ConfigurationException">The ratio cannot be reached, a name is unknown, or channels of this network are
    /// pruned already.</exception>
    /// <exception cref="DivergedException">A weight is not a finite number.</exception>
    public Classifier FindTicket(double ratio = 0.8, string scope = "global", string structure = "weight")
    {
        NetworkGraph graph = _network.Graph;
        if (graph.Channels is not null)
            throw new ConfigurationException(
                $"Channels of this {graph.Name} are pruned already; prune the full network, and more of it.");
        SubNetworkResult drawn = SubNetworkPruner.Draw(
            graph, ModelState.Capture(_network.Parameters, _backend),
            SubNetworkOptions.Of(structure, scope, new PruningOptions(ratio)), _ticket);
        drawn.Network.Mask.RequireSomeKept(
            FormattableString.Invariant($"A pruning ratio of {ratio}"), "a smaller one");
        return new Classifier(
            drawn.Network.Graph, drawn.Network, drawn.Network.Take(_initial),
            _metadata with
            {
                Channels = drawn.Network.Graph.Channels,
                PruningRatio = ratio,
                PruningScope = scope,
            },
            _options)
        {
            Notes = drawn.Report.Warnings,
        };
    }

    /// <summary>Writes the weights that the network has, whole or not at all, as a safetensors file with PyTorch's names and
    /// layouts. <see cref="Load"/> and the command line read it.</summary>
    /// <param name="path">The file to create or to replace.</param>
    /// <exception cref="ConfigurationException">The file cannot be written there.</exception>
    public void Save(string path) =>
        WeightFile.Save(path, ModelState.Capture(_network.Parameters, _backend), _metadata);

    /// <summary>Writes the ticket, whole or not at all: the weights that it began with, and which of them are kept.
    /// <see cref="Load"/> and the command line read it.</summary>
    /// <param name="path">The file to create or to replace.</param>
    /// <exception cref="InvalidOperationException">Nothing is pruned, so that it is no ticket.</exception>
    /// <exception cref="ConfigurationException">The file cannot be written there.</exception>
    public void SaveTicket(string path)
    {
        if (_ticket is null)
            throw new InvalidOperationException("Nothing of this network is pruned; find a ticket first.");
        TicketFile.Save(path, new Ticket(_initial, _ticket, _metadata));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _network.Dispose();
        _backend.Dispose();
    }

    private static Classifier OfWeights(
        NetworkGraph graph, ModelState state, ModelFileMetadata metadata, ClassifierOptions options, IReadOnlyList<string> notes)
    {
        Mask mask = Mask.OfNonZero(state);
        return new Classifier(graph, mask.Pruned == 0 ? null : new SubNetwork(graph, mask), state, metadata, options)
        {
            Notes = notes,
        };
    }

    // Puts the network to a state under its mask, without momentum.
    private void Begin(ModelState state) =>
        TicketReset.Apply(_network.Parameters, _backend, state, _ticket?.TrainingMask);

    private (RobustnessResult Result, float[] Images) Attacked(
        DeviceImages pixels, AttackSettings settings, IReadOnlyList<string> attacks, bool keepImages,
        CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(settings);
        settings.Validate("");
        var evaluator = new AttackEvaluator(
            _network, pixels, Samples(pixels.Set), _options.BatchSize, new EpochReports(receiver: null));
        if (keepImages)
            evaluator.KeepImages();
        ulong stream = Philox.Key(Seed, RandomStream.EvaluationAttack);
        RobustnessResult result = evaluator.Run(attacks, settings, stream, cancellation: cancellation);
        return (result, evaluator.Adversarial.ToArray());
    }

    // Few sizes, since each has plans of its own.
    private BatchBuffers Buffers(int count) => _network.Buffers(
        count >= _options.BatchSize ? _options.BatchSize
            : Math.Min(_options.BatchSize, (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)Math.Max(count, 1))));

    // The logits of the images in the buffers, as many as there is room for.
    private void Answer(BatchBuffers buffers, Span<float> logits)
    {
        Plan plan = _network.Plan(new PlanOptions(buffers.Batch, PlanMode.Evaluate));
        plan.Forward();
        float[] all = new float[buffers.Batch * Classes];
        _backend.Download(plan.Logits, all);
        all.AsSpan(0, Math.Min(all.Length, logits.Length)).CopyTo(logits);
    }

    private int[] LargestOf(float[] logits)
    {
        int[] largest = new int[logits.Length / Classes];
        for (int i = 0; i < largest.Length; i++)
            largest[i] = Evaluator.Largest(logits.AsSpan(i * Classes, Classes));
        return largest;
    }

    private static int[] Samples(ImageSet images) => [.. Enumerable.Range(0, images.Count)];

    private ImageSet RequireFits(ImageSet images)
    {
        ArgumentNullException.ThrowIfNull(images);
        FeatureShape shape = DeviceImages.Shape(images);
        if (shape != Input || images.Classes.Count != Classes)
            throw new ConfigurationException(
                $"The network is for {Classes} classes of images of {Input}, but {images.Name} has {images.Classes.Count} "
                + $"classes of images of {shape}; give images that it was made for.");
        return images;
    }
}
