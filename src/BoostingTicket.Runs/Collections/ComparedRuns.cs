using System.Text.Json;
using System.Text.Json.Nodes;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Runs.Reporting;
using BoostingTicket.Runs.Reporting.Figures;
using BoostingTicket.Runs.Stages;
using BoostingTicket.Training;
using BoostingTicket.Training.Evaluation;
using BoostingTicket.Training.Progress;

namespace BoostingTicket.Runs.Collections;

/// <summary>Several runs side by side.</summary>
/// <param name="Runs">What they are called, and how far they are.</param>
/// <param name="Settings">The settings and machines in which they differ.</param>
/// <param name="Rows">Their arms.</param>
/// <param name="Figure">Validation accuracy against seconds; null where nothing is trained.</param>
/// <param name="Warnings">What makes the numbers incomparable.</param>
internal sealed record ComparedRuns(
    IReadOnlyList<ComparedRun> Runs, IReadOnlyList<ComparedSetting> Settings, IReadOnlyList<ComparedArm> Rows,
    FigureData? Figure, IReadOnlyList<string> Warnings)
{
    // Where it was computed, and not what.
    private static readonly string[] Machine = ["device", "precision", "version", "processor", "commit"];

    private static readonly string[] Images = ["training images", "test images"];

    /// <summary>Compares runs.</summary>
    /// <param name="folders">Their folders, at least two.</param>
    /// <exception cref="ConfigurationException">There are fewer, or one holds no run.</exception>
    /// <exception cref="DamagedFileException">A file of them is damaged.</exception>
    public static ComparedRuns Of(IReadOnlyList<string> folders)
    {
        ArgumentNullException.ThrowIfNull(folders);
        if (folders.Count < 2)
            throw new ConfigurationException("There is one run to compare; name two folders or more.");
        List<KeptRun> runs = [.. folders.Select(RunReader.Read)];
        if (runs.Select(run => run.Folder).Distinct().Count() < runs.Count)
            throw new ConfigurationException("A folder is named twice; name different runs.");
        List<string> names = Names(runs);
        return new ComparedRuns(
            [.. runs.Select((run, index) => new ComparedRun(names[index], run.Folder, run.Command, run.State, run.Date))],
            [.. Differences(runs)],
            [.. runs.SelectMany((run, index) => Arms(run, names[index]))],
            Curves(runs, names), [.. Reasons(runs)]);
    }

    // The last part of the path, with as many before it as tell the runs apart.
    private static List<string> Names(List<KeptRun> runs)
    {
        for (int parts = 1; ; parts++)
        {
            List<string> names = [.. runs.Select(run => string.Join('/', run.Folder.Split(
                Path.DirectorySeparatorChar, StringSplitOptions.RemoveEmptyEntries).TakeLast(parts)))];
            if (names.Distinct().Count() == names.Count || parts > 64)
                return names;
        }
    }

    private static IEnumerable<ComparedSetting> Differences(List<KeptRun> runs)
    {
        JsonNode[] settings = [.. runs.Select(run => JsonSerializer.SerializeToNode(run.Configuration, RunJson.Compact)!)];
        foreach (SettingNode leaf in ConfigurationSchema.Leaves)
        {
            if (Differing(leaf.Path, [.. settings.Select(root => SettingText.Of(root, leaf.Path))]) is { } setting)
                yield return setting;
        }
        foreach (string name in Machine)
        {
            if (Differing(name, [.. runs.Select(run => run.Environment.GetValueOrDefault(name, "unknown"))]) is { } fact)
                yield return fact;
        }

        static ComparedSetting? Differing(string name, string[] values) =>
            values.Distinct().Count() > 1 ? new ComparedSetting(name, values) : null;
    }

    private static IEnumerable<ComparedArm> Arms(KeptRun run, string name)
    {
        if (run.Robustness is { } robustness)
        {
            return [new ComparedArm(
                name, null, 0, Spread.Of([robustness.Clean]), robustness.CleanInterval, Spread.Of([robustness.WorstCase]),
                robustness.WorstCaseInterval, "all attacks", robustness.Samples, null)];
        }
        return RunSummary.Of(run.Result).Select(row =>
        {
            int samples = run.Seeds.SelectMany(seed => seed.Arms).First(arm => arm.Arm == row.Arm).Best.Samples;
            return new ComparedArm(
                name, row.Arm, row.Sparsity, row.Clean, Interval(row.Clean, samples), row.Robust, Interval(row.Robust, samples),
                RunSummary.AttackName(run.Configuration), samples, row.TotalSeconds);
        });
    }

    // Seeds are tested on the same images, so that more of them do not make a larger test set.
    private static WilsonInterval Interval(Spread share, int samples) =>
        WilsonInterval.Of((int)Math.Round(share.Mean * samples), Math.Max(samples, 1));

    private static FigureData? Curves(List<KeptRun> runs, List<string> names)
    {
        (string Name, Func<EpochRecord, double?> Value)[] measures =
            [("clean", epoch => epoch.ValidationClean), ("robust", epoch => epoch.ValidationRobust)];
        FigurePanel[] panels =
        [
            .. measures.Select(measure => new FigurePanel(
                $"Validation accuracy, {measure.Name}", "seconds of training, with those to find the ticket", "%",
                [.. runs.SelectMany((run, index) => run.Arms.Select(arm => Curve(run, arm, names[index], measure.Value)))
                    .OfType<FigureSeries>()]))
                .Where(panel => panel.Series.Count > 0),
        ];
        return panels.Length == 0 ? null : new FigureData("compare", "Accuracy against seconds", panels);
    }

    private static FigureSeries? Curve(KeptRun run, Arm arm, string name, Func<EpochRecord, double?> value)
    {
        List<ArmResult> seeds = [.. run.Seeds.SelectMany(seed => seed.Arms).Where(one => one.Arm == arm)];
        if (seeds.Count == 0)
            return null;
        var points = new List<FigurePoint>();
        double[] seconds = [.. seeds.Select(seed => seed.PruningSeconds)];
        // Early stopping may end seeds after different numbers of epochs: a mean over fewer seeds would jump.
        for (int epoch = 0; epoch < seeds.Min(seed => seed.History.Count); epoch++)
        {
            for (int seed = 0; seed < seeds.Count; seed++)
                seconds[seed] += seeds[seed].History[epoch].Times.Training;
            List<double> values = [.. seeds.Select(seed => value(seed.History[epoch])).OfType<double>()];
            if (values.Count < seeds.Count)
                continue;
            Spread spread = Spread.Of([.. values.Select(one => 100 * one)]);
            points.Add(new FigurePoint(seconds.Average(), spread.Mean, spread.Count > 1 ? spread.Deviation : null));
        }
        return points.Count == 0 ? null : new FigureSeries($"{name}: {SettingNames.Of(arm)}", points);
    }

    private static IEnumerable<string> Reasons(List<KeptRun> runs)
    {
        foreach (string name in Images)
        {
            if (runs.Select(run => run.Environment.GetValueOrDefault(name)).OfType<string>().Distinct().Count() > 1)
                yield return $"The {name} differ, so that accuracies and seconds are not comparable.";
        }
        if (runs.Select(run => run.Configuration.Evaluation.Attack).Distinct().Count() > 1)
            yield return "The attacks of the evaluations differ, so that robust accuracies are not comparable.";
        if (runs.Select(run => run.Environment.GetValueOrDefault("device")).Distinct().Count() > 1)
            yield return "The devices differ, so that seconds are not comparable.";
        foreach (KeptRun run in runs.Where(run => run.State != RunState.Finished))
            yield return $"The run in {run.Folder} is not finished ({SettingNames.Of(run.State)}): what is done of it is shown.";
    }
}

