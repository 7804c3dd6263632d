using BoostingTicket.Runs.Configuration;
using BoostingTicket.Runs.Experiments.Nodes;
using BoostingTicket.Runs.Reporting.Figures;

namespace BoostingTicket.Runs.Experiments.Paper;

/// <summary>Figure 1: validation accuracy of winning tickets, boosting tickets and random weights by epoch.</summary>
internal sealed class Figure1 : IExperiment
{
    // What is shown again in larger scale: from the first drop of the rate on, where the curves lie close together.
    private const double Close = 0.5;

    /// <inheritdoc/>
    public string Name => "figure1";

    /// <inheritdoc/>
    public string Title =>
        "validation accuracy of winning tickets, boosting tickets and random weights over 100 epochs, VGG-16 and ResNet-18";

    /// <inheritdoc/>
    public string Description =>
        "Natural training; donors at 0.01 (VGG-16) and 0.05 (ResNet-18), tickets and the reinitialised control retrained for 100 "
        + "epochs. Plots (b) and (d) start at the first drop of the rate.";

    /// <inheritdoc/>
    public RunConfiguration Base => PaperSettings.Cifar10;

    /// <inheritdoc/>
    public int LongestEpochs => PaperSettings.Epochs;

    /// <inheritdoc/>
    void IExperiment.Declare(ExperimentGrid grid)
    {
        char letter = 'a';
        foreach ((string model, double rate, string name) in new[] { ("vgg16", PaperSettings.VggDonorRate, "VGG-16"), (
            "resnet18", PaperSettings.ResNetDonorRate, "ResNet-18") })
        {
            var tickets = new NaturalTickets(grid, model, rate);
            (string Name, FigureStyle Style, List<TrainingNode> Trainings)[] curves =
            [
                ("winning ticket", FigureStyle.Dashed,
                    [.. grid.Seeds.Select(seed => tickets.Retrain("winning ticket", tickets.Winning(seed), LongestEpochs))]),
                ("boosting ticket", FigureStyle.Solid,
                    [.. grid.Seeds.Select(seed => tickets.Retrain("boosting ticket", tickets.Boosting(seed), LongestEpochs))]),
                ("random init", FigureStyle.Solid, [.. grid.Seeds.Select(seed => tickets.Reinitialized(seed, LongestEpochs))]),
            ];
            foreach (double from in (double[])[0, Close])
            {
                grid.Panel(
                    $"({letter++}) {name}{(from > 0 ? ", from the first drop on" : "")}", PaperSettings.EpochAxis,
                    PaperSettings.ValidationAxis,
                    [.. curves.Select(curve => GridCurve.ByEpoch(
                        curve.Name, curve.Style, curve.Trainings, epoch => epoch.ValidationClean, from))]);
            }
        }
    }
}
