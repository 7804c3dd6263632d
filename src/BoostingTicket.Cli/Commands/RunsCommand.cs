using System.CommandLine;
using System.Globalization;
using BoostingTicket.Cli.Hosting;
using BoostingTicket.Runs.Collections;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Runs.Reporting;

namespace BoostingTicket.Cli.Commands;

/// <summary><c>runs</c>: what is under a folder.</summary>
internal static class RunsCommand
{
    private const string None = "–";

    /// <summary>The command.</summary>
    public static Command Create(ProgramContext context)
    {
        var folder = new Argument<string?>("folder")
        {
            HelpName = "FOLDER",
            Description = $"folder to look into, with those below it; by default {RunSetup.RunsFolder}",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var command = new CommandLineCommand(
            "runs", "Lists the runs, trainings, evaluations, sweeps and experiments under a folder.", context)
        {
            Examples =
            [
                ("runs", $"everything under {RunSetup.RunsFolder}/"),
                ("runs experiments", "the experiments there"),
                ("runs /srv/results --json", "the same for a script"),
            ],
            Details =
            [
                "One line for each network that is done: state, model, data, method, test accuracies (mean of the seeds), "
                + "seconds "
                    + "to find and train it, and when the result was written. A folder whose files cannot be read is listed as "
                    + "broken, with the reason.",
            ],
        };
        command.Arguments.Add(folder);
        return command.Executes(invocation =>
        {
            string root = invocation.Get(folder) ?? RunSetup.RunsFolder;
            IReadOnlyList<RunEntry> entries = RunListing.List(root);
            return invocation.Answer(
                new { folder = Path.GetFullPath(root), runs = entries },
                writer => Write(writer, entries, root, invocation.Terminal.Width));
        });
    }

    private static void Write(TextWriter writer, IReadOnlyList<RunEntry> entries, string root, int width)
    {
        if (entries.Count == 0)
        {
            writer.WriteLine($"There are no runs under {root}.");
            return;
        }
        var table = new TextTable(
            "folder", "command", "state", "model", "data", "method", "arm", ">clean %", ">robust %", ">seconds", "date");
        foreach (RunEntry entry in entries)
        {
            table.Add(
                entry.Folder, entry.Command ?? None, SettingNames.Of(entry.State), entry.Model ?? None, entry.DataSet ?? None,
                entry.Method is { } method ? SettingNames.Of(method) : None,
                entry.Arm is { } arm ? SettingNames.Of(arm) : None, Percent(entry.Clean), Percent(entry.Robust),
                entry.Seconds?.ToString("F1", CultureInfo.InvariantCulture) ?? None,
                entry.Date.ToLocalTime().ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture));
        }

        table.Write(writer);
        foreach (RunEntry broken in entries.Where(entry => entry.Problem is not null))
        {
            foreach (string line in TextWrap.Lines($"Broken: {broken.Folder}: {broken.Problem}", width))
                writer.WriteLine(line);
        }
    }

    private static string Percent(double? share) => share is { } value ? AnswerText.Percent(value) : None;
}
