using BoostingTicket.Runs.Configuration;
using BoostingTicket.Runs.Experiments.Nodes;
using BoostingTicket.Runs.Reporting.Figures;

namespace BoostingTicket.Runs.Experiments.Paper;

/// <summary>Figure 2: validation accuracy by epoch of trainings of several lengths.</summary>
internal sealed class Figure2 : IExperiment
{
    private const double Close = 0.5;

    /// <inheritdoc/>
    public string Name => "figure2";

    /// <inheritdoc/>
    public string Title => "validation accuracy of boosting and winning tickets in trainings of 20 to 100 epochs, VGG-16";

    /// <inheritdoc/>
    public string Description =>
        "The trainings of Table 1, epoch by epoch. Plot (b) starts at the first drop of the rate; plots (c) to (f) each compare "
        + "one length with 100 epochs.";

    /// <inheritdoc/>
    public RunConfiguration Base => PaperSettings.Cifar10;

    /// <inheritdoc/>
    public int LongestEpochs => PaperSettings.Epochs;

    /// <inheritdoc/>
    void IExperiment.Declare(ExperimentGrid grid)
    {
        var tickets = new NaturalTickets(grid, "vgg16", PaperSettings.VggDonorRate);
        Panel("(a) all", 0, PaperValues.Epochs);
        Panel("(b) all, from the first drop on", Close, PaperValues.Epochs);
        char letter = 'c';
        foreach (int epochs in PaperValues.Epochs.Where(epochs => epochs < LongestEpochs))
            Panel($"({letter++}) {grid.LengthHere(epochs)} against {grid.Epochs(LongestEpochs)}", 0, [epochs, LongestEpochs]);

        void Panel(string title, double from, IReadOnlyList<int> lengths) => grid.Panel(
            title, PaperSettings.EpochAxis, PaperSettings.ValidationAxis,
            [
                .. lengths.Select(length => Curve($"boosting, {grid.LengthHere(length)}", FigureStyle.Solid,
                    seed => tickets.Retrain("boosting ticket", tickets.Boosting(seed), length), from)),
                .. lengths.Select(length => Curve($"winning, {grid.LengthHere(length)}", FigureStyle.Dashed,
                    seed => tickets.Retrain("winning ticket", tickets.Winning(seed), length), from)),
            ]);

        GridCurve Curve(string name, FigureStyle style, Func<ulong, TrainingNode> training, double from) =>
            GridCurve.ByEpoch(name, style, grid.Seeds.Select(training), epoch => epoch.ValidationClean, from);
    }
}
