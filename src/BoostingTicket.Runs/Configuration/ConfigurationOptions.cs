using System.Globalization;
using BoostingTicket.Training;
using BoostingTicket.Training.Models;

namespace BoostingTicket.Runs.Configuration;

/// <summary>Every option that changes a <see cref="RunConfiguration"/>. A new setting is one line here; a test sees to it that
/// none is forgotten.</summary>
/// <remarks>Options are applied in this order, whatever the order on the command line, so that an option for one training wins
/// over the option for all.</remarks>
public static class ConfigurationOptions
{
    private static readonly (string Group, string What)[] Trainings =
        [("donor", "the donor"), ("retrain", "tickets and controls"), ("dense", "the dense baseline")];

    /// <summary>All options.</summary>
    public static IReadOnlyList<ConfigurationOption> All { get; } = [.. General(), .. Single()];

    /// <summary>The option of a name.</summary>
    /// <param name="name">Such as <c>--epochs</c>.</param>
    /// <exception cref="ConfigurationException">There is none; the message names the nearest.</exception>
    public static ConfigurationOption Find(string name) =>
        All.FirstOrDefault(option => option.Name == name)
        ?? throw NearestName.Unknown("option", name, [.. All.Select(option => option.Name)]);

    /// <summary>The setting that a message of <see cref="RunConfiguration.Validate"/> means by an option's name: where the option
    /// sets several trainings, that of <c>retrain</c>, since the others are checked under names of their own.</summary>
    /// <param name="name">Such as <c>--batch</c>.</param>
    /// <returns>Its path; null if no option has the name, or it is no single setting's.</returns>
    public static string? PathOf(string name) =>
        All.FirstOrDefault(option => option.Name == name) is { Paths: { Count: > 0 } paths }
            ? paths.FirstOrDefault(path => path.StartsWith("retrain.", StringComparison.Ordinal)) ?? paths[0]
            : null;

