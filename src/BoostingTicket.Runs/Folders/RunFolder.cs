using System.Globalization;
using BoostingTicket.Runs.Stages;

namespace BoostingTicket.Runs.Folders;

/// <summary>Every file name of a run, in one place.</summary>
/// <param name="root">The run's folder.</param>
internal sealed class RunFolder(string root)
{
    private const string EvaluationSuffix = ".evaluation.json";

    /// <summary>The folder.</summary>
    public string Root { get; } = Path.GetFullPath(root);

    /// <summary>The configuration with every default spelled out.</summary>
    public string Configuration => Path.Combine(Root, "configuration.json");

    /// <summary>Which command the folder belongs to, and which ticket it trains.</summary>
    public string Command => Path.Combine(Root, "command.json");

    /// <summary>Device, versions, data set hash.</summary>
    public string Environment => Path.Combine(Root, "environment.json");

    /// <summary>What devices chose by measurement, and what they dropped: <see cref="ChosenWays"/> by device.</summary>
    public string Choices => Path.Combine(Root, "choices.json");

    /// <summary>What happened when, over all resumptions.</summary>
    public string Log => Path.Combine(Root, "run.log");

    /// <summary>The log of one of several processes that share the folder: lines of several would stand between one another in
    /// one file, and file systems of several machines do not keep them whole.</summary>
    /// <param name="started">When the process began.</param>
    /// <param name="host">Its machine.</param>
    /// <param name="process">Its number.</param>
    public string SharedLog(DateTimeOffset started, string host, int process) => Path.Combine(
        Root, string.Create(CultureInfo.InvariantCulture, $"run.{started:yyyyMMdd-HHmmss}-{host}-{process}.log"));

    /// <summary>The finished run: a <see cref="RunResult"/>.</summary>
    public string Result => Path.Combine(Root, "result.json");

    /// <summary>How far an evaluation by attacks is; deleted when its result is there.</summary>
    public string AttackState => Path.Combine(Root, "evaluation.state.safetensors");

    /// <summary>Every epoch of every stage as one table.</summary>
    public string Metrics => Path.Combine(Root, "metrics.csv");

    /// <summary>The report for people, one self-contained file.</summary>
    public string Report => Path.Combine(Root, "report.html");

    /// <summary>The result in Markdown, to be kept beside code.</summary>
    public string Summary => Path.Combine(Root, "summary.md");

    /// <summary>TensorBoard's event files, where no other folder is named for them.</summary>
    public string TensorBoard => Path.Combine(Root, "tensorboard");

    /// <summary>Folder of one seed.</summary>
    public string Seed(ulong seed) => Path.Combine(Root, $"seed-{seed}");

    /// <summary>Initial weights of a seed.</summary>
    public string Initial(ulong seed) => Path.Combine(Seed(seed), "initial.safetensors");

    /// <summary>Result of a finished seed.</summary>
    public string SeedResult(ulong seed) => Path.Combine(Seed(seed), "result.json");

    /// <summary>A ticket: initial weights and mask.</summary>
    public string Ticket(ulong seed, string stage) => Path.Combine(Seed(seed), $"{stage}.ticket.safetensors");

    /// <summary>The checkpoint from which a stage continues.</summary>
    public string Checkpoint(ulong seed, string stage) => Path.Combine(Seed(seed), $"{stage}.checkpoint.safetensors");

    /// <summary>Weights after a stage's last epoch.</summary>
    public string LastWeights(ulong seed, string stage) => Path.Combine(Seed(seed), $"{stage}.last.safetensors");

    /// <summary>Weights of a stage that were best on validation.</summary>
    public string BestWeights(ulong seed, string stage) => Path.Combine(Seed(seed), $"{stage}.best.safetensors");

    /// <summary>Weights after an epoch of a stage, kept to rewind to.</summary>
    public string EpochWeights(ulong seed, string stage, int epoch) =>
        Path.Combine(Seed(seed), FormattableString.Invariant($"{stage}.epoch-{epoch}.safetensors"));

    /// <summary>A few test images before and after the attack on a stage's tested weights.</summary>
    public string Examples(ulong seed, string stage) => Path.Combine(Seed(seed), $"{stage}.examples.safetensors");

    /// <summary>Robustness by attack of weights of the run, as <c>evaluate</c> of version 0.1.0 kept it beside them.</summary>
    public static string Evaluation(string weights) => Path.ChangeExtension(weights, EvaluationSuffix);

    /// <summary>Robustness by attack of weights of the run, kept beside them by <c>evaluate</c>: a
    /// <see cref="WeightsEvaluation"/>.</summary>
    /// <param name="weights">The weights file.</param>
    /// <param name="key">Tells evaluations of the same weights apart.</param>
    public static string Evaluation(string weights, string key) => Path.ChangeExtension(weights, $".{key}{EvaluationSuffix}");

    /// <summary>All that <see cref="Evaluation(string, string)"/> names and that exist, in the order of their names.</summary>
    /// <param name="weights">The weights file.</param>
    public static IReadOnlyList<string> Evaluations(string weights)
    {
        string folder = Path.GetDirectoryName(Path.GetFullPath(weights))!;
        string pattern = $"{Path.GetFileNameWithoutExtension(weights)}.*{EvaluationSuffix}";
        return Directory.Exists(folder) ? [.. Directory.GetFiles(folder, pattern).Order(StringComparer.Ordinal)] : [];
    }

    /// <summary>Result of a finished stage.</summary>
    public string StageResult(ulong seed, string stage) => Path.Combine(Seed(seed), $"{stage}.json");
}
