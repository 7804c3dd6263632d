namespace BoostingTicket.Runs.Reporting.Figures;

/// <summary>A figure as numbers, whatever draws it.</summary>
/// <param name="Name">File name without extension, such as <c>figure2</c>.</param>
/// <param name="Title">What it shows, in one line.</param>
/// <param name="Panels">Its plots, in reading order.</param>
internal sealed record FigureData(string Name, string Title, IReadOnlyList<FigurePanel> Panels);

/// <summary>One plot of a figure.</summary>
/// <param name="Title">Heading, such as <c>(a) VGG-16</c>.</param>
/// <param name="XLabel">Label of the horizontal axis, with its unit.</param>
/// <param name="YLabel">Label of the vertical axis, with its unit.</param>
/// <param name="Series">Its curves, in the legend's order.</param>
internal sealed record FigurePanel(string Title, string XLabel, string YLabel, IReadOnlyList<FigureSeries> Series);

/// <summary>One curve, the mean over seeds.</summary>
/// <param name="Name">Its name in the legend.</param>
/// <param name="Points">Its points, by rising x.</param>
/// <param name="Style">How it is drawn.</param>
internal sealed record FigureSeries(string Name, IReadOnlyList<FigurePoint> Points, FigureStyle Style = FigureStyle.Solid);

/// <summary>One point of a curve.</summary>
/// <param name="X">Abscissa.</param>
/// <param name="Y">Mean over seeds.</param>
/// <param name="Deviation">Standard deviation over seeds; null with a single seed.</param>
internal readonly record struct FigurePoint(double X, double Y, double? Deviation);

/// <summary>How a curve is drawn.</summary>
internal enum FigureStyle
{
    /// <summary>A solid line: boosting tickets in the paper's figures.</summary>
    Solid,

    /// <summary>A dashed line: winning tickets in the paper's figures.</summary>
    Dashed,

    /// <summary>A horizontal line over the whole width: a baseline.</summary>
    Level,
}
