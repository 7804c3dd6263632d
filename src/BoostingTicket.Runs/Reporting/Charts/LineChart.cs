using System.Globalization;
using System.Text;
using BoostingTicket.Runs.Reporting.Html;

namespace BoostingTicket.Runs.Reporting.Charts;

/// <summary>A curve.</summary>
/// <param name="Name">Name, for those who point at it.</param>
/// <param name="Style">CSS class that gives the colour.</param>
/// <param name="Points">Its points, in the order of x.</param>
/// <param name="Faint">Whether it stands behind others: a single seed behind the mean.</param>
internal sealed record ChartSeries(string Name, string Style, IReadOnlyList<(double X, double Y)> Points, bool Faint = false)
{
    /// <summary>Half the height of a band around each point; null for none.</summary>
    public IReadOnlyList<double>? Deviations { get; init; }

    /// <summary>Whether it is one value, a line over the whole width.</summary>
    public bool IsLevel { get; init; }
}

/// <summary>Curves as an SVG image that takes its colours from the page, needs no font and scales to any width.</summary>
/// <param name="title">Title.</param>
/// <param name="series">The curves.</param>
/// <param name="format">Numeric format of the vertical axis.</param>
/// <param name="suffix">What follows a value, such as <c> %</c>.</param>
/// <param name="logarithmic">Whether the vertical axis is logarithmic, where all values are positive.</param>
internal sealed class LineChart(
    string title, IReadOnlyList<ChartSeries> series, string format, string suffix = "", bool logarithmic = false)
{
    /// <summary>Label of the horizontal axis.</summary>
    public string XLabel { get; init; } = "epoch";

    /// <summary>Where the horizontal axis begins; NaN for the least point.</summary>
    public double LeastX { get; init; } = 1;

    private const double Width = 480, Height = 280, Left = 54, Right = 12, Top = 34, Bottom = 40;
    private const int TicksX = 6, TicksY = 6;

    /// <summary>The image; null when there is no point to draw.</summary>
    public string? Render()
    {
        var points = series.SelectMany(curve => curve.Points).Where(point => double.IsFinite(point.Y)).ToList();
        if (points.Count == 0)
            return null;
        bool log = logarithmic && points.All(point => point.Y > 0);
        double[] ticksY = log
            ? AxisTicks.CoverLogarithmically(points.Min(point => point.Y), points.Max(point => point.Y))
            : AxisTicks.Cover(
                series.Select(curve => Extreme(curve, -1)).Where(double.IsFinite).Min(),
                series.Select(curve => Extreme(curve, 1)).Where(double.IsFinite).Max(), TicksY);
        var across = series.Where(curve => !curve.IsLevel).SelectMany(curve => curve.Points).Select(
            point => point.X).DefaultIfEmpty(1).ToList();
        double leastX = double.IsNaN(LeastX) ? across.Min() : LeastX;
        double mostX = Math.Max(across.Max(), leastX + (double.IsNaN(LeastX) ? 1e-9 : 1));
        bool whole = across.All(x => x == Math.Round(x));
        var svg = new StringBuilder();
        svg.Append(CultureInfo.InvariantCulture,
            $"<svg viewBox=\"0 0 {Width} {Height}\" role=\"img\" aria-label=\"{Encode(title)}\"><text class=\"title\" "
            + $"x=\"{Left}\" y=\"18\">{Encode(title)}</text>");
        foreach (double tick in ticksY)
        {
            svg.Append(CultureInfo.InvariantCulture,
                $"<line class=\"grid\" x1=\"{Left}\" x2=\"{Width - Right}\" y1=\"{Y(tick):F1}\" y2=\"{Y(tick):F1}\"/>");
            svg.Append(CultureInfo.InvariantCulture,
                $"<text class=\"tick end\" x=\"{Left - 6}\" y=\"{Y(tick) + 4:F1}\">{Label(tick, log)}</text>");
        }

        foreach (double tick in AxisTicks.Cover(leastX, mostX, TicksX).Where(
            tick => tick >= leastX - 1e-9 && tick <= mostX + 1e-9 && (!whole || tick == Math.Round(tick))))
            svg.Append(CultureInfo.InvariantCulture,
                $"<text class=\"tick middle\" x=\"{X(tick):F1}\" y=\"{Height - Bottom + 18}\">{tick:0.####}</text>");
        svg.Append(CultureInfo.InvariantCulture,
            $"<text class=\"tick middle\" x=\"{(Left + Width - Right) / 2}\" y=\"{Height - 6}\">{Encode(XLabel)}</text>");
        foreach (ChartSeries curve in series)
            DrawBand(svg, curve);
        foreach (ChartSeries curve in series.OrderBy(curve => curve.Faint ? 0 : 1))
            Draw(svg, curve);
        return svg.Append("</svg>").ToString();

        double X(double value) => Left + ((value - leastX) / (mostX - leastX) * (Width - Left - Right));

        double Y(double value)
        {
            double share = log
                ? (Math.Log10(value) - Math.Log10(ticksY[0])) / (Math.Log10(ticksY[^1]) - Math.Log10(ticksY[0]))
                : (value - ticksY[0]) / (ticksY[^1] - ticksY[0]);
            return Height - Bottom - (share * (Height - Top - Bottom));
        }

        void DrawBand(StringBuilder target, ChartSeries curve)
        {
            if (curve.Deviations is not { } deviations || curve.IsLevel)
                return;
            var band = curve.Points.Select((point, index) => (point.X, point.Y, Half: deviations[index])).Where(
                point => double.IsFinite(point.Y)).ToList();
            IEnumerable<string> outline = band.Select(point => Corner(point.X, point.Y + point.Half))
                .Concat(band.AsEnumerable().Reverse().Select(point => Corner(point.X, point.Y - point.Half)));
            target.Append(
                CultureInfo.InvariantCulture, $"<polygon class=\"band {curve.Style}\" points=\"{string.Join(' ', outline)}\"/>");
        }

        string Corner(double x, double y) => string.Create(
            CultureInfo.InvariantCulture, $"{X(x):F1},{Y(Math.Clamp(y, ticksY[0], ticksY[^1])):F1}");

        void Draw(StringBuilder target, ChartSeries curve)
        {
            var finite = curve.Points.Where(point => double.IsFinite(point.Y)).ToList();
            if (finite.Count == 0)
                return;
            if (curve.IsLevel)
            {
                target.Append(CultureInfo.InvariantCulture,
                    $"<line class=\"curve {curve.Style}\" x1=\"{Left}\" x2=\"{Width - Right}\" y1=\"{Y(finite[0].Y):F1}\" "
                    + $"y2=\"{Y(finite[0].Y):F1}\"><title>{Encode(curve.Name)}: "
                    + $"{finite[0].Y.ToString(format, CultureInfo.InvariantCulture)}{suffix}</title></line>");
                return;
            }

            string path = string.Join(
                ' ', finite.Select(point => string.Create(CultureInfo.InvariantCulture, $"{X(point.X):F1},{Y(point.Y):F1}")));
            target.Append(CultureInfo.InvariantCulture,
                $"<polyline class=\"curve {curve.Style}{(curve.Faint ? " faint" : "")}\" points=\"{path}\"/>");
            if (curve.Faint)
                return;
            foreach ((double x, double y) in finite)
            {
                target.Append(CultureInfo.InvariantCulture,
                    $"<circle class=\"point {curve.Style}\" cx=\"{X(x):F1}\" cy=\"{Y(y):F1}\" "
                    + $"r=\"3\"><title>{Encode(curve.Name)}, {Encode(XLabel)} {x:0.####}: "
                    + $"{y.ToString(format, CultureInfo.InvariantCulture)}{suffix}</title></circle>");
            }
        }
    }

    private static double Extreme(ChartSeries curve, int sign)
    {
        // What is never negative has no axis below 0 for its deviation's sake.
        double least = curve.Points.All(point => point.Y >= 0) ? 0 : double.NegativeInfinity;
        var reached = curve.Points.Select((point, index) => Math.Max(
            point.Y + (sign * (curve.Deviations?[index] ?? 0)), least)).Where(double.IsFinite).ToList();
        return reached.Count == 0 ? double.NaN : sign * reached.Max(value => sign * value);
    }

    private string Label(double tick, bool log) => log ? tick.ToString("0.######", CultureInfo.InvariantCulture)
        : tick.ToString(Math.Abs(tick) >= 10 || tick == 0 ? "0.##" : "0.####", CultureInfo.InvariantCulture) + suffix;

    private static string Encode(string text) => HtmlPage.Encode(text);
}
