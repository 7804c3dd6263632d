using BoostingTicket.Runs.Reporting.Figures;
using ScottPlot;

namespace BoostingTicket.Figures;

/// <summary>Gives every name of a figure one look, in all its panels.</summary>
internal static class SeriesLooks
{
    /// <summary>Ink of axes and text.</summary>
    public static readonly Color Ink = Color.FromHex("#1d1f23");

    // Okabe and Ito's colours without yellow, which is too pale for a line: any colour vision tells them apart.
    private static readonly Color[] Palette =
    [
        Color.FromHex("#0072b2"), Color.FromHex("#d55e00"), Color.FromHex("#009e73"), Color.FromHex("#cc79a7"),
        Color.FromHex("#56b4e9"),
        Color.FromHex("#e69f00"),
    ];

    // Shapes that stay apart in black and white.
    private static readonly MarkerShape[] Markers =
    [
        MarkerShape.FilledCircle, MarkerShape.FilledSquare, MarkerShape.FilledTriangleUp, MarkerShape.FilledDiamond,
        MarkerShape.FilledTriangleDown,
    ];

    private static readonly LinePattern Dashes = new([5, 3], 0, "dashes");
    private static readonly LinePattern[] Levels = [new([1.6f, 2.4f], 0, "dots"), new([8, 2, 1.6f, 2], 0, "dashes and dots")];

    /// <summary>The looks by name, in the order in which the names first appear. Where there are as many dashed as solid curves,
    /// and more than one of each, the n-th of both share a colour: they are pairs, as in the paper's figures.</summary>
    public static IReadOnlyList<(string Name, SeriesLook Look)> Of(FigureData figure)
    {
        List<FigureSeries> series = [.. figure.Panels.SelectMany(panel => panel.Series).DistinctBy(series => series.Name)];
        int solid = series.Count(one => one.Style == FigureStyle.Solid),
        dashed = series.Count(one => one.Style == FigureStyle.Dashed);
        bool pairs = solid == dashed && solid > 1;
        var looks = new List<(string, SeriesLook)>();
        int curves = 0, levels = 0;
        foreach (FigureSeries one in series)
        {
            if (one.Style == FigureStyle.Level)
            {
                // The first level is the baseline: ink. More of them take colours that the curves leave free.
                Color color = levels == 0 ? Ink : Palette[(solid + dashed + levels - 1) % Palette.Length];
                looks.Add((one.Name, new SeriesLook(color, Levels[levels % Levels.Length], MarkerShape.None)));
                levels++;
                continue;
            }

            int index = pairs ? looks.Count(look => SameStyle(look.Item1, one.Style)) : curves;
            curves++;
            looks.Add((one.Name, new SeriesLook(
                Palette[index % Palette.Length],
                one.Style == FigureStyle.Dashed ? Dashes : LinePattern.Solid,
                Markers[index % Markers.Length])));
        }

        return looks;

        bool SameStyle(string name, FigureStyle style) => series.First(one => one.Name == name).Style == style;
    }
}
