using System.Buffers;
using System.Globalization;
using System.Text;

namespace BoostingTicket.Training;

/// <summary>Words that come from files (names of tensors, models, classes; notes, metadata, paths) made harmless for the place
/// where
/// they are shown. A terminal must not execute them, a table must not break at them, a spreadsheet must not compute them. The one
/// place that decides what is shown as it is: everything but control characters (C0, DEL, C1), format characters (bidirectional
/// overrides, zero-width characters, language tags), line and paragraph separators, and halves of surrogate pairs. These are
/// shown as <c>\u001B</c>, which JSON reads back as the same character.</summary>
internal static class PlainText
{
    /// <summary>Characters of a name that are shown at most; of a longer one, the beginning and the end.</summary>
    public const int LongestName = 160;

    private const int LongestWord = 480;
    private const int LongestSentence = 4_000;
    private const string FormulaStarts = "=+-@\t\r";

    private static readonly SearchValues<char> MarkdownSigns = SearchValues.Create("\\`*[]<|&#~");

    /// <summary>Text on one line, harmless, at its full length.</summary>
    /// <param name="text">Any text; null is the empty one.</param>
    public static string Escape(string? text) => Escape(text, keepLines: false);

    /// <summary>Text of several lines, harmless: as <see cref="Escape(string)"/>, but line feeds and tabs stay.</summary>
    /// <param name="text">Any text; null is the empty one.</param>
    public static string EscapeLines(string? text) => Escape(text, keepLines: true);

    /// <summary>A name on one line, harmless and at most about <see cref="LongestName"/> characters long.</summary>
    /// <param name="text">Any text; null is the empty one.</param>
    public static string Name(string? text) => Escape(Shorten(text ?? "", LongestName));

    /// <summary>A sentence on one line, harmless; words of absurd length are shortened, and so is the whole.</summary>
    /// <param name="text">Any text; null is the empty one.</param>
    public static string Sentence(string? text)
    {
        if (string.IsNullOrEmpty(text))
            return "";
        string whole = Shorten(text, LongestSentence);
        if (whole.Length > LongestWord)
            whole = string.Join(' ', whole.Split(' ').Select(word => Shorten(word, LongestWord)));
        return Escape(whole);
    }

    /// <summary>A cell or a line of Markdown: harmless, and nothing of it is markup, ends a cell, or is HTML.</summary>
    /// <param name="text">Any text; null is the empty one.</param>
    public static string Markdown(string? text)
    {
        string plain = Escape(text);
        if (!plain.AsSpan().ContainsAny(MarkdownSigns))
            return plain;
        var escaped = new StringBuilder(plain.Length + 16);
        for (int i = 0; i < plain.Length; i++)
        {
            switch (plain[i])
            {
                case '<':
                    escaped.Append("&lt;");
                    break;
                case '&' when StartsEntity(plain, i):
                    escaped.Append("&amp;");
                    break;
                case '\\' or '`' or '*' or '[' or ']' or '|' or '~':
                    escaped.Append('\\').Append(plain[i]);
                    break;
                case '#' when i == 0:
                    escaped.Append("\\#");
                    break;
                default:
                    escaped.Append(plain[i]);
                    break;
            }
        }

        return escaped.ToString();
    }

    /// <summary>A text cell of a comma-separated table (RFC 4180): harmless, quoted where it must be, and never a formula, which
    /// spreadsheets would compute: one that begins with <c>=</c>, <c>+</c>, <c>-</c> or <c>@</c> gets an apostrophe in
    /// front.</summary>
    /// <param name="text">Any text; null is the empty one.</param>
    public static string Csv(string? text)
    {
        string trimmed = (text ?? "").TrimStart(' ');
        string plain = Escape(text);
        if (trimmed.Length > 0 && FormulaStarts.Contains(trimmed[0]))
            plain = "'" + plain;
        return plain.AsSpan().ContainsAny(',', '"', ';') ? $"\"{plain.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : plain;
    }

    /// <summary>Whether a character must not be shown as it is; halves of surrogate pairs are judged with their other
    /// half.</summary>
    internal static bool IsHarmful(UnicodeCategory category) => category is UnicodeCategory.Control or UnicodeCategory.Format
        or UnicodeCategory.Surrogate or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator;

    private static string Escape(string? text, bool keepLines)
    {
        if (string.IsNullOrEmpty(text))
            return "";
        int first = FirstHarmful(text, 0, keepLines);
        if (first == text.Length)
            return text;
        var escaped = new StringBuilder(text.Length + 32);
        int done = 0;
        for (int next = first; next < text.Length; next = FirstHarmful(text, done, keepLines))
        {
            escaped.Append(text, done, next - done);
            int length = char.IsSurrogatePair(text, next) ? 2 : 1;
            for (int i = 0; i < length; i++)
                escaped.Append(CultureInfo.InvariantCulture, $"\\u{(int)text[next + i]:X4}");
            done = next + length;
        }

        return escaped.Append(text, done, text.Length - done).ToString();
    }

    private static int FirstHarmful(string text, int start, bool keepLines)
    {
        for (int i = start; i < text.Length; i++)
        {
            char character = text[i];
            if (character is >= ' ' and < '\x7F' || (keepLines && IsLayout(text, i)))
                continue;
            if (char.IsSurrogatePair(text, i) && !IsHarmful(CharUnicodeInfo.GetUnicodeCategory(text, i)))
                i++;
            // The last two characters of the plane are none, and no XML.
            else if (char.IsSurrogate(character) || character >= '\uFFFE'
                || IsHarmful(CharUnicodeInfo.GetUnicodeCategory(character)))
                return i;
        }

        return text.Length;
    }

    private static bool IsLayout(string text, int i) =>
        text[i] is '\n' or '\t' || (text[i] == '\r' && i + 1 < text.Length && text[i + 1] == '\n');

    private static string Shorten(string text, int longest)
    {
        if (text.Length <= longest)
            return text;
        int half = longest / 2;
        return string.Create(
            CultureInfo.InvariantCulture,
                $"{text.AsSpan(0, half)}…({text.Length - (2 * half):N0} more)…{text.AsSpan(text.Length - half)}");
    }

    private static bool StartsEntity(string text, int ampersand)
    {
        int end = ampersand + 1;
        while (end < text.Length && (char.IsAsciiLetterOrDigit(text[end]) || text[end] == '#'))
            end++;
        return end > ampersand + 1 && end < text.Length && text[end] == ';';
    }
}
