using System.Text;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Runs.Stages;
using BoostingTicket.Training;

namespace BoostingTicket.Runs.Reporting;

/// <summary>A run in Markdown, to be kept beside code: command, table, environment, settings.</summary>
internal static class MarkdownReport
{
    /// <summary>The document, lines ending in line feeds.</summary>
    /// <param name="result">The run.</param>
    /// <param name="commandLine">Command that produced it.</param>
    public static string Write(RunResult result, string commandLine) =>
        Write(ReportContent.Of(result, commandLine, null));

    /// <summary>The document of a finished run or training, lines ending in line feeds.</summary>
    public static string Write(ReportContent content)
    {
        ArgumentNullException.ThrowIfNull(content);
        var text = new StringBuilder();
        RunResult result = content.Result;
        RunConfiguration configuration = result.Configuration;
        text.Append($"# {Escape($"{configuration.Preset}: {configuration.Model} on {configuration.Data.Name}")}\n\n");
        text.Append($"```\n{PlainText.Escape(content.CommandLine)}\n```\n\n");
        if (RunSummary.Finding(result) is { } finding)
            text.Append($"{finding}\n\n");
        (IReadOnlyList<string> headers, IReadOnlyList<IReadOnlyList<string>> rows) = TableText.Cells(result);
        Row(text, headers.Select(header => header.TrimStart('>')));
        Row(text, headers.Select(header => header.StartsWith('>') ? "---:" : "---"));
        foreach (IReadOnlyList<string> row in rows)
            Row(text, row);
        text.Append($"\n{TableText.Caption(result)}\n");
        (IReadOnlyList<string> stepHeaders, IReadOnlyList<IReadOnlyList<string>> steps) = StepTable.Cells(result);
        if (steps.Count > 0)
        {
            text.Append("\n## A step of training\n\n");
            Row(text, stepHeaders.Select(header => header.TrimStart('>')));
            Row(text, stepHeaders.Select(header => header.StartsWith('>') ? "---:" : "---"));
            foreach (IReadOnlyList<string> row in steps)
                Row(text, row);
            text.Append($"\n{StepTable.Caption}\n");
        }
        foreach (string warning in result.Seeds.SelectMany(seed => seed.Warnings).Distinct())
            text.Append($"\n> **Warning.** {Escape(warning)}\n");
        text.Append("\n## Environment\n\n");
        foreach ((string name, string value) in RunSummary.Provenance(result))
            text.Append($"- {Escape(name)}: {Escape(value)}\n");
        text.Append($"\n<details><summary>Settings</summary>\n\n```json\n{RunJson.Write(content.Asked)}```\n\n</details>\n");
        return text.ToString();
    }

    private static void Row(StringBuilder text, IEnumerable<string> cells) =>
        text.Append($"| {string.Join(" | ", cells.Select(Escape))} |\n");

    private static string Escape(string value) => PlainText.Markdown(value);
}
