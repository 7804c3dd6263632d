using System.Xml.Linq;
using BoostingTicket.Runs.Reporting.Figures;
using SkiaSharp;

namespace BoostingTicket.Figures.Tests;

[TestFixture]
internal sealed class FigureRendererTests
{
    private static IEnumerable<TestCaseData> Figures =>
        new[] { SampleFigures.Bands, SampleFigures.Pairs, SampleFigures.Bars }.Select(
            figure => new TestCaseData(figure).SetArgDisplayNames(figure.Name));

    /// <summary>Grid of panels, 330 x 250 hundredths of an inch each, at 300 dots an inch.</summary>
    [TestCaseSource(nameof(Figures))]
    public void Png_has_a_panel_s_room_for_each_panel(FigureData figure)
    {
        using SKBitmap image = Decode(figure);
        int columns = FigurePainter.Columns(figure.Panels.Count), rows = (figure.Panels.Count + columns - 1) / columns;
        Assert.Multiple(() =>
        {
            Assert.That(image.Width, Is.EqualTo(3 * ((columns * 330) + 20)));
            Assert.That(image.Height, Is.InRange(3 * ((rows * 250) + 40), 3 * ((rows * 250) + 160)));
        });
    }

    [Test]
    public void Each_curve_is_there_in_its_colour_in_every_panel()
    {
        using SKBitmap image = Decode(SampleFigures.Bands);
        var looks = SeriesLooks.Of(SampleFigures.Bands);
        Assert.That(looks.Select(look => look.Look.Color).Distinct().Count(), Is.EqualTo(3));
        foreach ((string name, SeriesLook look) in looks)
        {
            for (int panel = 0; panel < 2; panel++)
            {
                int left = panel * image.Width / 2, right = left + (image.Width / 2);
                Assert.That(Count(image, left, right, look.Color), Is.GreaterThan(500), $"{name} in panel {panel}");
            }
        }
    }

    /// <summary>Nothing of what a process drew before shows in a document.</summary>
    [Test]
    public void Svg_names_its_references_by_their_order()
    {
        string first = FigureRenderer.Svg(SampleFigures.Bars);
        FigureRenderer.Svg(SampleFigures.Pairs);
        string again = FigureRenderer.Svg(SampleFigures.Bars);
        Assert.That(again, Is.EqualTo(first));
    }

    [Test]
    public void A_deviation_is_a_band_of_many_points_and_bars_of_few()
    {
        FigurePoint[] many = [.. Enumerable.Range(1, 40).Select(x => new FigurePoint(x, 50, 5))],
        few = [new(1, 50, 5), new(2, 50, 5)];
        Assert.Multiple(() =>
        {
            // The band is a twelfth of the panel; two bars are thin lines.
            Assert.That(Ink(many) - Ink(Without(many)), Is.GreaterThan(20_000));
            Assert.That(Ink(few, FigureStyle.Level) - Ink(Without(few), FigureStyle.Level), Is.GreaterThan(20_000));
            Assert.That(Ink(few) - Ink(Without(few)), Is.InRange(200, 5_000));
        });

        static FigurePoint[] Without(FigurePoint[] points) => [.. points.Select(point => point with { Deviation = null })];

        static int Ink(FigurePoint[] points, FigureStyle style = FigureStyle.Solid)
        {
            // A second curve fixes the axes.
            var frame = new FigureSeries(
                "frame", [new FigurePoint(points[0].X, 0, null), new FigurePoint(points[^1].X, 100, null)]);
            using SKBitmap image = Decode(new FigureData(
                "d", "d", [new FigurePanel("p", "x", "y", [new FigureSeries("s", points, style), frame])]));
            return Enumerable.Range(0, image.Height).Sum(y => Enumerable.Range(0, image.Width).Count(
                x => image.GetPixel(x, y) != SKColors.White));
        }
    }

    [Test]
    public void Solid_and_dashed_curves_of_equal_number_share_their_colours_in_pairs()
    {
        var looks = SeriesLooks.Of(SampleFigures.Pairs).ToDictionary(look => look.Name, look => look.Look);
        foreach (int length in (int[])[20, 40, 60, 80, 100])
        {
            SeriesLook boosting = looks[$"boosting, {length} epochs"], winning = looks[$"winning, {length} epochs"];
            Assert.That(winning.Color, Is.EqualTo(boosting.Color));
            Assert.That(winning.Pattern, Is.Not.EqualTo(boosting.Pattern));
        }

        Assert.That(looks.Values.Select(look => look.Color).Distinct().Count(), Is.EqualTo(6), "five pairs and the baseline");
    }

    /// <summary>Dashes are outlines, whatever a viewer makes of strokes. 330 units of panel hold 30 dashes of 5 + 3 units or
    /// more.</summary>
    [TestCase(FigureStyle.Solid, 1, 1)]
    [TestCase(FigureStyle.Dashed, 25, 4)]
    [TestCase(FigureStyle.Level, 50, 6)]
    public void Svg_draws_each_dash_of_a_curve_and_of_its_legend_as_an_outline(
        FigureStyle style, int leastOfCurve, int leastOfKey)
    {
        FigurePoint[] points = [.. Enumerable.Range(0, 40).Select(x => new FigurePoint(x, 50 + x, null))];
        var frame = new FigureSeries("frame", [new FigurePoint(0, 0, null), new FigurePoint(39, 100, null)]);
        var figure = new FigureData(
            "dashes", "dashes", [new FigurePanel("p", "x", "y", [new FigureSeries("s", points, style), frame])]);
        ScottPlot.Color color = SeriesLooks.Of(figure).Single(look => look.Name == "s").Look.Color;
        int[] outlines = [.. Paths(figure, color).Select(path => path.Count(letter => letter == 'M'))];
        Assert.Multiple(() =>
        {
            // The legend's key first; markers, and frames of a level's colour, are of one outline.
            int key = outlines[0], curve = outlines[1..].Max();
            Assert.That(key, style == FigureStyle.Solid ? Is.EqualTo(1) : Is.InRange(leastOfKey, 10));
            Assert.That(curve, style == FigureStyle.Solid ? Is.EqualTo(1) : Is.InRange(leastOfCurve, 120));
        });
    }

