using BoostingTicket.Training;

namespace BoostingTicket.Runs.Reporting;

/// <summary>A table in plain text: columns aligned by spaces, a line below the header.</summary>
internal sealed class TextTable
{
    private const string Gap = "  ";
    private const int LeastWrap = 30;

    private readonly string[] _headers;
    private readonly bool[] _right;
    private readonly List<string[]> _rows = [];

    /// <summary>Begins a table.</summary>
    /// <param name="headers">Headers; one that begins with <c>&gt;</c> aligns its column to the right.</param>
    public TextTable(params IReadOnlyList<string> headers)
    {
        ArgumentNullException.ThrowIfNull(headers);
        _right = [.. headers.Select(header => header.StartsWith('>'))];
        _headers = [.. headers.Select(header => header.TrimStart('>'))];
    }

    /// <summary>Adds a row.</summary>
    /// <param name="cells">As many as there are headers.</param>
    public void Add(params IReadOnlyList<string> cells)
    {
        ArgumentNullException.ThrowIfNull(cells);
        if (cells.Count != _headers.Length)
            throw new ArgumentException($"{cells.Count} cells for {_headers.Length} columns", nameof(cells));
        // The last column wraps; the others would make every line as wide as their longest name.
        _rows.Add([.. cells.SkipLast(1).Select(PlainText.Name), PlainText.Sentence(cells[^1])]);
    }

    /// <summary>Writes the table, each line ending in a line feed of the writer.</summary>
    /// <param name="writer">Where to.</param>
    /// <param name="width">Columns into which the last column's text is wrapped, where the others leave it room.</param>
    public void Write(TextWriter writer, int width = int.MaxValue)
    {
        ArgumentNullException.ThrowIfNull(writer);
        int[] widths = [.. _headers.Select(
            (header, column) => _rows.Select(row => row[column].Length).Append(header.Length).Max())];
        int left = width - widths[..^1].Sum(column => column + Gap.Length);
        widths[^1] = Math.Min(widths[^1], Math.Max(left, LeastWrap));
        WriteRow(writer, _headers, widths);
        writer.WriteLine(string.Join(Gap, widths.Select(column => new string('─', column))));
        foreach (string[] row in _rows)
        {
            List<string> wrapped = TextWrap.Lines(row[^1], widths[^1]);
            WriteRow(writer, [.. row[..^1], wrapped[0]], widths);
            foreach (string line in wrapped.Skip(1))
                WriteRow(writer, [.. row[..^1].Select(_ => ""), line], widths);
        }
    }

    private void WriteRow(TextWriter writer, string[] cells, int[] widths) => writer.WriteLine(string.Join(
        Gap, cells.Select(
            (cell, column) => _right[column] ? cell.PadLeft(widths[column]) : cell.PadRight(widths[column]))).TrimEnd());
}
