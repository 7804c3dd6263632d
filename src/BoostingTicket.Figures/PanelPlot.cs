using BoostingTicket.Runs.Reporting.Figures;
using ScottPlot;
using ScottPlot.TickGenerators;

namespace BoostingTicket.Figures;

/// <summary>One panel as a ScottPlot plot.</summary>
internal static class PanelPlot
{
    private const float LineWidth = 1.6f, ErrorWidth = 1, MarkerSize = 5.5f;
    private const double BandOpacity = 0.18;

    /// <summary>More points than these are a curve without markers, their deviation a band instead of bars.</summary>
    private const int MostMarked = 12;

    /// <summary>Makes the plot.</summary>
    /// <param name="panel">The panel.</param>
    /// <param name="looks">Look of each of its names.</param>
    public static Plot Make(FigurePanel panel, IReadOnlyDictionary<string, SeriesLook> looks)
    {
        var plot = new Plot();
        SetLimits(plot, panel);
        // Deviations behind curves, levels behind both.
        foreach (FigureSeries series in panel.Series.Where(
            series => series.Style == FigureStyle.Level && series.Points.Count > 0))
            AddLevel(plot, series, looks[series.Name]);
        foreach (FigureSeries series in panel.Series.Where(series => series.Style != FigureStyle.Level))
            AddDeviation(plot, series, looks[series.Name]);
        foreach (FigureSeries series in panel.Series.Where(
            series => series.Style != FigureStyle.Level && series.Points.Count > 0))
            AddCurve(plot, series, looks[series.Name]);
        Dress(plot, panel);
        return plot;
    }

    private static void AddLevel(Plot plot, FigureSeries series, SeriesLook look)
    {
        FigurePoint point = series.Points[0];
        if (point.Deviation is > 0 and double deviation)
        {
            var span = plot.Add.VerticalSpan(point.Y - deviation, point.Y + deviation, look.Color.WithAlpha(BandOpacity / 2));
            span.LineStyle.Width = 0;
        }

        AxisLimits limits = plot.Axes.GetLimits();
        plot.Add.Plottable(new DashedLine([new(limits.Left, point.Y), new(limits.Right, point.Y)], LineWidth, look));
    }

    private static void AddDeviation(Plot plot, FigureSeries series, SeriesLook look)
    {
        List<FigurePoint> spread = [.. series.Points.Where(point => point.Deviation is > 0)];
        if (spread.Count == 0)
            return;
        double[] x = [.. spread.Select(point => point.X)];
        if (series.Points.Count > MostMarked)
        {
            var band = plot.Add.FillY(
                x, [.. spread.Select(point => point.Y - point.Deviation!.Value)],
                [.. spread.Select(point => point.Y + point.Deviation!.Value)]);
            band.FillColor = look.Color.WithAlpha(BandOpacity);
            band.LineWidth = 0;
            band.MarkerSize = 0;
            return;
        }

        var bars = plot.Add.ErrorBar(
            x, [.. spread.Select(point => point.Y)], [.. spread.Select(point => point.Deviation!.Value)]);
        bars.Color = look.Color;
        bars.LineWidth = ErrorWidth;
        bars.CapSize = 3;
    }

    private static void AddCurve(Plot plot, FigureSeries series, SeriesLook look)
    {
        Coordinates[] points = [.. series.Points.Select(point => new Coordinates(point.X, point.Y))];
        bool dashed = series.Style == FigureStyle.Dashed;
        if (dashed)
            plot.Add.Plottable(new DashedLine(points, LineWidth, look));
        // Of a dashed curve, the markers alone.
        var curve = plot.Add.Scatter(points, look.Color);
        curve.LineWidth = dashed ? 0 : LineWidth;
        curve.MarkerShape = look.Marker;
        curve.MarkerSize = series.Points.Count > MostMarked ? 0 : MarkerSize;
    }

    private static void Dress(Plot plot, FigurePanel panel)
    {
        plot.XLabel(panel.XLabel, 10);
        plot.YLabel(panel.YLabel, 10);
        foreach (IAxis axis in (IAxis[])[plot.Axes.Bottom, plot.Axes.Left])
        {
            axis.Label.Bold = false;
            axis.Label.ForeColor = SeriesLooks.Ink;
            axis.TickLabelStyle.FontSize = 9;
            axis.TickLabelStyle.ForeColor = SeriesLooks.Ink;
            axis.FrameLineStyle.Color = SeriesLooks.Ink;
            axis.FrameLineStyle.Width = 0.8f;
            axis.MajorTickStyle.Color = axis.MinorTickStyle.Color = SeriesLooks.Ink;
            axis.MajorTickStyle.Width = 0.8f;
            axis.MajorTickStyle.Length = 3;
            axis.MinorTickStyle.Length = 0;
        }

        // Digits have no descenders: what is centred as text stands too high as a number.
        plot.Axes.Left.TickLabelStyle.OffsetY = 1.5f;
        plot.Axes.Right.FrameLineStyle.Width = plot.Axes.Top.FrameLineStyle.Width = 0;
        plot.Grid.MajorLineColor = SeriesLooks.Ink.WithAlpha(0.1);
        plot.Grid.MajorLineWidth = 0.6f;
        plot.FigureBackground.Color = plot.DataBackground.Color = Colors.White;
        plot.HideLegend();
    }

    // What is drawn, deviations included, with a little air; a panel without a finite point keeps ScottPlot's unit square.
    private static void SetLimits(Plot plot, FigurePanel panel)
    {
        List<FigurePoint> points = [.. panel.Series.SelectMany(series => series.Points).Where(point => double.IsFinite(point.Y))];
        if (points.Count == 0)
            return;
        List<double> x = [.. panel.Series.Where(series => series.Style != FigureStyle.Level).SelectMany(
            series => series.Points).Select(point => point.X)];
        (double left, double right) = Widen(x.DefaultIfEmpty(0).Min(), x.DefaultIfEmpty(1).Max(), 0.03);
        (double bottom, double top) = Widen(
            points.Min(point => point.Y - (point.Deviation ?? 0)), points.Max(point => point.Y + (point.Deviation ?? 0)), 0.06);
        plot.Axes.SetLimits(left, right, bottom, top);
        if (x.Count > 0 && x.All(value => value == Math.Round(value)))
            plot.Axes.Bottom.TickGenerator = new NumericAutomatic { IntegerTicksOnly = true };
    }

    private static (double Least, double Most) Widen(double least, double most, double share)
    {
        double margin = most > least ? (most - least) * share : Math.Max(Math.Abs(most), 1) * share;
        return (least - margin, most + margin);
    }
}
