using System.Text.Json.Serialization;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Devices;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Training;
using BoostingTicket.Training.Attacks;
using BoostingTicket.Training.Evaluation;
using BoostingTicket.Training.Optimization;
using BoostingTicket.Training.Pruning;

namespace BoostingTicket.Runs.Configuration;

/// <summary>What a run trains on.</summary>
internal sealed record DataSettings
{
    /// <summary>Registered name of the data set, or the path of one's own.</summary>
    public string Name { get; init; } = "synthetic-28";

    /// <summary>SHA-256 that the images, labels and class names of one's own data must have; null for any, and for registered
    /// data sets. It counts in hashes in place of <see cref="Name"/>.</summary>
    public string? Fingerprint { get; init; }

    /// <summary>Training samples left for training and validation; 0 for all.</summary>
    public int TrainSamples { get; init; }

    /// <summary>Test samples evaluated; 0 for all.</summary>
    public int TestSamples { get; init; }

    /// <summary>Samples set aside from the training set for validation.</summary>
    public int ValidationSamples { get; init; } = 5_000;

    /// <summary>Whether training images are cropped at random (padded by 4) and flipped: CIFAR's convention.</summary>
    public bool CropFlip { get; init; }

    /// <summary>Whether the network begins by normalising with the data set's mean and deviation.</summary>
    public bool Normalize { get; init; } = true;

    /// <summary>Checks the ranges.</summary>
    /// <exception cref="ConfigurationException">One is violated; the message names the setting.</exception>
    public void Validate()
    {
        Require.InRange("data.trainSamples", TrainSamples, 0, 100_000_000);
        Require.InRange("data.testSamples", TestSamples, 0, 100_000_000);
        Require.InRange("data.validationSamples", ValidationSamples, 1, 100_000_000);
    }
}

/// <summary>How a ticket is drawn from its donor.</summary>
internal sealed record PruningSettings
{
    /// <summary>Share of the prunable weights that is pruned: of all of the model's, or of those that channels leave. Where only
    /// channels go, share of the multiply-adds of a forward pass.</summary>
    public double Ratio { get; init; } = 0.8;

    /// <summary>What goes: single weights (<c>weight</c>), whole channels (<c>channel</c>), or channels first and then single
    /// weights of what they leave (<c>channel,weight</c>).</summary>
    public string Structure { get; init; } = TicketStructure.All[0].Name;

    /// <summary>Share of the multiply-adds of a forward pass that channels remove where single weights go too; null for
    /// <see cref="SubNetworkOptions.UsualChannelRatio"/>. Where only channels go, <see cref="Ratio"/> is that share.</summary>
    public double? ChannelRatio { get; init; }

    /// <summary>What channels compete by.</summary>
    public ChannelCriterion ChannelCriterion { get; init; }

    /// <summary>Channels that are left of a layer are a multiple of this, or all.</summary>
    public int ChannelMultiple { get; init; } = ChannelOptions.UsualMultiple;

    /// <summary>With the scope <c>cost</c>, the power to which a weight's multiply-adds divide its magnitude.</summary>
    public double CostExponent { get; init; } = PruningOptions.UsualCostExponent;

    /// <summary>Registered name of the pruner: <c>global</c>, <c>layerwise</c> or <c>cost</c>.</summary>
    public string Scope { get; init; } = "global";

    /// <summary>Weights that every layer keeps at least.</summary>
    public int MinimumKept { get; init; } = PruningOptions.UsualMinimumKept;

    /// <summary>Whether hidden linear layers are pruned; null for the model's own choice: LeNet's are, VGG's are not. The last
    /// layer never is.</summary>
    public bool? HiddenLinear { get; init; }

    /// <summary>Rounds of train, prune, reset; 1 is one-shot, the paper's choice (Appendix B).</summary>
    public int Rounds { get; init; } = 1;

    /// <summary>Distance below which the masks of a donor's last five epochs count as settled, so that its training ends
    /// (Early-Bird), as a share of the most that masks of the ratio can differ (<see cref="MaskHistory"/>); null to train donors
    /// to the end.</summary>
    public double? EarlyBird { get; init; }

    /// <summary>What a ticket's weights are reset to: <c>initial</c>, <c>none</c>, or an epoch of the donor's training
    /// (<see cref="ResetPoint"/>).</summary>
    public string Reset { get; init; } = ResetPoint.Initial;

