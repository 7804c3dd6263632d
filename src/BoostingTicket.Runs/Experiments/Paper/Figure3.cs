using BoostingTicket.Runs.Configuration;
using BoostingTicket.Runs.Reporting.Figures;

namespace BoostingTicket.Runs.Experiments.Paper;

/// <summary>Figure 3: test accuracy of tickets found at four learning rates over the number of epochs.</summary>
internal sealed class Figure3 : IExperiment
{
    private static readonly double[] Rates = [0.005, 0.01, 0.05, 0.1];

    /// <inheritdoc/>
    public string Name => "figure3";

    /// <inheritdoc/>
    public string Title =>
        "final test accuracy of tickets found at learning rates 0.005, 0.01, 0.05 and 0.1 after 20 to 100 epochs, VGG-16 and "
        + "ResNet-18";

    /// <inheritdoc/>
    public string Description =>
        "Natural training; each ticket is retrained with a warm-up from its own donor's rate to 0.1 (none from 0.1). Last "
        + "weights are tested.";

    /// <inheritdoc/>
    public RunConfiguration Base => PaperSettings.Cifar10;

    /// <inheritdoc/>
    public int LongestEpochs => PaperSettings.Epochs;

    /// <inheritdoc/>
    void IExperiment.Declare(ExperimentGrid grid)
    {
        char letter = 'a';
        foreach ((string model, string name) in new[] { ("vgg16", "VGG-16"), ("resnet18", "ResNet-18") })
        {
            var tickets = new NaturalTickets(grid, model, PaperSettings.VggDonorRate);
            grid.Panel($"({letter++}) {name}", "epochs in all", "test accuracy (%)", [.. Rates.Select(Curve)]);

            GridCurve Curve(double rate) => GridCurve.Over(
                FormattableString.Invariant($"found at {rate}"), FigureStyle.Solid,
                PaperValues.Epochs.Select(epochs => ((double)grid.Epochs(epochs), Measured(rate, epochs))).ToList());

            Quantity Measured(double rate, int epochs)
            {
                Quantity accuracy = grid.Clean(seed => grid.Test(
                    tickets.Retrain(FormattableString.Invariant($"ticket of rate {rate}"), grid.Prune(
                        tickets.Donor(seed, rate)), epochs, rate), best: false));
                grid.Row(
                    FormattableString.Invariant($"{name}, found at {rate}, {grid.Length(epochs)}"), "test accuracy", accuracy);
                return accuracy;
            }
        }
    }
}
