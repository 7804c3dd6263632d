using System.Globalization;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Runs.Experiments.Nodes;
using BoostingTicket.Runs.Experiments.Speed;
using BoostingTicket.Training;
using BoostingTicket.Training.Attacks;
using BoostingTicket.Training.Data;
using BoostingTicket.Training.Optimization;

namespace BoostingTicket.Runs.Experiments;

/// <summary>What an experiment declares itself with: makes pieces of work at the scale asked for, and collects what is measured
/// of them. Nothing is computed here. Asked twice for the same piece, it gives the same object.</summary>
internal sealed class ExperimentGrid
{
    // features.md, 2.1: what "the same setting" of Frankle and Carbin and of Madry et al. amounts to.
    private const double NaturalDecay = 1e-4, AdversarialDecay = 2e-4;

    private readonly ExperimentConfiguration _configuration;
    private readonly int _longest;
    private readonly GridFingerprints _fingerprints;
    private readonly NodeSet _nodes = new();
    private readonly List<GridRow> _rows = [];
    private readonly List<GridPanel> _panels = [];
    private readonly List<GridCourse> _courses = [];
    private readonly List<string> _warnings = [];

    /// <summary>Begins an empty grid.</summary>
    /// <param name="configuration">What is asked for.</param>
    /// <param name="longest">Epochs of the paper's longest training.</param>
    /// <param name="fingerprints">Data and number format.</param>
    public ExperimentGrid(ExperimentConfiguration configuration, int longest, GridFingerprints fingerprints)
    {
        _configuration = configuration;
        _longest = longest;
        _fingerprints = fingerprints;
        Seeds = [.. Enumerable.Range(0, configuration.Base.Seeds).Select(index => configuration.Base.Seed + (ulong)index)];
    }

    /// <summary>The seeds, each a whole experiment of its own.</summary>
    public IReadOnlyList<ulong> Seeds { get; }

    /// <summary>What all pieces of work share.</summary>
    public RunConfiguration Base => _configuration.Base;

    /// <summary>All pieces of work, a seed's together, each after its inputs.</summary>
    public IReadOnlyList<ExperimentNode> Nodes => _nodes.BySeed;

    /// <summary>What is compared with the paper.</summary>
    public IReadOnlyList<GridRow> Rows => _rows;

    /// <summary>Plots of the figure; empty for a table.</summary>
    public IReadOnlyList<GridPanel> Panels => _panels;

    /// <summary>Trainings whose courses are compared; empty for what the paper has.</summary>
    public IReadOnlyList<GridCourse> Courses => _courses;

    /// <summary>What the user should know of what is declared, a sentence each.</summary>
    public IReadOnlyList<string> Warnings => _warnings;

    /// <summary>Why trainings cannot compute in another number format than the experiment's, as part of a sentence; null where
    /// they can.</summary>
    public string? BesideLacks => _fingerprints.Beside is null ? _fingerprints.BesideLacks : null;

    /// <summary>First test images that AutoAttack attacks; null if nothing was asked for.</summary>
    public int? AttackedSamples => _configuration.AttackedSamples;

    /// <summary>Whether something is to be compared.</summary>
    public bool Includes(string arm) => _configuration.Includes(arm);

    /// <summary>Whether a model was asked for that has a width to change.</summary>
    public bool UsesWidth { get; private set; }

    /// <summary>The paper's epochs at the scale asked for.</summary>
    public int Epochs(int paper) => ExperimentScale.Epochs(_configuration, paper, _longest);

    /// <summary>The paper's epochs in words, and those at the scale asked for where they differ: <c>20 epochs (2
    /// here)</c>.</summary>
    public string Length(int paper)
    {
        int here = Epochs(paper);
        return here == paper ? $"{paper} epochs" : string.Create(CultureInfo.InvariantCulture, $"{paper} epochs ({here} here)");
    }

    /// <summary>Epochs at the scale asked for in words, for labels: two of the paper's lengths may come to the same
    /// training.</summary>
    public string LengthHere(int paper)
    {
        int here = Epochs(paper);
        return string.Create(CultureInfo.InvariantCulture, $"{here} epoch{(here == 1 ? "" : "s")}");
    }

    /// <summary>The paper's model at the scale asked for.</summary>
    public string Model(string paper)
    {
        UsesWidth |= ExperimentScale.HasWidth(paper);
        return ExperimentScale.Model(_configuration, paper);
    }

    /// <summary>A WideResNet, which no other model can stand for.</summary>
    /// <exception cref="ConfigurationException">Another model was asked for.</exception>
    public string WideResNet(int depth, int width) => _configuration.Model is null
        ? Model($"wrn-{depth}-{width}")
        : throw new ConfigurationException(
            $"{Setting.Named("model")} does not apply to {_configuration.Experiment}, which compares WideResNets of several "
            + $"widths and "
            + $"depths; use {Setting.Named("width")}, the widest factor.");