    /// <summary>Whether what is pruned depends on what it costs.</summary>
    [JsonIgnore]
    public bool CountsCost => TicketStructure.Find(Structure).Channels || Scope == PrunerCatalog.Cost;

    /// <summary>How to draw a sub-network.</summary>
    /// <param name="ratio">How much is pruned: <see cref="Ratio"/>, or that of a round.</param>
    /// <param name="channelRatio">The same of channels, where single weights go too; null for the setting.</param>
    public SubNetworkOptions Options(double ratio, double? channelRatio = null)
    {
        var weights = new PruningOptions(ratio, MinimumKept) { CostExponent = CostExponent };
        return SubNetworkOptions.Of(Structure, Scope, weights, channelRatio ?? ChannelRatio) with
        {
            Criterion = ChannelCriterion,
            Multiple = ChannelMultiple,
        };
    }

    /// <summary>How to draw the sub-network of each round; the last is that of the ticket.</summary>
    public IEnumerable<SubNetworkOptions> OptionsByRound() =>
        PruningSchedule.CumulativeRatios(Ratio, Rounds).Zip(
            PruningSchedule.CumulativeRatios(ChannelRatio ?? SubNetworkOptions.UsualChannelRatio, Rounds),
            (ratio, channels) => Options(ratio, channels));

    /// <summary>Checks the ranges.</summary>
    /// <exception cref="ConfigurationException">One is violated; the message names the setting.</exception>
    public void Validate()
    {
        TicketStructure structure = TicketStructure.Find(Structure);
        if (ChannelRatio is { } channels)
        {
            Require.InRange("pruning.channelRatio", channels, 0, 0.9999);
            if (!structure.Channels || !structure.Weights)
                throw new ConfigurationException(
                    $"{Setting.Named("pruning.channelRatio")} is for the structure channel,weight, not for {Structure}; give "
                    + $"{Setting.Named("pruning.ratio")} instead, or {Setting.Named("pruning.structure")} channel,weight.");
        }
        Require.InRange("pruning.channelMultiple", ChannelMultiple, 1, 1024);
        Require.InRange("pruning.costExponent", CostExponent, 0, PruningOptions.MostCostExponent);
        if (EarlyBird is { } distance)
            Require.InRange("pruning.earlyBird", distance, 0, 1);
        Require.InRange("pruning.ratio", Ratio, 0, 0.9999);
        Require.InRange("pruning.rounds", Rounds, 1, 100);
        Require.InRange("pruning.minimumKept", MinimumKept, 0, 1_000_000);
        PrunerCatalog.Find(Scope);
        ResetPoint reset = ResetPoint.Parse(Reset);
        // A round's trained weights are those of a smaller network, and the next round's network has others.
        if (reset.Epoch is null && structure.Channels && Rounds > 1)
            throw new ConfigurationException(
                $"{Setting.Named("pruning.reset")} none keeps trained weights, which several rounds of channels do not have in "
                + $"common; set {Setting.Named("pruning.rounds")} to 1, or reset to the initial weights.");
    }
}

/// <summary>One way from initial weights to a trained network that a run compares.</summary>
internal enum Arm
{
    /// <summary>The full network from its initial weights: the baseline.</summary>
    Dense,

    /// <summary>The boosting ticket: donor trained at a small rate, retrained with a warm-up from it.</summary>
    Ticket,

    /// <summary>The winning ticket: its donor is trained at the large rate, with the retraining's own warm-up (Frankle and
    /// Carbin, 2019); retrained like the boosting ticket.</summary>
    Winning,

    /// <summary>The boosting ticket's mask on new random weights: the control.</summary>
    Reinit,

    /// <summary>The boosting ticket's mask shuffled within each layer, on the initial weights: another control.</summary>
    Shuffle,
}

/// <summary>Everything that decides the outcome of a run, with no default left unsaid. Written into the run's folder, and its
/// hash into every file of the run.</summary>
internal sealed record RunConfiguration
{
    /// <summary>Preset that the configuration started from.</summary>
    public string Preset { get; init; } = "quick";

    /// <summary>Registered name of the model.</summary>
    public string Model { get; init; } = "lenet";

    /// <summary>How weights are initialised: <c>he</c> or <c>glorot</c>.</summary>
    public string Initialization { get; init; } = "he";

    /// <summary>Device: <c>auto</c>, <c>cpu</c> or <c>cuda</c>.</summary>
    public string Device { get; init; } = "auto";

