using System.CommandLine;
using BoostingTicket.Cli.Hosting;
using BoostingTicket.Runs.Collections;
using BoostingTicket.Runs.Reporting;
using BoostingTicket.Training.Files;

namespace BoostingTicket.Cli.Commands;

/// <summary><c>compare</c>: runs side by side.</summary>
internal static class CompareCommand
{
    /// <summary>The command.</summary>
    public static Command Create(ProgramContext context)
    {
        var folders = new Argument<string[]>("folders")
        {
            HelpName = "FOLDER FOLDER…",
            Description = "folders of runs, trainings or evaluations, two or more",
            Arity = ArgumentArity.OneOrMore,
        };
        var html = new Option<string?>("--html")
        {
            HelpName = "FILE",
            Description = "HTML file for the comparison as a page, with accuracy against seconds as a chart",
        };
        var command = new CommandLineCommand(
            "compare", "Puts runs side by side: settings that differ, accuracies with intervals, seconds.", context)
        {
            Examples =
            [
                ("compare runs/a runs/b", "tables of accuracies, and of the settings in which the runs differ"),
                ("compare runs/a runs/b runs/c --html compare.html", "the same as a page, with charts"),
                ("compare runs/a runs/b --json", "the same for a script, with the points of the charts"),
            ],
            Details =
            [
                "Accuracies are means over seeds with their standard deviations. The 95 % interval is that of the mean for the "
                    + "number of test images. What is done of an unfinished run is shown, and a warning says so.",
            ],
        };
        command.Arguments.Add(folders);
        command.Options.Add(html);
        return command.Executes(invocation =>
        {
            string? page = invocation.Get(html);
            invocation.RequireFile(html.Name, page);
            ComparedRuns runs = ComparedRuns.Of(invocation.Get(folders)!);
            int code = invocation.Answer(runs, writer =>
            {
                Table(writer, ComparisonTables.Arms(runs));
                foreach (string line in TextWrap.Lines(ComparisonTables.Caption, invocation.Terminal.Width))
                    writer.WriteLine(line);
                writer.WriteLine();
                if (runs.Settings.Count == 0)
                    writer.WriteLine("All settings are the same.");
                else
                    Table(writer, ComparisonTables.Settings(runs));
                AnswerText.WriteWarnings(writer, invocation, runs.Warnings);
                if (page is not null)
                    writer.WriteLine($"Page: {page}");
            });
            return page is null ? code : invocation.Afterwards(() => AtomicFile.WriteAllText(
                page, ComparisonTables.Page(runs, invocation.CommandLine, Path.GetDirectoryName(Path.GetFullPath(page))!)));
        });
    }

    private static void Table(
        TextWriter writer, (IReadOnlyList<string> Headers, IReadOnlyList<IReadOnlyList<string>> Rows) cells)
    {
        var table = new TextTable(cells.Headers);
        foreach (IReadOnlyList<string> row in cells.Rows)
            table.Add(row);
        table.Write(writer);
    }
}
