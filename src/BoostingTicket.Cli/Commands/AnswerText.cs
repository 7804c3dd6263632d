using System.Globalization;
using BoostingTicket.Cli.Hosting;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Runs.Folders;
using BoostingTicket.Runs.Reporting;
using BoostingTicket.Runs.Stages;
using BoostingTicket.Training.Evaluation;

namespace BoostingTicket.Cli.Commands;

/// <summary>Answers of the commands for single steps.</summary>
internal static class AnswerText
{
    /// <summary>Answers with a finished training.</summary>
    /// <param name="invocation">Where to.</param>
    /// <param name="configuration">Its settings.</param>
    /// <param name="stated">What was said of them before.</param>
    /// <param name="folder">Its folder.</param>
    /// <param name="stage">Its name in the folder.</param>
    /// <param name="result">What it came to.</param>
    public static int Training(
        Invocation invocation, RunConfiguration configuration, RunStatement stated, RunFolder folder, string stage,
        ArmResult result)
    {
        string last = folder.LastWeights(configuration.Seed, stage), best = folder.BestWeights(configuration.Seed, stage);
        string initial = folder.Initial(configuration.Seed);
        var answer = new { folder = folder.Root, settings = stated, report = folder.Report, initial, last, best, result };
        invocation.Print(answer, writer =>
        {
            var table = new TextTable("weights", ">epoch", ">clean %", $">{RunSummary.AttackName(configuration)} %", "file");
            table.Add("best", Number(result.BestEpoch), Percent(result.Best.Clean), Percent(result.Best.Robust), Relative(best));
            table.Add("last", Number(result.EpochsRun), Percent(result.Last.Clean), Percent(result.Last.Robust), Relative(last));
            table.Write(writer);
            writer.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"Trained in {result.TrainingSeconds:F1} s; {result.Sparsity:P1} of the weights are pruned."));
            WriteWarnings(writer, invocation, result.Warnings);
            writer.WriteLine($"Report: {Relative(folder.Report)}");
        });
        return invocation.Afterwards(() => invocation.Saving.Do(() => RunReports.WriteTraining(
            folder, configuration, stage, result, invocation.CommandLine)));
    }

    /// <summary>Writes reasons to distrust numbers below them, so that no number stands without: progress, which says them too,
    /// may go elsewhere.</summary>
    public static void WriteWarnings(TextWriter writer, Invocation invocation, IEnumerable<string> warnings)
    {
        foreach (string warning in warnings.Distinct())
        {
            foreach (string line in TextWrap.Lines($"Warning: {warning}", invocation.Terminal.Width))
                writer.WriteLine(line);
        }
    }

    /// <summary>Share in percent.</summary>
    public static string Percent(double share) => (100 * share).ToString("F2", CultureInfo.InvariantCulture);

    /// <summary>The ends of an interval in percent.</summary>
    public static string Interval(WilsonInterval interval) => $"{Percent(interval.Low)} to {Percent(interval.High)}";

    /// <summary>A path as seen from the current folder.</summary>
    public static string Relative(string path) => Path.GetRelativePath(Environment.CurrentDirectory, path);

    private static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);
}
