using BoostingTicket.Runs.Reporting.Charts;
using BoostingTicket.Runs.Reporting.Figures;

namespace BoostingTicket.Runs.Reporting.Html;

/// <summary>A figure as charts of a page, one a panel, and the legend of all.</summary>
internal static class FigureCharts
{
    private const int Colours = 12;

    /// <summary>Style and name of each curve of the figure.</summary>
    public static IReadOnlyList<(string Style, string Name)> Legend(FigureData figure) =>
        [.. Names(figure).Select(entry => ($"line {entry.Style}", entry.Name))];

    /// <summary>Style of each curve's key, by the curve's name.</summary>
    public static Dictionary<string, string> Styles(FigureData figure) =>
        Names(figure).ToDictionary(entry => entry.Name, entry => entry.Style.Split(' ')[0]);

    /// <summary>The panels' charts; a panel without points has none.</summary>
    public static IEnumerable<string> Charts(FigureData figure)
    {
        var styles = Names(figure).ToDictionary(entry => entry.Name, entry => entry.Style);
        return figure.Panels.Select(panel => new LineChart(
            $"{panel.Title} · {panel.YLabel}",
            [
                .. panel.Series.Select(series => new ChartSeries(
                    series.Name, styles[series.Name], [.. series.Points.Select(point => (point.X, point.Y))])
                {
                    IsLevel = series.Style == FigureStyle.Level,
                    Deviations = series.Points.Any(point => point.Deviation is > 0)
                        ? [.. series.Points.Select(point => point.Deviation ?? 0)]
                        : null,
                }),
            ],
            "F2")
        { XLabel = panel.XLabel, LeastX = double.NaN }.Render()).OfType<string>();
    }

    // Pairs of solid and dashed curves share a colour, as in the drawn figures.
    private static List<(string Style, string Name)> Names(FigureData figure)
    {
        List<FigureSeries> all = [.. figure.Panels.SelectMany(panel => panel.Series).DistinctBy(series => series.Name)];
        int solid = all.Count(series => series.Style == FigureStyle.Solid),
        dashed = all.Count(series => series.Style == FigureStyle.Dashed);
        bool pairs = solid == dashed && solid > 1;
        var names = new List<(string, string)>();
        foreach (FigureSeries series in all)
        {
            int before = all.TakeWhile(other => other != series).Count(other => !pairs || other.Style == series.Style);
            string line = series.Style switch
            {
                FigureStyle.Dashed => " dashed",
                FigureStyle.Level => " level",
                _ => "",
            };
            names.Add(($"series{before % Colours}{line}", series.Name));
        }

        return names;
    }
}
