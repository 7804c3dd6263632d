using BoostingTicket.Runs.Configuration;
using BoostingTicket.Runs.Experiments.Nodes;
using BoostingTicket.Runs.Reporting.Figures;
using BoostingTicket.Training.Optimization;

namespace BoostingTicket.Runs.Experiments.Paper;

/// <summary>Figure 5: validation accuracy of boosting tickets by epoch in WideResNets of several widths and depths.</summary>
internal sealed class Figure5 : IExperiment
{
    private const int PaperDepth = 34, PaperWidth = 10;
    private const double Close = 0.5;

    // Table 4 lists the networks.
    private static readonly int[] Widths = [1, 2, 5, 10];
    private static readonly int[] Depths = [10, 16, 22, 28, 34];

    /// <inheritdoc/>
    public string Name => "figure5";

    /// <inheritdoc/>
    public string Title =>
        "validation accuracy of boosting tickets over 100 epochs for widths 1 to 10 and depths 10 to 34, WideResNet";

    /// <inheritdoc/>
    public string Description =>
        "Natural training; donors at 0.05, tickets retrained for 100 epochs. Plots (b) and (d) start at the first drop of the "
        + "rate. A WideResNet-34-10 ticket is tested after its first epoch too.";

    /// <inheritdoc/>
    public RunConfiguration Base => PaperSettings.Cifar10;

    /// <inheritdoc/>
    public int LongestEpochs => PaperSettings.Epochs;

    /// <inheritdoc/>
    void IExperiment.Declare(ExperimentGrid grid)
    {
        TrainingSettings retrain = grid.Training(
            TrainingMethod.Natural, PaperSettings.Epochs, PaperSettings.Rate, PaperSettings.ResNetDonorRate);
        Panels('a', "widths", [.. Widths.Select(width => ($"{PaperDepth}-{width}", PaperDepth, width))]);
        Panels('c', "depths", [.. Depths.Select(depth => ($"{depth}-{PaperWidth}", depth, PaperWidth))]);

        (PaperValue validation, PaperValue test) = PaperValues.Figure5FirstEpoch;
        grid.Row("WideResNet-34-10, boosting ticket", "validation, epoch 1", grid.Of(
            QuantityUnit.Percent, First, (store, training) => 100 * training.Read(store).History[0].ValidationClean), validation);
        grid.Row(
            "WideResNet-34-10, boosting ticket", "test, epoch 1", grid.Clean(seed => grid.Test(First(seed), best: false)), test);

        void Panels(char letter, string what, IReadOnlyList<(string Name, int Depth, int Width)> networks)
        {
            foreach (double from in (double[])[0, Close])
            {
                grid.Panel(
                    $"({letter++}) {what}{(from > 0 ? ", from the first drop on" : "")}", PaperSettings.EpochAxis,
                    PaperSettings.ValidationAxis,
                    [
                        .. networks.Select(network => GridCurve.ByEpoch(
                            network.Name, FigureStyle.Solid, grid.Seeds.Select(seed => Whole(network.Depth, network.Width, seed)),
                            epoch => epoch.ValidationClean, from)),
                    ]);
            }
        }

        TrainingNode Whole(int depth, int width, ulong seed) => grid.Train(
            "boosting ticket", seed, grid.WideResNet(depth, width), retrain, Ticket(depth, width, seed));

        TrainingNode First(ulong seed) => grid.Train(
            "boosting ticket, first epoch", seed, grid.WideResNet(PaperDepth, PaperWidth), EarlyTraining.Of(retrain, 1),
            Ticket(PaperDepth, PaperWidth, seed));

        TicketNode Ticket(int depth, int width, ulong seed) => grid.Prune(grid.Train(
            "donor, natural", seed, grid.WideResNet(depth, width),
            grid.Training(TrainingMethod.Natural, LongestEpochs, PaperSettings.ResNetDonorRate)));
    }
}