    /// <summary>Number format: <c>auto</c>, <c>float32</c>, <c>tf32</c> or <c>bf16</c>.</summary>
    public string Precision { get; init; } = DeviceCatalog.Auto;

    /// <summary>Whether a GPU takes only algorithms that give the same bits in every process; the CPU always does.</summary>
    public bool Deterministic { get; init; }

    /// <summary>First seed.</summary>
    public ulong Seed { get; init; }

    /// <summary>Number of seeds: <see cref="Seed"/>, <see cref="Seed"/> + 1, …</summary>
    public int Seeds { get; init; } = 1;

    /// <summary>What is compared, in this order.</summary>
    public IReadOnlyList<Arm> Arms { get; init; } = [Arm.Dense, Arm.Ticket, Arm.Reinit];

    /// <summary>Data.</summary>
    public DataSettings Data { get; init; } = new();

    /// <summary>Attack of adversarial training.</summary>
    public AttackSettings Attack { get; init; } = new();

    /// <summary>Training of the boosting ticket's donor.</summary>
    public TrainingSettings Donor { get; init; } = new() { Method = TrainingMethod.Fgsm, LearningRate = 0.01 };

    /// <summary>Pruning of the donor.</summary>
    public PruningSettings Pruning { get; init; } = new();

    /// <summary>Training of tickets and of the controls.</summary>
    public TrainingSettings Retrain { get; init; } = new() { WarmupFrom = 0.01 };

    /// <summary>Training of the dense baseline.</summary>
    public TrainingSettings Dense { get; init; } = new();

    /// <summary>Measurements.</summary>
    public EvaluationSettings Evaluation { get; init; } = new();

    /// <summary>Training of the winning ticket's donor: the donor's, at the retraining's full rate and warm-up.</summary>
    [JsonIgnore]
    public TrainingSettings WinningDonor => Donor with
    {
        LearningRate = Retrain.LearningRate,
        WarmupFrom = Retrain.WarmupFrom,
        WarmupLength = Retrain.WarmupLength,
    };

    /// <summary>How the device computes.</summary>
    /// <param name="threads">Threads of the processor; 0 for one a processor.</param>
    public DeviceOptions DeviceOptions(int threads) => new(threads, FindPrecision(), Deterministic);

    /// <summary>Checks every range.</summary>
    /// <exception cref="ConfigurationException">One is violated; the message names the setting.</exception>
    public void Validate()
    {
        FindPrecision();
        Require.InRange("seeds", Seeds, 1, 1_000);
        if (Arms.Count == 0 || Arms.Distinct().Count() != Arms.Count)
            throw new ConfigurationException(
                $"{Setting.Named("arms")} must name at least one of dense, ticket, winning, reinit and shuffle, none of them "
                + $"twice.");
        Training.Models.Initialization.ParseScheme(Initialization);
        Data.Validate();
        Attack.Validate("attack.");
        Donor.Validate("donor.");
        Pruning.Validate();
        Retrain.Validate("retrain.");
        Dense.Validate("dense.");
        Evaluation.Validate("evaluation.");
        foreach ((
            TrainingSettings training, string group) in new[] { (Donor, "donor."), (Retrain, "retrain."), (Dense, "dense.") })
        {
            if (training.EarlyStopping?.Robust == true && Evaluation.ProbeSteps == 0)
                throw new ConfigurationException(
                    $"{Setting.Named($"{group}earlyStopping.robust")} watches a robust accuracy that is not measured, since "
                    + $"{Setting.Named("evaluation.probeSteps")} is 0; set that to 1 or more, or leave the first out.");
        }
    }

    /// <summary>Path of a training's settings in here, with a dot behind.</summary>
    /// <param name="training">One of <see cref="Donor"/>, <see cref="WinningDonor"/>, <see cref="Retrain"/> and
    /// <see cref="Dense"/>.</param>
    /// <returns>For the winning ticket's donor that of the tickets, whose rate and warm-up it takes; empty for settings that
    /// are not in here.</returns>
    internal string PathOf(TrainingSettings training) =>
        ReferenceEquals(training, Dense) ? "dense."
        : ReferenceEquals(training, Donor) ? "donor."
        : ReferenceEquals(training, Retrain) || training == WinningDonor ? "retrain."
        : "";

    private Precision? FindPrecision() => DeviceCatalog.Precisions.TryGetValue(Precision, out Precision? precision)
        ? precision
        : throw NearestName.Unknown("precision", Precision, [.. DeviceCatalog.Precisions.Keys]);
}
