using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using System.Xml.Linq;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Runs.Reporting;
using BoostingTicket.Runs.Reporting.Figures;
using BoostingTicket.Runs.Reporting.Html;
using BoostingTicket.Runs.Stages;
using BoostingTicket.Training.Attacks;
using BoostingTicket.Training.Evaluation;
using BoostingTicket.Training.Testing;

namespace BoostingTicket.Runs.Tests.Reporting;

internal sealed class PictureTests
{
    [TestCase(1)]
    [TestCase(3)]
    public void Png_holds_the_pixels_row_by_row(int channels)
    {
        float[] image = [.. Enumerable.Range(0, channels * 2 * 3).Select(i => i / 20f)];
        image[0] = -1;
        image[^1] = 2;
        byte[] png = PngImage.Encode(image, channels, 2, 3);
        Assert.That(png[..8], Is.EqualTo(new byte[] { 0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a }));
        var chunks = new Dictionary<string, byte[]>();
        for (int at = 8; at < png.Length;)
        {
            int length = BinaryPrimitives.ReadInt32BigEndian(png.AsSpan(at));
            chunks.Add(Encoding.ASCII.GetString(png, at + 4, 4), png[(at + 8)..(at + 8 + length)]);
            at += 12 + length;
        }

        using var rows = new MemoryStream();
        using (var inflate = new ZLibStream(new MemoryStream(chunks["IDAT"]), CompressionMode.Decompress))
            inflate.CopyTo(rows);
        byte[] expected =
        [
            .. Enumerable.Range(0, 2).SelectMany(y => (byte[])
            [
                0,
                .. Enumerable.Range(0, 3).SelectMany(x => Enumerable.Range(0, channels)
                    .Select(channel => (byte)MathF.Round(255 * Math.Clamp(image[(((channel * 2) + y) * 3) + x], 0, 1)))),
            ]),
        ];
        Assert.Multiple(() =>
        {
            Assert.That(rows.ToArray(), Is.EqualTo(expected));
            Assert.That(
                chunks["IHDR"], Is.EqualTo(new byte[] { 0, 0, 0, 3, 0, 0, 0, 2, 8, (byte)(channels == 1 ? 0 : 2), 0, 0, 0 }));
        });
    }

    [Test]
    public void Examples_come_back_as_they_were_saved()
    {
        using var folder = new TemporaryFolder();
        string path = folder["examples.safetensors"];
        SampleExtras.Examples.Save(path);
        AdversarialExamples read = AdversarialExamples.Load(path);
        Assert.Multiple(() =>
        {
            Assert.That((read.Channels, read.Height, read.Width, read.Epsilon), Is.EqualTo((3, 6, 5, 0.1)));
            Assert.That(read.Classes, Is.EqualTo(SampleExtras.Examples.Classes));
            Assert.That(read.Images.Select(image => (image.Sample, image.Label, image.CleanClass, image.AdversarialClass)),
                Is.EqualTo(new[] { (17, 0, 0, 0), (23, 1, 1, 0) }));
            Assert.That(read.Images[1].Adversarial, Is.EqualTo(SampleExtras.Examples.Images[1].Adversarial));
        });
    }

    [Test]
    public void Report_shows_evaluations_and_images_and_marks_what_is_taken_for_another_class()
    {
        XDocument html = ReportTests.Parse(HtmlReport.Write(SampleRun.Create(), "run", SampleExtras.Create()));
        Assert.Multiple(() =>
        {
            Assert.That(html.Descendants("img").Count(), Is.EqualTo(6));
            Assert.That(html.Descendants("img").Select(image => image.Attribute("src")!.Value), Is.All.StartsWith(
                "data:image/png;base64,"));
            Assert.That(html.Descendants("span").Where(span => (string?)span.Attribute("class") == "wrong").Select(
                span => span.Value), Is.EqualTo(new[] { "→ <cat>" }));
            Assert.That(html.Root!.Value, Does.Contain("autoattack: square").And.Contain("39.50").And.Contain(
                "Square found what gradients did not."));
            Assert.That(Cells(html, "pgd-20"), Does.StartWith("||pgd-20|8/255|20 of 2/255, 5 restarts|160|"));
            Assert.That(Cells(html, "autoattack: square"), Does.StartWith("||autoattack: square|8/255||90|"));
            Assert.That(Cells(html, "ticket, best (seed 0)"), Does.StartWith("ticket, best (seed 0)|200 of cifar10|none|"));
        });
    }

