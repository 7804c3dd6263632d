using BoostingTicket.Engine.Tensors;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Runs.Experiments.Nodes;
using BoostingTicket.Runs.Experiments.Paper;
using BoostingTicket.Training.Models;
using BoostingTicket.Training.Optimization;
using BoostingTicket.Training.Pruning;

namespace BoostingTicket.Runs.Experiments.Speed;

/// <summary>A way of training that is compared.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Description">What it does, in one line.</param>
/// <param name="Train">Its training of a seed.</param>
internal sealed record SpeedArm(string Name, string Description, Func<SpeedTrainings, ulong, TrainingNode> Train);

/// <summary>The ways of training that are compared with the full network, which is trained on PGD.</summary>
internal static class SpeedArms
{
    /// <summary>The full network: what all others are compared with, and always trained.</summary>
    public const string Dense = "dense";

    /// <summary>The full network with attacks in bfloat16.</summary>
    public const string BFloat16 = "bf16";

    /// <summary>All of them, the full network first.</summary>
    public static IReadOnlyList<SpeedArm> All { get; } =
    [
        new(Dense, "the full network, trained on PGD", (make, seed) => make.Dense(seed, TrainingMethod.Pgd)),
        new("ticket", "the paper's ticket: FGSM donor, 80 % pruned, reset, retrained on PGD",
            (make, seed) => make.Retrain(seed, TrainingMethod.Fgsm)),
        new("ticket-short", "the same, retrained for 40 % of the epochs, as in Table 3",
            (make, seed) => make.Retrain(seed, TrainingMethod.Fgsm, share: 0.4)),
        new("cost", "the ticket of a choice that counts what weights cost",
            (make, seed) => make.Retrain(seed, TrainingMethod.Fgsm, settings => settings with { Scope = PrunerCatalog.Cost })),
        new("channel", "a ticket of whole channels with half of the multiply-adds",
            (make, seed) => make.Retrain(seed, TrainingMethod.Fgsm, settings => settings with
            {
                Structure = SpeedTrainings.Channels,
                Ratio = SpeedTrainings.ChannelRatio,
            })),
        new("n-fgsm", "the paper's ticket of an N-FGSM donor", (make, seed) => make.Retrain(seed, TrainingMethod.NFgsm)),
        new("free", "the paper's ticket of a donor that is trained on each batch four times in a row",
            (make, seed) => make.Retrain(seed, TrainingMethod.Free)),
        new("fast", "the full network, trained on N-FGSM, which attacks in one step",
            (make, seed) => make.Dense(seed, TrainingMethod.NFgsm)),
        new(BFloat16, "the full network with attacks computed in bfloat16",
            (make, seed) => make.Dense(seed, TrainingMethod.Pgd, Precision.BFloat16)),
    ];

    /// <summary>Their names.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. All.Select(arm => arm.Name)];
}

/// <summary>The trainings of a network that ways of training are made of.</summary>
/// <param name="grid">Takes the pieces.</param>
/// <param name="model">The network.</param>
internal sealed class SpeedTrainings(ExperimentGrid grid, string model)
{
    /// <summary>What channel tickets prune.</summary>
    public const string Channels = "channel";

    /// <summary>Share of the multiply-adds that channel tickets do without.</summary>
    public const double ChannelRatio = 0.5;

    private const int Replays = 4;

    // The paper's rates of donors (section 3.1); LeNet, which has no normalisation, takes VGG's.
    private readonly double _donorRate = ModelCatalog.FamilyOf(model) is VggFamily or LeNetFamily
        ? PaperSettings.VggDonorRate
        : PaperSettings.ResNetDonorRate;

    /// <summary>The full network.</summary>
    /// <param name="seed">The seed.</param>
    /// <param name="method">What it is trained on.</param>
    /// <param name="precision">Number format; null for the experiment's.</param>
    public TrainingNode Dense(ulong seed, TrainingMethod method, Precision? precision = null) => grid.Train(
        $"dense, {SettingNames.Of(method)}{(precision is null ? "" : ", bf16")}", seed, model,
        grid.Training(method, SpeedExperiment.Epochs, PaperSettings.Rate), keepsEpochs: true, precision: precision);

    /// <summary>A ticket, retrained on PGD with a warm-up from the rate of its donor.</summary>
    /// <param name="seed">The seed.</param>
    /// <param name="donor">Method of the donor, which is trained for as long as the full network.</param>
    /// <param name="change">What is chosen in another way than the paper's; null for nothing.</param>
    /// <param name="share">Share of the full network's epochs for which the ticket is retrained.</param>
    public TrainingNode Retrain(
        ulong seed, TrainingMethod donor, Func<PruningSettings, PruningSettings>? change = null, double share = 1)
    {
        TrainingSettings settings = grid.Training(donor, SpeedExperiment.Epochs, _donorRate);
        if (donor == TrainingMethod.Free)
            settings = settings with { MethodOptions = settings.MethodOptions with { Replays = Replays } };
        TrainingNode trained = grid.Train($"donor, {SettingNames.Of(donor)}", seed, model, settings);
        PruningSettings pruning = grid.Base.Pruning with { Rounds = 1 };
        pruning = change?.Invoke(pruning) ?? pruning;
        int epochs = (int)Math.Round(share * SpeedExperiment.Epochs);
        string what = pruning.Structure == Channels ? "channel ticket" : pruning.Scope == PrunerCatalog.Cost ? "cost ticket"
            : "ticket";
        return grid.Train(
            $"{what} of {SettingNames.Of(donor)} donor, {grid.LengthHere(epochs)}", seed, model,
            Pgd(epochs) with { WarmupFrom = _donorRate }, grid.Prune(trained, pruning), keepsEpochs: true);
    }

    private TrainingSettings Pgd(int epochs) => grid.Training(TrainingMethod.Pgd, epochs, PaperSettings.Rate);
}
