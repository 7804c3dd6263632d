using BoostingTicket.Runs.Reporting.Figures;

namespace BoostingTicket.Figures.Tests;

/// <summary>Figures of the paper's forms with made-up numbers.</summary>
internal static class SampleFigures
{
    /// <summary>Two panels, three curves over 100 epochs with deviations.</summary>
    public static FigureData Bands { get; } = new(
        "bands", "Validation accuracy of boosting tickets, winning tickets and random weights",
        [
            Epochs("(a) VGG-16", 93), Epochs("(b) ResNet-18", 94),
        ]);

    /// <summary>Six panels: five lengths of training, each of boosting (solid) and winning tickets (dashed), and a
    /// baseline.</summary>
    public static FigureData Pairs { get; } = new(
        "pairs", "Validation accuracy when the total number of epochs is 20, 40, 60, 80, 100",
        [
            Lengths("(a) all lengths", [20, 40, 60, 80, 100]), Lengths("(b) from epoch 10 on", [20, 40, 60, 80, 100]),
            Lengths("(c) 20 epochs", [20, 100]), Lengths("(d) 40 epochs", [40, 100]),
            Lengths("(e) 60 epochs", [60, 100]), Lengths("(f) 80 epochs", [80, 100]),
        ]);

    /// <summary>One panel, few points with deviations: error bars.</summary>
    public static FigureData Bars { get; } = new(
        "bars", "Accuracy after the first and fifth epoch by pruning ratio",
        [
            new FigurePanel(
                "(a) VGG-16", "pruned weights (%)", "validation accuracy (%)",
                [
                    Ratios("ticket, epoch 1", 0, FigureStyle.Solid), Ratios("ticket, epoch 5", 12, FigureStyle.Solid),
                    Ratios("random, epoch 1", -9, FigureStyle.Dashed), Ratios("random, epoch 5", 6, FigureStyle.Dashed),
                    new FigureSeries("dense, 100 epochs", [new FigurePoint(0, 93.1, 0.2)], FigureStyle.Level),
                ]),
        ]);

    private static FigurePanel Epochs(string title, double best) => new(
        title, "epoch", "validation accuracy (%)",
        [
            Curve("boosting ticket", best, 4, FigureStyle.Solid), Curve("winning ticket", best - 0.3, 12, FigureStyle.Dashed),
            Curve("random weights", best - 2, 18, FigureStyle.Solid),
        ]);

    private static FigureSeries Curve(string name, double best, double slowness, FigureStyle style) => new(
        name, [.. Enumerable.Range(1, 100).Select(epoch => new FigurePoint(
            epoch, best - (70 * Math.Exp(-epoch / slowness)) + Math.Sin(epoch * slowness),
            1.2 + (6 * Math.Exp(-epoch / slowness))))],
        style);

    private static FigurePanel Lengths(string title, int[] lengths) => new(
        title, "epoch", "validation accuracy (%)",
        [
            .. lengths.Select(length => Short($"boosting, {length} epochs", length, 5, FigureStyle.Solid)),
            .. lengths.Select(length => Short($"winning, {length} epochs", length, 11, FigureStyle.Dashed)),
            new FigureSeries("dense, 100 epochs", [new FigurePoint(0, 92.4, null)], FigureStyle.Level),
        ]);

    private static FigureSeries Short(string name, int length, double slowness, FigureStyle style) => new(
        name, [.. Enumerable.Range(1, length).Select(epoch => new FigurePoint(
            epoch, 80 - (40 * Math.Exp(-epoch / slowness)) + (epoch > length / 2 ? 9 : 0) + (epoch > length * 3 / 4 ? 3 : 0),
            null))],
        style);

    private static FigureSeries Ratios(string name, double offset, FigureStyle style) => new(
        name, [.. new[] { 0, 20, 40, 60, 80, 90 }.Select(ratio => new FigurePoint(
            ratio, 70 + offset + (ratio / 20.0) - (ratio > 80 ? 8 : 0), 1.5))],
        style);
}