    private static IEnumerable<ConfigurationOption> General()
    {
        yield return Set("--arms", OptionGroup.Run, "what is compared, with commas between", "arms");
        yield return Set("--seed", OptionGroup.Run, "first seed; everything random follows from it, but the built-in images, which are fixed", "seed");
        yield return Set("--seeds", OptionGroup.Run, "number of seeds, each a whole comparison of its own", "seeds");
        yield return Set("--device", OptionGroup.Run, "auto, cpu or cuda", "device") with { Hint = "auto|cpu|cuda" };
        yield return Set(
            "--precision", OptionGroup.Run,
            "number format; auto is float32 on the CPU and tf32 on a GPU; bf16 on the CPU is for attacks alone", "precision") with
        { Hint = "auto|float32|tf32|bf16" };
        yield return Set("--deterministic", OptionGroup.Run, "same bits in every process also on a GPU, whose algorithms are else chosen by measurement", "deterministic");

        yield return Set("--dataset", OptionGroup.Data, "data set; see 'data list'", "data.name");
        yield return Set("--train-samples", OptionGroup.Data, "samples for training and validation; 0 for all", "data.trainSamples");
        yield return Set("--test-samples", OptionGroup.Data, "samples of the final evaluation; 0 for all", "data.testSamples");
        yield return Set("--validation-samples", OptionGroup.Data, "samples of the training set set aside for validation", "data.validationSamples");
        yield return Set("--crop-flip", OptionGroup.Data, "crop (padded by 4) and flip training images at random", "data.cropFlip");
        yield return Set("--normalize", OptionGroup.Data, "begin the network by normalising with the data set's mean and deviation", "data.normalize");

        yield return Set("--model", OptionGroup.Model, "network; see 'models'", "model");
        yield return new ConfigurationOption(
            "--width", OptionGroup.Model, "N", "width of the network: resnet18 with 16 is resnet18-w16, wrn-34-10 with 2 is wrn-34-2", [])
        {
            Action = (draft, text) => draft.Set("model", ModelWidth.Change(draft.Build().Model, text), "--width"),
        };
        yield return Set("--init", OptionGroup.Model, "distribution of initial weights: he or glorot", "initialization") with { Hint = "he|glorot" };

        yield return Set("--epsilon", OptionGroup.Attack, "radius of the L∞ ball, in training and evaluation", "attack.epsilon", "evaluation.attack.epsilon");
        yield return Set("--step-size", OptionGroup.Attack, "size of a PGD step, in training and evaluation", "attack.stepSize", "evaluation.attack.stepSize");
        yield return Set("--steps", OptionGroup.Attack, "PGD steps of adversarial training", "attack.steps");
        yield return Set("--restarts", OptionGroup.Attack, "random restarts of PGD in training", "attack.restarts");
        yield return Set("--attack-loss", OptionGroup.Attack, "loss that the attack of training raises", "attack.loss");
        yield return Set("--attack-bn", OptionGroup.Attack, "statistics that normalisation reads while training's attack runs", "attack.statistics");
        yield return Set("--train-epsilon", OptionGroup.Attack, "radius of the L∞ ball in training alone", "attack.epsilon");
        yield return Set("--train-step-size", OptionGroup.Attack, "size of a PGD step in training alone", "attack.stepSize");

        yield return new ConfigurationOption(
            "--epochs", OptionGroup.Training, "N",
            "epochs of retraining; donor and dense keep their proportion to it", [])
        {
            Action = ScaleEpochs,
        };
        yield return Set("--method", OptionGroup.Training, "what is trained on; the donor follows only to natural", "retrain.method", "dense.method") with
        {
            Action = (draft, text) =>
            {
                if (draft.Build().Retrain.Method == Training.Optimization.TrainingMethod.Natural)
                    draft.Set("donor.method", text, "--method");
            },
        };
        yield return Everywhere("--fgsm-rs-step", "step of fgsm-rs, as a multiple of ε", "methodOptions.fgsmRsStep");
        yield return Everywhere("--noise", "radius of the noise of n-fgsm, as a multiple of ε", "methodOptions.noise");
        yield return Everywhere("--noise-step", "step of n-fgsm, as a multiple of ε", "methodOptions.noiseStep");
        yield return Everywhere("--replays", "times in a row that free trains on a batch; each counts as a pass over the data", "methodOptions.replays");
        yield return Everywhere("--outer-steps", "propagations of yopo through the whole network for a step of the weights", "methodOptions.outerSteps");
        yield return Everywhere("--inner-steps", "steps of yopo's images through the first layer after each propagation", "methodOptions.innerSteps");
        yield return Everywhere("--beta", "weight of the divergence in trades", "methodOptions.beta");
        yield return Everywhere("--ema", "share that a step leaves of an average of the weights, such as 0.9995, which is then validated, tested, saved and pruned; or none", "ema");
        yield return Everywhere("--batch", "samples a step", "batchSize");
        yield return Set("--learning-rate", OptionGroup.Training, "learning rate of tickets and baseline; the donor has its own", "retrain.learningRate", "dense.learningRate");
        yield return Set("--warmup-from", OptionGroup.Training, "rate that tickets warm up from, or none", "retrain.warmupFrom");
        yield return Set("--warmup-length", OptionGroup.Training, "length of the warm-up: 2ep, 800it or 5%", "retrain.warmupLength");
        yield return Everywhere("--learning-rate-drops", "shares of the training after which the rate drops, or none", "learningRateDrops");
        yield return Everywhere("--learning-rate-factor", "factor of each drop", "learningRateFactor");
        yield return Everywhere("--momentum", "momentum of SGD", "momentum");
        yield return Everywhere("--weight-decay", "weight decay of SGD", "weightDecay");
        yield return Everywhere("--decay-all", "whether biases and normalisation decay too", "decayAll");
        yield return Everywhere("--patience", "epochs without a better validation accuracy after which training stops, or none", "earlyStopping.patience");
        yield return Everywhere("--early-stopping-robust", "watch robust (true) or clean (false) validation accuracy; none for robust in adversarial training", "earlyStopping.robust");

        yield return Set("--ratio", OptionGroup.Pruning, "share of the prunable weights that is pruned", "pruning.ratio");
        yield return Set("--scope", OptionGroup.Pruning, "one threshold for all weights, or one a layer", "pruning.scope") with { Hint = "global|layerwise" };
        yield return Set("--minimum-kept", OptionGroup.Pruning, "weights that every layer keeps at least", "pruning.minimumKept");
        yield return Set("--prune-hidden-linear", OptionGroup.Pruning, "whether hidden linear layers are pruned, or none for the model's own choice", "pruning.hiddenLinear");
        yield return Set(
            "--donor-early-bird", OptionGroup.Pruning,
            "end a donor's training when the masks of its last five epochs differ by less than this share of the most they "
                + "can; the Early-Bird paper's 0.1 at ratios 0.3 to 0.7 is a share of all weights, here 0.1 to 0.17; or none",
            "pruning.earlyBird");
        yield return Set("--rounds", OptionGroup.Pruning, "rounds of train, prune, reset; 1 is one-shot", "pruning.rounds");

        yield return Set("--evaluation-epsilon", OptionGroup.Evaluation, "radius of the L∞ ball in evaluation alone", "evaluation.attack.epsilon");
        yield return Set("--evaluation-step-size", OptionGroup.Evaluation, "size of a PGD step in evaluation alone", "evaluation.attack.stepSize");
        yield return Set("--evaluation-steps", OptionGroup.Evaluation, "PGD steps of the evaluation", "evaluation.attack.steps");
        yield return Set("--evaluation-restarts", OptionGroup.Evaluation, "random restarts of the evaluation", "evaluation.attack.restarts");
        yield return Set("--evaluation-loss", OptionGroup.Evaluation, "loss that the evaluation's attack raises", "evaluation.attack.loss");
        yield return Set("--probe-steps", OptionGroup.Evaluation, "PGD steps of the robust validation after an epoch; 0 for none", "evaluation.probeSteps");
        yield return Set("--probe-samples", OptionGroup.Evaluation, "validation samples that it attacks; 0 for all", "evaluation.probeSamples");
        yield return Set("--probe-every", OptionGroup.Evaluation, "epochs between robust validations", "evaluation.probeEvery");
        yield return Set("--evaluation-batch", OptionGroup.Evaluation, "samples a batch of evaluation", "evaluation.batchSize");
    }