    [TestCaseSource(nameof(Figures))]
    [Platform("Linux")]
    public void Svg_is_drawn_without_a_word_from_Skia(FigureData figure)
    {
        Assert.That(StandardError.Of(() => FigureRenderer.Svg(figure)), Is.Empty);
        Assert.That(
            StandardError.Of(DrawDashedMarkers), Does.Contain("path effect"), "what Skia says of a dashed shape is heard");

        static void DrawDashedMarkers()
        {
            using var stream = new MemoryStream();
            using SKCanvas canvas = SKSvgCanvas.Create(SKRect.Create(10, 10), stream);
            using SKPathEffect dashes = SKPathEffect.CreateDash([2, 2], 0);
            using var paint = new SKPaint { PathEffect = dashes };
            canvas.DrawCircle(5, 5, 4, paint);
            canvas.DrawRect(1, 1, 8, 8, paint);
        }
    }

    /// <summary>The files stay in the test's work folder, to be looked at.</summary>
    [TestCaseSource(nameof(Figures))]
    public void Files_hold_what_is_drawn_and_equal_figures_give_equal_bytes(FigureData figure)
    {
        string folder = TestContext.CurrentContext.WorkDirectory;
        IReadOnlyList<string> files = new FigureFiles().Write(figure, folder);
        Assert.Multiple(() =>
        {
            Assert.That(files, Is.EqualTo(
                new[] { Path.Combine(folder, figure.Name + ".png"), Path.Combine(folder, figure.Name + ".svg") }));
            Assert.That(File.ReadAllBytes(files[0]), Is.EqualTo(FigureRenderer.Png(figure)));
            Assert.That(File.ReadAllText(files[1]), Is.EqualTo(FigureRenderer.Svg(figure)));
        });
    }

    [TestCaseSource(nameof(Figures))]
    public void Svg_holds_every_title_label_and_name_as_text_in_the_shipped_font(FigureData figure)
    {
        XDocument document = XDocument.Parse(FigureRenderer.Svg(figure));
        List<XElement> texts = [.. document.Descendants().Where(element => element.Name.LocalName == "text")];
        string[] written = [.. texts.Select(text => text.Value)];
        string[] wanted =
        [
            .. figure.Panels.SelectMany(
                panel => (string[])[panel.Title, panel.XLabel, panel.YLabel, .. panel.Series.Select(series => series.Name)]),
        ];
        Assert.Multiple(() =>
        {
            Assert.That(wanted.Except(written), Is.Empty);
            Assert.That(string.Join(' ', written), Does.StartWith(figure.Title), "on one or more lines");
            Assert.That(texts.Select(text => (string?)text.Attribute("font-family")).Distinct(), Is.EqualTo(
                new[] { "DejaVu Sans, Verdana, sans-serif" }));
        });
    }

    [Test]
    public void Panels_without_points_and_with_a_single_value_are_drawn()
    {
        var figure = new FigureData(
            "edge", "edge",
            [
                new FigurePanel("empty", "x", "y", [new FigureSeries("none", [])]),
                new FigurePanel("one", "x", "y", [new FigureSeries("one", [new FigurePoint(3, 7, null)])]),
                new FigurePanel("level", "x", "y", [new FigureSeries("level", [new FigurePoint(0, 0, 0.5)], FigureStyle.Level)]),
            ]);
        using SKBitmap image = Decode(figure);
        SeriesLook one = SeriesLooks.Of(figure).Single(look => look.Name == "one").Look;
        Assert.That(Count(image, image.Width / 3, 2 * image.Width / 3, one.Color), Is.GreaterThan(20));
    }

    [Test]
    public void A_figure_without_panels_is_refused() =>
        Assert.That(() => FigureRenderer.Png(new FigureData("figure0", "t", [])), Throws.ArgumentException.With.Message.Contains(
            "figure0"));

    // Outlines and strokes in a colour, in the order in which they are drawn.
    private static IEnumerable<string> Paths(FigureData figure, ScottPlot.Color color) =>
        XDocument.Parse(FigureRenderer.Svg(figure)).Descendants()
        .Where(element => element.Name.LocalName == "path" && element.Attributes().Any(
            attribute => attribute.Name.LocalName is "fill" or "stroke"
            && string.Equals(attribute.Value, Hex(color), StringComparison.OrdinalIgnoreCase)))
        .Select(path => (string)path.Attribute("d")!);

    private static string Hex(ScottPlot.Color color) =>
        color is { R: 0, G: 0, B: 0 } ? "black" : $"#{color.R:X2}{color.G:X2}{color.B:X2}";

    private static int Count(SKBitmap image, int left, int right, ScottPlot.Color color) => Enumerable.Range(0, image.Height)
        .Sum(y => Enumerable.Range(left, right - left).Count(x => image.GetPixel(x, y) == new SKColor(
            color.R, color.G, color.B)));

    private static SKBitmap Decode(FigureData figure) => SKBitmap.Decode(FigureRenderer.Png(figure));
}
