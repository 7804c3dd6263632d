using System.Globalization;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Runs.Reporting.Figures;
using BoostingTicket.Training.Optimization;

namespace BoostingTicket.Runs.Experiments.Paper;

/// <summary>Figure 4: validation accuracy after the first and fifth epoch over the pruning ratio.</summary>
internal sealed class Figure4 : IExperiment
{
    private const int Later = 5;

    // The text's range, 60 % to 90 %, is within; the picture's axis is not numbered in it.
    private static readonly double[] Ratios = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95];

    // Where the numbers in the text are compared: the paper's ratio elsewhere.
    private const double Compared = 0.8;

    /// <inheritdoc/>
    public string Name => "figure4";

    /// <inheritdoc/>
    public string Title =>
        "validation accuracy after the first and fifth epoch over the pruning ratio, boosting tickets against random weights, "
        + "VGG-16 and ResNet-18";

    /// <inheritdoc/>
    public string Description =>
        "Natural training; one donor per model serves all ratios (10 % to 95 %). Only the first five epochs of the 100-epoch "
        + "retraining run, at the same rates.";

    /// <inheritdoc/>
    public RunConfiguration Base => PaperSettings.Cifar10;

    /// <inheritdoc/>
    public int LongestEpochs => PaperSettings.Epochs;

    /// <inheritdoc/>
    void IExperiment.Declare(ExperimentGrid grid)
    {
        int later = Math.Min(Later, Math.Max(2, grid.Epochs(LongestEpochs)));
        char letter = 'a';
        foreach ((string model, double rate, string name, (PaperValue First, PaperValue Fifth) paper) in new[]
        {
            ("vgg16", PaperSettings.VggDonorRate, "VGG-16", PaperValues.Figure4Vgg),
            ("resnet18", PaperSettings.ResNetDonorRate, "ResNet-18", PaperValues.Figure4ResNet),
        })
        {
            var tickets = new NaturalTickets(grid, model, rate);
            TrainingSettings early = EarlyTraining.Of(tickets.Settings(LongestEpochs), later);
            grid.Panel(
                $"({letter++}) {name}", "pruned (%)", PaperSettings.ValidationAxis,
                Curve("boosting ticket", FigureStyle.Solid, 1, reinitialize: false),
                Curve("boosting ticket", FigureStyle.Solid, later, reinitialize: false),
                Curve("random init", FigureStyle.Dashed, 1, reinitialize: true),
                Curve("random init", FigureStyle.Dashed, later, reinitialize: true));
            grid.Row($"{name}, boosting ticket, 80 % pruned", "validation, epoch 1", After(
                1, Compared, reinitialize: false), paper.First);
            grid.Row($"{name}, boosting ticket, 80 % pruned", $"validation, epoch {later}", After(
                later, Compared, reinitialize: false), later == Later ? paper.Fifth : null);

            GridCurve Curve(string curve, FigureStyle style, int epoch, bool reinitialize) => GridCurve.Over(
                $"{curve}, epoch {epoch}", style, Ratios.Select(ratio => (100 * ratio, After(epoch, ratio, reinitialize))));

            Quantity After(int epoch, double ratio, bool reinitialize) => grid.Of(
                QuantityUnit.Percent,
                seed => grid.Train(
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"{(reinitialize ? "reinitialised" : "boosting ticket")}, {100 * ratio:0.#} % pruned, first {later} "
                        + $"epochs"),
                    seed, tickets.Model, early, tickets.Boosting(seed, ratio), reinitialize),
                (store, training) => 100 * training.Read(store).History[epoch - 1].ValidationClean);
        }
    }
}