    /// <summary>A training of some method; epochs are the paper's.</summary>
    /// <param name="method">What is trained on; decides the decay.</param>
    /// <param name="epochs">The paper's epochs.</param>
    /// <param name="rate">Learning rate.</param>
    /// <param name="warmupFrom">Rate that it warms up from; null, or the same, for no warm-up.</param>
    public TrainingSettings Training(TrainingMethod method, int epochs, double rate, double? warmupFrom = null) =>
        Base.Retrain with
        {
            Method = method,
            Epochs = Epochs(epochs),
            LearningRate = rate,
            WarmupFrom = warmupFrom == rate ? null : warmupFrom,
            WeightDecay = method == TrainingMethod.Natural ? NaturalDecay : AdversarialDecay,
        };

    /// <summary>A training of a model.</summary>
    /// <param name="label">What it is, for people, without model and seed.</param>
    /// <param name="seed">The seed.</param>
    /// <param name="model">Model, scaled already.</param>
    /// <param name="settings">The training.</param>
    /// <param name="ticket">Ticket whose mask is kept; null for a dense network.</param>
    /// <param name="reinitialize">Whether to begin from another draw of the initial weights.</param>
    /// <param name="keepsEpochs">Whether the weights after every epoch are kept.</param>
    /// <param name="precision">Number format; null for the experiment's. The other one is there if
    /// <see cref="BesideLacks"/> is null.</param>
    public TrainingNode Train(
        string label, ulong seed, string model, TrainingSettings settings, TicketNode? ticket = null, bool reinitialize = false,
        bool keepsEpochs = false, Precision? precision = null)
    {
        TrainingJob job = TrainingJob.Of(Base, settings, seed) with
        {
            Model = model,
            Start = reinitialize ? TrainingStart.Redrawn : TrainingStart.Initial,
        };
        if (settings.Method == TrainingMethod.Natural)
            job = job.WithoutAttack();
        string fingerprint = precision is null ? _fingerprints.Train : _fingerprints.Beside!;
        return Add(new TrainingNode($"{model} {label}", job, fingerprint, ticket, keepsEpochs, precision));
    }

    /// <summary>A ticket, pruned once.</summary>
    /// <param name="donor">Whose weights are pruned.</param>
    /// <param name="ratio">Share of the prunable weights; null for the one of <see cref="Base"/>.</param>
    public TicketNode Prune(TrainingNode donor, double? ratio = null) =>
        Prune(donor, Base.Pruning with { Ratio = ratio ?? Base.Pruning.Ratio, Rounds = 1 });

    /// <summary>A ticket, pruned once in a way of its own.</summary>
    /// <param name="donor">Whose weights are pruned.</param>
    /// <param name="settings">The way.</param>
    public TicketNode Prune(TrainingNode donor, PruningSettings settings) => Add(new TicketNode(donor, settings));

    /// <summary>A further round of iterative pruning.</summary>
    /// <param name="donor">The training under the mask of the round before.</param>
    /// <param name="ratio">Share of the prunable weights that is pruned after this round.</param>
    /// <param name="previous">The ticket of the round before; null in the first round.</param>
    public TicketNode PruneFurther(TrainingNode donor, double ratio, TicketNode? previous) =>
        Add(new TicketNode(donor, Base.Pruning with { Ratio = ratio, Rounds = 1 }, previous));

    /// <summary>A test.</summary>
    /// <param name="training">Training whose weights are tested.</param>
    /// <param name="best">Those that were best on validation, instead of the last.</param>
    /// <param name="attacks">Names of attacks; none for clean accuracy alone.</param>
    public TestNode Test(TrainingNode training, bool best, params IReadOnlyList<string> attacks) =>
        Add(new TestNode(training, best, attacks, Base.Evaluation.Attack, _fingerprints.Test));

    /// <summary>Compares the course of a training with those of others of its network and seed.</summary>
    /// <param name="model">The network.</param>
    /// <param name="arm">How it is trained.</param>
    /// <param name="training">The training, which keeps the weights of its epochs.</param>
    /// <param name="attacked">First test images that AutoAttack attacks at its end; 0 for none.</param>
    public void Course(string model, string arm, TrainingNode training, int attacked)
    {
        AttackSettings attack = Base.Evaluation.Attack;
        _courses.Add(new GridCourse(
            model, arm, training, Add(new CourseNode(training, attack, _fingerprints.Test)),
            attacked == 0 ? null : Add(new TestNode(
                training, best: false, [AttackCatalog.AutoAttack], attack, _fingerprints.Test, attacked))));
    }

