using System.Globalization;
using BoostingTicket.Training;
using BoostingTicket.Training.Models;

namespace BoostingTicket.Runs.Configuration;

/// <summary>Every option that changes a <see cref="RunConfiguration"/>. A new setting is one line here; a test sees to it that
/// none is forgotten.</summary>
/// <remarks>Options are applied in this order, whatever the order on the command line, so that an option for one training wins
/// over the option for all.</remarks>
internal static class ConfigurationOptions
{
    private static readonly string[] Trainings = ["donor", "retrain", "dense"];

    /// <summary>All options.</summary>
    public static IReadOnlyList<ConfigurationOption> All { get; } = [.. General(), .. Single()];

    /// <summary>The option of a name.</summary>
    /// <param name="name">Such as <c>epochs</c>.</param>
    /// <exception cref="ConfigurationException">There is no such name; the message names the nearest.</exception>
    public static ConfigurationOption Find(string name) =>
        All.FirstOrDefault(option => option.Name == name)
        ?? throw NearestName.Unknown("option", name, [.. All.Select(option => option.Name)]);

    private static IEnumerable<ConfigurationOption> General()
    {
        yield return Set("arms", OptionGroup.Run, "networks to compare, separated by commas", "arms");
        yield return Set(
            "seed", OptionGroup.Run, "first seed of all random numbers; the built-in images do not depend on it", "seed");
        yield return Set("seeds", OptionGroup.Run, "number of seeds; each is a whole comparison of its own", "seeds");
        yield return Set("device", OptionGroup.Run, "auto, cpu, cuda, or cuda:N for the GPU of that number", "device") with
        {
            Hint = "auto|cpu|cuda|cuda:N",
        };
        yield return Set("precision", OptionGroup.Run, "number format; auto is float32 on the CPU, and tf32 on GPUs that have it",
            "precision");
        yield return Set("deterministic", OptionGroup.Run,
            "use only GPU algorithms that give the same bits in every process; the CPU always does", "deterministic");

        yield return Set(
            "dataset", OptionGroup.Data,
            "data set; 'data list' shows all. Or the path of a .npz file or of a folder of images by class", "data.name") with
        {
            Hint = "NAME|PATH",
            Action = (draft, _) => draft.Set("data.fingerprint", SettingText.None, Setting.Named("dataset")),
        };
        yield return Set(
            "dataset-fingerprint", OptionGroup.Data,
            "SHA-256 that the images of one's own data must have, as 'data info' shows it; recorded by itself",
            "data.fingerprint");
        yield return Set(
            "train-samples", OptionGroup.Data, "samples for training and validation; 0 for all", "data.trainSamples");
        yield return Set("test-samples", OptionGroup.Data, "samples of the final evaluation; 0 for all", "data.testSamples");
        yield return Set(
            "validation-samples", OptionGroup.Data, "training samples set aside for validation", "data.validationSamples");
        yield return Set(
            "crop-flip", OptionGroup.Data, "crop (after padding by 4) and flip training images at random", "data.cropFlip");
        yield return Set("normalize", OptionGroup.Data,
            "normalise images by the data set's mean and deviation in the network's first layer", "data.normalize");

        yield return Set("model", OptionGroup.Model, "network; 'models' shows all", "model");
        yield return new ConfigurationOption(
            "width", OptionGroup.Model, "N", "width of the network: 16 makes resnet18 resnet18-w16, 2 makes wrn-34-10 wrn-34-2",
            [])
        {
            Action = (draft, text) => draft.Set("model", ModelWidth.Change(draft.Build().Model, text), Setting.Named("width")),
        };
        yield return Set("init", OptionGroup.Model, "distribution of initial weights", "initialization");

        yield return Set("epsilon", OptionGroup.Attack, "radius of the L∞ ball, in training and evaluation", "attack.epsilon",
            "evaluation.attack.epsilon");
        yield return Set("step-size", OptionGroup.Attack, "size of a PGD step, in training and evaluation", "attack.stepSize",
            "evaluation.attack.stepSize");
        yield return Set("steps", OptionGroup.Attack, "PGD steps in training", "attack.steps");
        yield return Set("restarts", OptionGroup.Attack, "random restarts of PGD in training", "attack.restarts");
        yield return Set("attack-loss", OptionGroup.Attack, "loss that the training attack maximises", "attack.loss");
        yield return Set("attack-bn", OptionGroup.Attack, "statistics that batch normalisation uses during the training attack",
            "attack.statistics");
        yield return Set("train-epsilon", OptionGroup.Attack, "radius of the L∞ ball in training only", "attack.epsilon");
        yield return Set("train-step-size", OptionGroup.Attack, "size of a PGD step in training only", "attack.stepSize");

        yield return new ConfigurationOption(
            "epochs", OptionGroup.Training, "N",
            "epochs of retraining; those of donor and baseline change in proportion", [])
        {
            Action = ScaleEpochs,
            Shown = [.. Trainings.Select(training => $"{training}.epochs")],
        };
        yield return Set("method", OptionGroup.Training, "training method; the donor changes with it only for natural",
            "retrain.method", "dense.method") with
        {
            Action = (draft, text) =>
            {
                if (draft.Build().Retrain.Method == Training.Optimization.TrainingMethod.Natural)
                    draft.Set("donor.method", text, Setting.Named("method"));
            },
        };
        yield return Everywhere("fgsm-rs-step", "step of fgsm-rs, as a multiple of ε", "methodOptions.fgsmRsStep");
        yield return Everywhere("noise", "radius of the noise of n-fgsm, as a multiple of ε", "methodOptions.noise");
        yield return Everywhere("noise-step", "step of n-fgsm, as a multiple of ε", "methodOptions.noiseStep");
        yield return Everywhere("replays", "times in a row that free trains on each batch; each counts as a pass over the data",
            "methodOptions.replays");
        yield return Everywhere(
            "outer-steps", "passes of yopo through the whole network per step of the weights", "methodOptions.outerSteps");
        yield return Everywhere("inner-steps", "steps that yopo moves the images after each pass, through the first layer only",
            "methodOptions.innerSteps");
        yield return Everywhere("beta", "weight of the divergence in the loss of trades", "methodOptions.beta");
        yield return Everywhere(
            "ema", "decay of a moving average of the weights, such as 0.9995; the average is validated, tested, saved and "
                + "pruned. none for no average", "ema");
        yield return Everywhere("batch", "samples per training step", "batchSize");
        yield return Everywhere(
            "replicas",
            "shards of each batch, as if so many devices shared it; so many processes at most can compute the training",
            "replicas");
        yield return Everywhere(
            "replica-statistics",
            "running statistics of normalisation that several replicas leave: their mean, or the first one's",
            "replicaStatistics");
        yield return Set("learning-rate", OptionGroup.Training,
            "learning rate of tickets and baseline; the donor has one of its own", "retrain.learningRate", "dense.learningRate");
        yield return Set("warmup-from", OptionGroup.Training,
            "learning rate at which the warm-up of tickets starts; none for no warm-up", "retrain.warmupFrom");
        yield return Set("warmup-length", OptionGroup.Training,
            "length of the warm-up of tickets: 2ep (epochs), 800it (iterations) or 5%", "retrain.warmupLength");
        yield return Everywhere(
            "learning-rate-decay", "how the learning rate falls after the warm-up", "learningRateDecay");
        yield return Everywhere(
            "learning-rate-drops",
            "shares of the training after which the learning rate drops, such as 0.5,0.75; none for no drop",
            "learningRateDrops");
        yield return Everywhere(
            "learning-rate-factor", "factor by which each drop multiplies the learning rate", "learningRateFactor");
        yield return Everywhere("momentum", "momentum of SGD", "momentum");
        yield return Everywhere("weight-decay", "weight decay of SGD", "weightDecay");
        yield return Everywhere("decay-all", "apply weight decay to biases and normalisation too", "decayAll");
        yield return Everywhere(
            "patience", "stop after this many epochs without a better validation accuracy; none to train all epochs",
            "earlyStopping.patience");
        yield return Everywhere(
            "early-stopping-robust",
            "watch robust (true) or clean (false) validation accuracy; none for robust in adversarial training, else clean",
            "earlyStopping.robust");

        yield return Set("ratio", OptionGroup.Pruning,
            "share of the prunable weights to prune; of multiply-adds, where channels go", "pruning.ratio");
        yield return Set(
            "structure", OptionGroup.Pruning,
            "what is pruned; of whole channels, the ratio is the share of multiply-adds that they remove", "pruning.structure");
        yield return Set("channel-ratio", OptionGroup.Pruning,
            "share of multiply-adds that channels remove, with the structure channel,weight; none for 0.5",
            "pruning.channelRatio");
        yield return Set(
            "channel-criterion", OptionGroup.Pruning, "what channels compete by", "pruning.channelCriterion");
        yield return Set("channel-multiple", OptionGroup.Pruning,
            "numbers of channels that are left are multiples of this: kernels compute several at a time",
            "pruning.channelMultiple");
        yield return Set("cost-exponent", OptionGroup.Pruning,
            "with the scope cost: the power of a weight's multiply-adds that divides its magnitude", "pruning.costExponent");
        yield return Set("scope", OptionGroup.Pruning, "which weights compete with each other", "pruning.scope");
        yield return Set("minimum-kept", OptionGroup.Pruning, "fewest weights that a layer keeps", "pruning.minimumKept");
        yield return Set("prune-hidden-linear", OptionGroup.Pruning,
            "prune hidden linear layers; none for the model's own choice", "pruning.hiddenLinear");
        yield return Set(
            "donor-early-bird", OptionGroup.Pruning,
            "end the donor's training when the masks of its last five epochs differ by less than this share of the most they "
                + "can; the Early-Bird paper's 0.1 is a share of all weights, which is 0.1 to 0.17 here at ratios 0.3 to 0.7. "
                + "none to train all epochs",
            "pruning.earlyBird");
        yield return Set(
            "rounds", OptionGroup.Pruning, "rounds of training, pruning and reset; 1 is one-shot pruning", "pruning.rounds");
        yield return Set(
            "reset", OptionGroup.Pruning,
            "what a ticket's weights are reset to; a number rewinds them to the donor's weights after that epoch",
            "pruning.reset") with
        {
            Hint = $"{ResetPoint.Initial}|{ResetPoint.None}|EPOCH",
        };

        yield return Set("evaluation-epsilon", OptionGroup.Evaluation, "radius of the L∞ ball in evaluation only",
            "evaluation.attack.epsilon");
        yield return Set("evaluation-step-size", OptionGroup.Evaluation, "size of a PGD step in evaluation only",
            "evaluation.attack.stepSize");
        yield return Set("evaluation-steps", OptionGroup.Evaluation, "PGD steps in evaluation", "evaluation.attack.steps");
        yield return Set(
            "evaluation-restarts", OptionGroup.Evaluation, "random restarts of PGD in evaluation", "evaluation.attack.restarts");
        yield return Set(
            "evaluation-loss", OptionGroup.Evaluation, "loss that the evaluation attack maximises", "evaluation.attack.loss");
        yield return Set(
            "probe-steps", OptionGroup.Evaluation, "PGD steps of the robust validation; 0 for none", "evaluation.probeSteps");
        yield return Set(
            "probe-samples", OptionGroup.Evaluation, "samples of the robust validation; 0 for all", "evaluation.probeSamples");
        yield return Set("probe-every", OptionGroup.Evaluation, "epochs between robust validations", "evaluation.probeEvery");
        yield return Set("evaluation-batch", OptionGroup.Evaluation, "samples per batch of evaluation", "evaluation.batchSize");
    }