/// <summary>A run that is compared.</summary>
/// <param name="Name">What it is called: the end of its folder's path.</param>
/// <param name="Folder">Its folder.</param>
/// <param name="Command">The command that filled it.</param>
/// <param name="State">How far it is.</param>
/// <param name="Date">When its last result was written.</param>
internal sealed record ComparedRun(string Name, string Folder, string Command, RunState State, DateTimeOffset Date);

/// <summary>A setting in which runs differ.</summary>
/// <param name="Name">Its path, or the name of a fact about the machine.</param>
/// <param name="Values">Its value in each run.</param>
internal sealed record ComparedSetting(string Name, IReadOnlyList<string> Values);

/// <summary>An arm of a run.</summary>
/// <param name="Run">The run's name.</param>
/// <param name="Arm">The arm; null for an evaluation.</param>
/// <param name="Sparsity">Share of prunable weights that is pruned.</param>
/// <param name="Clean">Clean test accuracy in [0, 1] over the seeds.</param>
/// <param name="CleanInterval">95 % interval of the mean for the number of test images.</param>
/// <param name="Robust">Test accuracy under the attack.</param>
/// <param name="RobustInterval">Its interval.</param>
/// <param name="Attack">The attack.</param>
/// <param name="Samples">Test images.</param>
/// <param name="Seconds">Seconds to find and train the network; null for an evaluation.</param>
internal sealed record ComparedArm(
    string Run, Arm? Arm, double Sparsity, Spread Clean, WilsonInterval CleanInterval, Spread Robust,
    WilsonInterval RobustInterval, string Attack, int Samples, Spread? Seconds);