    // One option for every setting of every training: --donor-learning-rate and so on.
    private static IEnumerable<ConfigurationOption> Single() =>
        from training in Trainings
        from setting in ConfigurationSchema.Leaves
        where setting.Path.StartsWith(training.Group + ".", StringComparison.Ordinal)
        let name = OptionNameOf(setting.Path[(training.Group.Length + 1)..])
        select Set($"--{training.Group}-{name}", OptionGroup.Training, $"--{name} for {training.What} alone", setting.Path) with { Listed = false };

    private const string MethodOptions = "methodOptions.";

    private static string OptionNameOf(string path) => path switch
    {
        _ when path.StartsWith(MethodOptions, StringComparison.Ordinal) => OptionNameOf(path[MethodOptions.Length..]),
        "batchSize" => "batch",
        "earlyStopping.patience" => "patience",
        "earlyStopping.robust" => "early-stopping-robust",
        _ => System.Text.Json.JsonNamingPolicy.KebabCaseLower.ConvertName(path),
    };

    private static ConfigurationOption Everywhere(string name, string description, string setting) =>
        Set(name, OptionGroup.Training, description, [.. Trainings.Select(training => $"{training.Group}.{setting}")]);

    private static ConfigurationOption Set(string name, OptionGroup group, string description, params string[] paths) =>
        new(name, group, SettingText.Hint(ConfigurationSchema.Leaf(paths[0])), description, paths);

    private static void ScaleEpochs(ConfigurationDraft draft, string text)
    {
        RunConfiguration before = draft.Build();
        draft.Set("retrain.epochs", text, "--epochs");
        int wanted = draft.Build().Retrain.Epochs;
        Require.InRange("epochs", wanted, 0, 100_000);
        draft.Set("donor.epochs", Scaled(before.Donor.Epochs), "--epochs");
        draft.Set("dense.epochs", Scaled(before.Dense.Epochs), "--epochs");

        string Scaled(int epochs)
        {
            double scaled = before.Retrain.Epochs == 0 ? wanted : (double)epochs * wanted / before.Retrain.Epochs;
            int least = wanted == 0 || epochs == 0 ? 0 : 1;
            return Math.Max(least, (int)Math.Round(scaled, MidpointRounding.AwayFromZero)).ToString(CultureInfo.InvariantCulture);
        }
    }
}
