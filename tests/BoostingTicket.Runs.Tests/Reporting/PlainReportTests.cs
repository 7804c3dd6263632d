using BoostingTicket.Runs.Reporting;
using BoostingTicket.Runs.Reporting.Html;

namespace BoostingTicket.Runs.Tests.Reporting;

/// <summary>Names from files cannot become markup, commands of a terminal or endless lines in reports.</summary>
internal sealed class PlainReportTests
{
    [Test]
    public void Html_has_no_markup_and_no_control_characters()
    {
        Assert.That(HtmlPage.Encode("<b a='x\"'>&\x1b\u202e\n"),
            Is.EqualTo("&lt;b a=&#39;x&quot;&#39;&gt;&amp;\\u001B\\u202E\n"));
    }

    [Test]
    public void A_table_is_as_wide_as_its_shortened_names()
    {
        var table = new TextTable("tensor", "bytes");
        table.Add("\x1b[2J" + new string('.', 60_000), "4");
        table.Add("b", "\u009b1m");
        using var writer = new StringWriter();
        table.Write(writer);
        Assert.That(writer.ToString(), Does.Contain("\\u001B[2J").And.Contain("\\u009B1m").And.Length.LessThan(1_500));
    }
}
