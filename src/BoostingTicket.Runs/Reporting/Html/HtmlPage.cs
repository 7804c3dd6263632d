using System.Globalization;
using System.Net;
using System.Text;
using BoostingTicket.Training;

namespace BoostingTicket.Runs.Reporting.Html;

/// <summary>One HTML file that needs nothing else: no network, no script, no font. It is well-formed XML too. Reports of runs and
/// of experiments are made of its parts; all text is encoded here.</summary>
internal sealed class HtmlPage
{
    // In a table with more columns than this, deviations stand below their means, so that the table fits its page.
    private const int ColumnsInline = 8;

    private const string Sign = " &#177; ", Inline = "\u00a0±\u00a0", Below = "<br/>±\u00a0";

    private readonly StringBuilder _html = new();

    /// <summary>Begins a page.</summary>
    /// <param name="kind">What it reports on, above the title.</param>
    /// <param name="title">Title of the page and first heading.</param>
    /// <param name="subtitle">Line below the title.</param>
    /// <param name="reload">Seconds after which a browser loads the page again; null for never.</param>
    public HtmlPage(string kind, string title, string subtitle, int? reload = null) => _html
        .Append("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"/>")
        .Append("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>")
        .Append(reload is null ? "" : string.Create(
            CultureInfo.InvariantCulture, $"<meta http-equiv=\"refresh\" content=\"{reload}\"/>"))
        .Append(CultureInfo.InvariantCulture,
            $"<title>{Encode(title)}</title>\n<style>\n{HtmlStyle.Css}\n</style></head>\n<body><main>\n")
        .Append(CultureInfo.InvariantCulture,
            $"<p class=\"sub\">{Encode(kind)}</p><h1>{Encode(title)}</h1>\n<p class=\"sub\">{Encode(subtitle)}</p>\n");

    /// <summary>Text for HTML, between tags or inside an attribute's quotes; harmless as <see cref="PlainText"/> says, since
    /// control
    /// characters are no XML either. Line feeds and tabs stay.</summary>
    public static string Encode(string text) => WebUtility.HtmlEncode(PlainText.EscapeLines(text));

    /// <summary>A class of CSS for each name: the key of a legend.</summary>
    public static string Legend(IEnumerable<(string Style, string Name)> entries) =>
        "<div class=\"legend\">"
        + string.Concat(entries.Select(entry => $"<span>{Key(entry.Style)}{Encode(entry.Name)}</span>"))
        + "</div>\n";

    /// <summary>A patch or line in a style's colour.</summary>
    public static string Key(string style) => $"<span class=\"key {style}\"></span>";

    /// <summary>The address of a file as a page in a folder links to it.</summary>
    public static string LinkTo(string folder, string file) => string.Join('/', Path.GetRelativePath(folder, file)
        .Split(Path.DirectorySeparatorChar).Select(Uri.EscapeDataString));

    /// <summary>The finished document.</summary>
    public override string ToString() => _html + "</main></body></html>\n";

    /// <summary>A heading.</summary>
    public HtmlPage Section(string heading) => Add($"<h2>{Encode(heading)}</h2>\n");

    /// <summary>What the reader should take away.</summary>
    public HtmlPage Finding(string text) => Add($"<p class=\"finding\">{Encode(text)}</p>\n");

    /// <summary>How far the work is.</summary>
    public HtmlPage State(string text) => Add($"<p class=\"state\">{Encode(text)}</p>\n");

    /// <summary>What the reader should beware of.</summary>
    public HtmlPage Warning(string text) => Add($"<p class=\"warn\">{Encode(text)}</p>\n");

    /// <summary>A remark, behind the key of a style where one is given.</summary>
    public HtmlPage Note(string text, string? key = null) =>
        Add($"<p class=\"note\">{(key is null ? "" : Key(key) + " ")}{Encode(text)}</p>\n");

    /// <summary>A table.</summary>
    /// <param name="headers">Headers; one that begins with <c>&gt;</c> is of numbers.</param>
    /// <param name="rows">The rows.</param>
    public HtmlPage Table(IReadOnlyList<string> headers, IEnumerable<HtmlRow> rows)
    {
        bool[] numbers = [.. headers.Select(header => header.StartsWith('>'))];
        string deviation = headers.Count > ColumnsInline ? Below : Inline;
        string wide = headers.Count > ColumnsInline ? " class=\"wide\"" : "";
        Add($"<div class=\"card scroll\"><table{wide}><thead><tr>");
        for (int column = 0; column < headers.Count; column++)
            Add($"<th{(numbers[column] ? " class=\"n\"" : "")}>{Encode(headers[column].TrimStart('>'))}</th>");
        Add("</tr></thead><tbody>\n");
        foreach (HtmlRow row in rows)
        {
            Add(row.Arm is null ? "<tr>" : $"<tr data-arm=\"{Encode(row.Arm)}\">");
            for (int column = 0; column < row.Cells.Count; column++)
            {
                string[] classes = [
                    .. numbers[column] ? (string[])["n"] : [], .. row.Best.Contains(column) ? (string[])["best"] : []];
                string cell = Encode(row.Cells[column]).Replace(Sign, deviation, StringComparison.Ordinal);
                if (column == 0 && row.Link is { } link)
                    cell = $"<a href=\"{Encode(link)}\">{cell}</a>";
                if (column == 0 && (row.Arm ?? row.Key) is { } key)
                    cell = Key(key) + cell;
                // A narrow screen shows the header beside each cell.
                string head = headers[column].TrimStart('>');
                Add($"<td{(classes.Length == 0 ? "" : $" class=\"{string.Join(' ', classes)}\"")}"
                    + $"{(head.Length == 0 ? "" : $" data-head=\"{Encode(head)}\"")}>{cell}</td>");
            }

            Add("</tr>\n");
        }

        return Add("</tbody></table></div>\n");
    }

    /// <summary>Charts side by side, as many as the width allows.</summary>
    /// <param name="charts">SVG images, with legends behind them where they have their own.</param>
    public HtmlPage Charts(IEnumerable<string> charts) =>
        Add($"<div class=\"grid2\">{string.Concat(charts.Select(chart => $"<div class=\"card\">{chart}</div>\n"))}</div>\n");

    /// <summary>What has been made into HTML already, such as a legend.</summary>
    public HtmlPage Markup(string html) => Add(html);

    /// <summary>A command or a document, as it is.</summary>
    public HtmlPage Code(string text) => Add($"<pre><code>{Encode(text)}</code></pre>\n");

    /// <summary>A document to be opened on demand.</summary>
    public HtmlPage Details(string summary, string text) =>
        Add($"<details><summary>{Encode(summary)}</summary><pre><code>{Encode(text)}</code></pre></details>\n");

    /// <summary>Names and values.</summary>
    public HtmlPage Facts(IEnumerable<(string Name, string Value)> facts) =>
        Add(
            "<div class=\"card\"><dl>"
            + string.Concat(facts.Select(fact => $"<dt>{Encode(fact.Name)}</dt><dd>{Encode(fact.Value)}</dd>"))
            + "</dl></div>\n");

    private HtmlPage Add(string html)
    {
        _html.Append(html);
        return this;
    }
}

/// <summary>A row of a table.</summary>
/// <param name="Cells">Its cells, as many as there are headers.</param>
internal sealed record HtmlRow(IReadOnlyList<string> Cells)
{
    /// <summary>Arm whose colour stands before the first cell.</summary>
    public string? Arm { get; init; }

    /// <summary>Style whose key stands before the first cell, where it is no arm's.</summary>
    public string? Key { get; init; }

    /// <summary>Page, relative to this one, that the first cell leads to.</summary>
    public string? Link { get; init; }

    /// <summary>Columns whose value is the best of the table.</summary>
    public IReadOnlyCollection<int> Best { get; init; } = [];
}