    /// <summary>Says something that the user should know.</summary>
    public void Warn(string sentence) => _warnings.Add(sentence);

    /// <summary>How PGD-20 images of trainings of one seed transfer among them.</summary>
    /// <param name="networks">The trainings with the names that they are given.</param>
    public TransferNode Transfer(IReadOnlyList<(string Name, TrainingNode Training)> networks) =>
        Add(new TransferNode(networks, "pgd-20", steps: 20, Base.Evaluation.Attack, _fingerprints.Test));

    /// <summary>Takes a piece of work into the grid.</summary>
    /// <returns>The piece itself, or the equal one that is there already.</returns>
    public TNode Add<TNode>(TNode node)
        where TNode : ExperimentNode => _nodes.Add(node);

    /// <summary>Compares a quantity with the paper.</summary>
    /// <param name="item">What is measured of what, such as <c>boosting ticket, 20 epochs</c>.</param>
    /// <param name="measure">The measure, such as <c>test accuracy</c>.</param>
    /// <param name="quantity">The quantity.</param>
    /// <param name="paper">The paper's value; null where it has none.</param>
    public void Row(string item, string measure, Quantity quantity, PaperValue? paper = null) =>
        _rows.Add(new GridRow(item, measure, quantity, paper));

    /// <summary>Adds a plot to the figure.</summary>
    public void Panel(string title, string x, string y, params IReadOnlyList<GridCurve> curves) =>
        _panels.Add(new GridPanel(title, x, y, curves));

    /// <summary>A quantity of one piece of work a seed.</summary>
    /// <param name="unit">Unit.</param>
    /// <param name="node">The piece of a seed.</param>
    /// <param name="read">Its value.</param>
    public Quantity Of<TNode>(QuantityUnit unit, Func<ulong, TNode> node, Func<ExperimentStore, TNode, double> read)
        where TNode : ExperimentNode
    {
        List<TNode> nodes = [.. Seeds.Select(node)];
        return new Quantity(unit, [.. nodes.Select(one => new[] { one })], (store, seed) => read(store, nodes[seed]));
    }

    /// <summary>Clean accuracy in a test, in percent.</summary>
    public Quantity Clean(Func<ulong, TestNode> test) =>
        Of(QuantityUnit.Percent, test, (store, node) => 100 * node.Read(store).Clean);

    /// <summary>Accuracy under an attack of a test, in percent.</summary>
    public Quantity Robust(string attack, Func<ulong, TestNode> test) => Of(
        QuantityUnit.Percent, test, (store, node) =>
            100 * node.Read(store).Attacks.Single(result => result.Attack == attack).Robust);
}

/// <summary>What results depend on besides settings.</summary>
/// <param name="Train">Training images and number format.</param>
/// <param name="Test">Test images, how many of them, and number format.</param>
/// <param name="Beside">Training images and the other number format that some trainings compute in; null for none.</param>
/// <param name="BesideLacks">Why there is none, as part of a sentence.</param>
internal sealed record GridFingerprints(
    string Train, string Test, string? Beside = null, string BesideLacks = "no other number format was asked for")
{
    /// <summary>Those of images, wherever they lie.</summary>
    /// <param name="data">The images.</param>
    /// <param name="testSamples">Test images that are asked for.</param>
    /// <param name="precision">Number format.</param>
    /// <param name="beside">The other number format; null for none.</param>
    public static GridFingerprints Of(DataSplit data, int testSamples, Precision precision, Precision? beside = null)
    {
        ArgumentNullException.ThrowIfNull(data);
        string train = Describe(data.Train);
        return new GridFingerprints(
            $"{train} {precision}", FormattableString.Invariant($"{Describe(data.Test)} {testSamples} {precision}"),
            beside is null ? null : $"{train} {beside}");

        static string Describe(ImageSet images) => $"{OwnData.NameOf(images)} {images.ContentHash}";
    }
}

/// <summary>A quantity beside the paper's value.</summary>
/// <param name="Item">What is measured of what.</param>
/// <param name="Measure">The measure.</param>
/// <param name="Quantity">The quantity.</param>
/// <param name="Paper">The paper's value; null where it has none.</param>
internal sealed record GridRow(string Item, string Measure, Quantity Quantity, PaperValue? Paper);

/// <summary>A plot.</summary>
/// <param name="Title">Heading.</param>
/// <param name="X">Label of the horizontal axis.</param>
/// <param name="Y">Label of the vertical axis.</param>
/// <param name="Curves">Its curves.</param>
internal sealed record GridPanel(string Title, string X, string Y, IReadOnlyList<GridCurve> Curves);
