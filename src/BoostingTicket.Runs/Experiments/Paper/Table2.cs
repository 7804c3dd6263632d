using BoostingTicket.Runs.Configuration;
using BoostingTicket.Runs.Experiments.Nodes;

namespace BoostingTicket.Runs.Experiments.Paper;

/// <summary>Table 2: robust and clean test accuracy of boosting tickets over the number of epochs.</summary>
internal sealed class Table2 : IExperiment
{
    private const string Attack = "pgd-20";

    /// <inheritdoc/>
    public string Name => "table2";

    /// <inheritdoc/>
    public string Title => "robust and clean test accuracy of PGD-trained boosting tickets after 20 to 100 epochs, VGG-16";

    /// <inheritdoc/>
    public string Description =>
        "An FGSM donor at 0.01 and its ticket, retrained on PGD-10 for 20, 40, 60, 80 and 100 epochs, and the full network. The "
        + "weights with the best validation accuracy and the last weights are tested under PGD-20.";

    /// <inheritdoc/>
    public RunConfiguration Base => PaperSettings.Cifar10;

    /// <inheritdoc/>
    public int LongestEpochs => PaperSettings.Epochs;

    /// <inheritdoc/>
    void IExperiment.Declare(ExperimentGrid grid)
    {
        var tickets = new AdversarialTickets(grid, "vgg16", PaperSettings.VggDonorRate);
        for (int index = 0; index < PaperValues.Epochs.Count; index++)
        {
            int epochs = PaperValues.Epochs[index];
            Rows($"ticket, {grid.Length(epochs)}", seed => tickets.Retrain(
                seed, epochs), PaperValues.Table2Robust[index], PaperValues.Table2Clean[index]);
        }
        (PaperValue robust, PaperValue clean) = PaperValues.Table2Baseline;
        Rows($"baseline, {grid.Length(LongestEpochs)}", tickets.Baseline, robust, clean);

        void Rows(string item, Func<ulong, TrainingNode> training, PaperValue robust, PaperValue clean)
        {
            grid.Row(
                item, "PGD-20, best weights", grid.Robust(Attack, seed => grid.Test(training(seed), best: true, Attack)), robust);
            grid.Row(item, "clean, best weights", grid.Clean(seed => grid.Test(training(seed), best: true, Attack)), clean);
            grid.Row(item, "PGD-20, last weights", grid.Robust(Attack, seed => grid.Test(training(seed), best: false, Attack)));
            grid.Row(item, "clean, last weights", grid.Clean(seed => grid.Test(training(seed), best: false, Attack)));
        }
    }
}