    [Test]
    public void Report_says_what_is_unusual_of_an_evaluation_and_which_settings_were_not_kept()
    {
        var settings = new RobustnessSettings(
            ["pgd-20"], new AttackSettings { Epsilon = 1 / 255.0, Loss = LossKind.CarliniWagner }, "mnist", null, 200, 9, "bf16");
        XDocument html = ReportTests.Parse(HtmlReport.Write(SampleRun.Create(), "run", new RunExtras(
            [
                new KeptEvaluation("unusual", new WeightsEvaluation(settings, SampleExtras.Robustness)),
                new KeptEvaluation("old", new WeightsEvaluation(null, SampleExtras.Robustness)),
            ],
            [])));
        Assert.That(html.Root!.Value, Does.Contain("unusual, loss carlini-wagner, bf16, attacked with seed 9").And.Contain(
            "old, settings not kept").And.Contain("1/255"));
    }

    [Test]
    public void Figure_s_charts_have_every_curve_band_and_level()
    {
        var figure = new FigureData("f", "t",
        [
            new FigurePanel("(a)", "pruned (%)", "accuracy (%)",
            [
                new FigureSeries("ticket", [new FigurePoint(20, 80, 1), new FigurePoint(60, 82, 2)]),
                new FigureSeries("random", [new FigurePoint(20, 70, null), new FigurePoint(60, 65, null)], FigureStyle.Dashed),
                new FigureSeries("dense", [new FigurePoint(0, 90, null)], FigureStyle.Level),
            ]),
        ]);
        XDocument svg = XDocument.Parse(FigureCharts.Charts(figure).Single());
        Assert.Multiple(() =>
        {
            Assert.That(svg.Descendants("polyline").Count(), Is.EqualTo(2));
            Assert.That(svg.Descendants("polygon").Single().Attribute("points")!.Value.Split(' '), Has.Length.EqualTo(4));
            Assert.That(svg.Descendants("line").Count(
                line => ((string)line.Attribute("class")!).Contains("level", StringComparison.Ordinal)), Is.EqualTo(1));
            Assert.That(svg.Root!.Value, Does.Contain("pruned (%)").And.Contain("ticket, pruned (%) 60: 82.00").And.Contain(
                "dense: 90.00"));
            Assert.That(
                FigureCharts.Legend(figure).Select(entry => entry.Name), Is.EqualTo(new[] { "ticket", "random", "dense" }));
        });
    }

    [Test]
    public void The_winning_ticket_s_donor_has_its_rows_and_curves()
    {
        var run = SampleRun.Create(1);
        run = run with { Seeds = [run.Seeds[0] with { WinningDonor = run.Seeds[0].Donor }] };
        string[] rows = [.. MetricsCsv.Write(run).Split('\n').Where(line => line.StartsWith(
            "0,winning-donor,", StringComparison.Ordinal))];
        XDocument html = ReportTests.Parse(HtmlReport.Write(run, "run"));
        int curves = html.Descendants("polyline").Count(line => line.Attribute("class")!.Value.Split(' ').Contains(
            "winning-donor"));
        Assert.Multiple(() =>
        {
            Assert.That(rows, Has.Length.EqualTo(run.Seeds[0].Donor.Count));
            Assert.That(curves, Is.EqualTo(4));
        });
    }

    // The row of a table in which a cell stands.
    private static string Cells(XDocument html, string cell) => string.Join('|', html.Descendants("tr")
        .Select(row => row.Elements("td").Select(data => data.Value)).First(cells => cells.Contains(cell)));
}
