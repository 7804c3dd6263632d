using System.Text;

namespace BoostingTicket.Training;

/// <summary>Writes text for a terminal with everything escaped that a terminal would execute; see <see cref="PlainText"/>. Line
/// feeds
/// and tabs stay. What draws on the terminal by itself writes to <see cref="Raw"/>.</summary>
/// <param name="inner">Where to.</param>
internal sealed class PlainWriter(TextWriter inner) : TextWriter
{
    /// <summary>The writer below, which escapes nothing.</summary>
    public TextWriter Inner => inner;

    /// <inheritdoc/>
    public override Encoding Encoding => inner.Encoding;

    /// <inheritdoc/>
    public override IFormatProvider FormatProvider => inner.FormatProvider;

    /// <inheritdoc/>
    [System.Diagnostics.CodeAnalysis.AllowNull]
    public override string NewLine
    {
        get => inner.NewLine;
        set => inner.NewLine = value;
    }

    /// <summary>The writer that escapes nothing.</summary>
    /// <param name="writer">Any writer.</param>
    public static TextWriter Raw(TextWriter writer) => writer is PlainWriter plain ? plain.Inner : writer;

    /// <inheritdoc/>
    public override void Write(char value) => Write(value.ToString());

    /// <inheritdoc/>
    public override void Write(string? value) => inner.Write(PlainText.EscapeLines(value));

    /// <inheritdoc/>
    public override void Write(char[] buffer, int index, int count) => Write(new string(buffer, index, count));

    /// <inheritdoc/>
    public override void Write(ReadOnlySpan<char> buffer) => Write(buffer.ToString());

    /// <inheritdoc/>
    public override void WriteLine() => inner.WriteLine();

    /// <inheritdoc/>
    public override void WriteLine(string? value) => inner.WriteLine(PlainText.EscapeLines(value));

    /// <inheritdoc/>
    public override void Flush() => inner.Flush();

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
            inner.Dispose();
        base.Dispose(disposing);
    }
}
