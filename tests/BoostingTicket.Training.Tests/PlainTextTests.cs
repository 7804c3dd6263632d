using System.Text.Json;

namespace BoostingTicket.Training.Tests;

/// <summary>Words of files where they are shown.</summary>
internal sealed class PlainTextTests
{
    [TestCase("\x1b]0;pwned\x07\x1b[2J", "\\u001B]0;pwned\\u0007\\u001B[2J")]
    [TestCase("a\nb\tc\r", "a\\u000Ab\\u0009c\\u000D")]
    [TestCase("\u007f\u0085\u009b31m", "\\u007F\\u0085\\u009B31m")]
    [TestCase("\u202egnp.exe\u2066\u200f", "\\u202Egnp.exe\\u2066\\u200F")]
    [TestCase("\u2028\u2029\ufeff\u200b", "\\u2028\\u2029\\uFEFF\\u200B")]
    [TestCase("\U000E0041", "\\uDB40\\uDC41")]
    [TestCase("\uffff", "\\uFFFF")]
    [TestCase("conv1.weight ε ≤ 8/255 😀 é", "conv1.weight ε ≤ 8/255 😀 é")]
    [TestCase("", "")]
    public void Characters_that_act_are_shown_by_their_numbers(string text, string shown) =>
        Assert.That(PlainText.Escape(text), Is.EqualTo(shown));

    // No text of an attribute can hold them.
    [Test]
    public void Halves_of_surrogate_pairs_are_shown_by_their_numbers() =>
        Assert.That(PlainText.Escape(new string(['\ud800', 'x', '\udc00'])), Is.EqualTo("\\uD800x\\uDC00"));

    [Test]
    public void Escapes_are_those_of_json()
    {
        const string Text = "a\u202eb\x1b[2J";
        Assert.That(JsonSerializer.Deserialize<string>($"\"{PlainText.Escape(Text)}\""), Is.EqualTo(Text));
    }

    [Test]
    public void Long_names_are_shortened_and_keep_both_ends()
    {
        string shown = PlainText.Name("begin" + new string('.', 60_000) + "end");
        Assert.That(shown, Does.StartWith("begin.").And.EndsWith(".end").And.Contains("more")
            .And.Length.LessThan(PlainText.LongestName + 30));
        Assert.That(PlainText.Name(new string('a', PlainText.LongestName)), Is.EqualTo(new string('a', PlainText.LongestName)));
    }

    [Test]
    public void Messages_of_errors_are_harmless_and_short()
    {
        string message = new DamagedFileException($"The tensor '\x1b[2J{new string('a', 100_000)}' is wrong; give another.")
            .Message;
        Assert.That(message, Does.StartWith("The tensor '\\u001B[2J").And.EndsWith("give another.").And.Length.LessThan(6_000));
    }

    [TestCase("a|b", "a\\|b")]
    [TestCase("<script>alert(1)</script>", "&lt;script>alert(1)&lt;/script>")]
    [TestCase("[x](javascript:y) `c` *e*", "\\[x\\](javascript:y) \\`c\\` \\*e\\*")]
    [TestCase("C&W &lt;", "C&W &amp;lt;")]
    [TestCase("a\nb", "a\\u000Ab")]
    [TestCase("# h", "\\# h")]
    public void Markdown_takes_no_markup_from_names(string text, string shown) =>
        Assert.That(PlainText.Markdown(text), Is.EqualTo(shown.Replace("\\u000A", "\\\\u000A", StringComparison.Ordinal)));

    [TestCase("=1+1", "'=1+1")]
    [TestCase("+1", "'+1")]
    [TestCase("-2", "'-2")]
    [TestCase("@SUM(A1)", "'@SUM(A1)")]
    [TestCase("  =1", "'  =1")]
    [TestCase("\t=1", "'\\u0009=1")]
    [TestCase("a,\"b\"", "\"a,\"\"b\"\"\"")]
    [TestCase("=a,b", "\"'=a,b\"")]
    [TestCase("a\nb", "a\\u000Ab")]
    [TestCase("dense", "dense")]
    public void Cells_of_tables_are_no_formulas(string text, string shown) => Assert.That(PlainText.Csv(text), Is.EqualTo(shown));

    [Test]
    public void A_writer_for_terminals_escapes_all_but_its_layout()
    {
        using var inner = new StringWriter { NewLine = "\n" };
        using (var writer = new PlainWriter(inner))
        {
            writer.Write("a\x1b[2J\n\tb\r\n");
            writer.WriteLine('\x07');
            writer.Write("{0}", "\u202e");
            writer.Write("\x9b".ToCharArray());
            PlainWriter.Raw(writer).Write("\r");
            writer.Flush();
        }

        Assert.That(inner.ToString(), Is.EqualTo("a\\u001B[2J\n\tb\r\n\\u0007\n\\u202E\\u009B\r"));
    }
}
