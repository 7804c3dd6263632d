using System.Text;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Training;

namespace BoostingTicket.Runs.Experiments.Reports;

/// <summary>An experiment in Markdown, to be kept beside code.</summary>
internal static class ExperimentMarkdown
{
    /// <summary>The document, lines ending in line feeds.</summary>
    /// <param name="result">The result.</param>
    /// <param name="commandLine">Command that produced it.</param>
    /// <param name="pictures">Names of the figure's files beside the document.</param>
    public static string Write(ExperimentResult result, string commandLine, IReadOnlyList<string> pictures)
    {
        var text = new StringBuilder();
        text.Append(
            $"# {Escape($"{result.Experiment}: {result.Title}")}\n\n```\n{PlainText.Escape(commandLine)}\n```\n\n"
            + $"{ExperimentTables.Caption(result)}\n");
        if (result.Rows.Count > 0)
            Table(text, "The paper and ours", ExperimentTables.Comparison(result));
        if (result.Speed is { } speed)
        {
            foreach (SpeedTable table in SpeedReports.Tables(speed))
                Table(text, table.Heading, table.Content);
            text.Append($"\n{SpeedReports.Note(speed)}\n");
        }
        string? picture = pictures.FirstOrDefault(file => file.EndsWith(".svg", StringComparison.Ordinal))
            ?? (pictures.Count > 0 ? pictures[0] : null);
        if (picture is not null)
            text.Append($"\n![{Escape(result.Title)}]({picture})\n");
        if (result.Tickets.Count > 0)
        {
            Table(text, "Relative weight distance", ExperimentTables.Tickets(result));
            text.Append($"\n{ExperimentTables.DistanceNote}\n");
        }
        foreach (string warning in result.Warnings)
            text.Append($"\n> **Warning.** {Escape(warning)}\n");
        text.Append("\n## Environment\n\n");
        foreach ((string name, string value) in result.Environment)
            text.Append($"- {Escape(name)}: {Escape(value)}\n");
        text.Append(
            $"\n<details><summary>Settings</summary>\n\n```json\n{RunJson.Write(result.Configuration)}```\n\n</details>\n");
        return text.ToString();
    }

    private static void Table(
        StringBuilder text, string heading, (IReadOnlyList<string> Headers, IReadOnlyList<IReadOnlyList<string>> Rows) table)
    {
        text.Append($"\n## {heading}\n\n");
        Row(text, table.Headers.Select(header => header.TrimStart('>')));
        Row(text, table.Headers.Select(header => header.StartsWith('>') ? "---:" : "---"));
        foreach (IReadOnlyList<string> row in table.Rows)
            Row(text, row);
    }

    private static void Row(StringBuilder text, IEnumerable<string> cells) =>
        text.Append($"| {string.Join(" | ", cells.Select(Escape))} |\n");

    private static string Escape(string value) => PlainText.Markdown(value);
}