    // One option for every setting of every training: donor-learning-rate and so on.
    private static IEnumerable<ConfigurationOption> Single() =>
        from training in Trainings
        from setting in ConfigurationSchema.Leaves
        where setting.Path.StartsWith(training + ".", StringComparison.Ordinal)
        let name = OptionNameOf(setting.Path[(training.Length + 1)..])
        select Set($"{training}-{name}", OptionGroup.Training, Alone(name), setting.Path) with { Listed = false };

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
        Set(name, OptionGroup.Training, description, [.. Trainings.Select(training => $"{training}.{setting}")]);

    private static ConfigurationOption Set(string name, OptionGroup group, string description, params string[] paths) =>
        new(name, group, Hint(paths[0]), description, paths) { Words = SettingWords.Of(paths[0]) };

    private static string Hint(string path)
    {
        SettingNode leaf = ConfigurationSchema.Leaf(path);
        return leaf.Type == typeof(string) && SettingWords.Hint(path) is { Length: > 0 } words ? words : SettingText.Hint(leaf);
    }

    // What an option does that sets one training only: the general option's words, but where those speak of several trainings.
    private static string Alone(string name) => name switch
    {
        "epochs" => "epochs to train; 0 keeps the initial weights",
        "method" => "training method",
        "learning-rate" => "learning rate of SGD",
        "warmup-from" => "learning rate at which the warm-up starts; none for no warm-up",
        "warmup-length" => "length of the warm-up: 2ep (epochs), 800it (iterations) or 5%",
        _ => General().First(option => option.Name == name).Description,
    };

    private static void ScaleEpochs(ConfigurationDraft draft, string text)
    {
        RunConfiguration before = draft.Build();
        draft.Set("retrain.epochs", text, Setting.Named("epochs"));
        int wanted = draft.Build().Retrain.Epochs;
        Require.InRange("epochs", wanted, 0, 100_000);
        draft.Set("donor.epochs", Scaled(before.Donor.Epochs), Setting.Named("epochs"));
        draft.Set("dense.epochs", Scaled(before.Dense.Epochs), Setting.Named("epochs"));

        string Scaled(int epochs)
        {
            double scaled = before.Retrain.Epochs == 0 ? wanted : (double)epochs * wanted / before.Retrain.Epochs;
            int least = wanted == 0 || epochs == 0 ? 0 : 1;
            return Math.Max(least, (int)Math.Round(scaled, MidpointRounding.AwayFromZero)).ToString(CultureInfo.InvariantCulture);
        }
    }
}
