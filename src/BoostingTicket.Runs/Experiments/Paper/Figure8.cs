using BoostingTicket.Runs.Configuration;
using BoostingTicket.Runs.Experiments.Nodes;
using BoostingTicket.Runs.Reporting.Figures;

namespace BoostingTicket.Runs.Experiments.Paper;

/// <summary>Figure 8: robust validation accuracy by epoch of PGD trainings of several lengths.</summary>
internal sealed class Figure8 : IExperiment
{
    private const double Close = 0.5;

    /// <inheritdoc/>
    public string Name => "figure8";

    /// <inheritdoc/>
    public string Title =>
        "robust validation accuracy of boosting tickets in PGD trainings of 20 to 100 epochs, against the full network, VGG-16";

    /// <inheritdoc/>
    public string Description =>
        "The trainings of Table 2, epoch by epoch; robust accuracy is that of PGD-10 on 1,000 validation images. Plot (b) starts "
        + "at the first drop of the rate; plots (c) to (f) each compare one length with the baseline.";

    /// <inheritdoc/>
    public RunConfiguration Base => PaperSettings.Cifar10;

    /// <inheritdoc/>
    public int LongestEpochs => PaperSettings.Epochs;

    /// <inheritdoc/>
    void IExperiment.Declare(ExperimentGrid grid)
    {
        var tickets = new AdversarialTickets(grid, "vgg16", PaperSettings.VggDonorRate);
        Panel("(a) all", 0, PaperValues.Epochs);
        Panel("(b) all, from the first drop on", Close, PaperValues.Epochs);
        char letter = 'c';
        foreach (int epochs in PaperValues.Epochs.Where(epochs => epochs < LongestEpochs))
            Panel($"({letter++}) {grid.LengthHere(epochs)} against the baseline", 0, [epochs]);

        void Panel(string title, double from, IReadOnlyList<int> lengths) => grid.Panel(
            title, PaperSettings.EpochAxis, "robust validation accuracy (%)",
            [
                .. lengths.Select(length => Curve(
                    $"boosting, {grid.LengthHere(length)}", FigureStyle.Solid, seed => tickets.Retrain(seed, length), from)),
                Curve("baseline", FigureStyle.Dashed, tickets.Baseline, from),
            ]);

        GridCurve Curve(string name, FigureStyle style, Func<ulong, TrainingNode> training, double from) =>
            GridCurve.ByEpoch(name, style, grid.Seeds.Select(training), epoch => epoch.ValidationRobust, from);
    }
}
