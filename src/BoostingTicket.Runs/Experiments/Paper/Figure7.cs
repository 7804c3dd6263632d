using BoostingTicket.Runs.Configuration;
using BoostingTicket.Runs.Experiments.Nodes;
using BoostingTicket.Runs.Reporting.Figures;
using BoostingTicket.Training.Optimization;
using BoostingTicket.Training.Progress;

namespace BoostingTicket.Runs.Experiments.Paper;

/// <summary>Figure 7: winning tickets in adversarial training on MNIST, in a small and in a large network.</summary>
internal sealed class Figure7 : IExperiment
{
    // The paper shows no scale; its text says that training converges in the first few epochs.
    private const int Epochs = 20;

    // LeNet has no normalisation and does not stand the rate of VGG-16.
    private const double LeNetRate = 0.01;

    /// <inheritdoc/>
    public string Name => "figure7";

    /// <inheritdoc/>
    public string Title =>
        "clean and robust validation accuracy of winning tickets and random weights in adversarial training on MNIST, LeNet and "
        + "VGG-16";

    /// <inheritdoc/>
    public string Description =>
        "PGD training with ε = 0.3 for 20 epochs: donors, winning tickets (80 % pruned) and the reinitialised control, all at "
        + "the same rate (0.01 for LeNet 32-64-1024; 0.1 for VGG-16, warming up from 0.01).";

    /// <inheritdoc/>
    public RunConfiguration Base => PaperSettings.MnistAdversarial;

    /// <inheritdoc/>
    public int LongestEpochs => Epochs;

    /// <inheritdoc/>
    void IExperiment.Declare(ExperimentGrid grid)
    {
        char letter = 'a';
        foreach ((string paper, string name, double rate, double? warmup) in new[]
        {
            ("lenet-madry", "LeNet", LeNetRate, (double?)null),
            ("vgg16", "VGG-16", PaperSettings.Rate, PaperSettings.VggDonorRate),
        })
        {
            string model = grid.Model(paper);
            TrainingSettings settings = grid.Training(TrainingMethod.Pgd, Epochs, rate, warmup);
            TicketNode Ticket(ulong seed) => grid.Prune(grid.Train("donor, pgd", seed, model, settings));
            TrainingNode Winning(ulong seed) => grid.Train("winning ticket", seed, model, settings, Ticket(seed));
            List<TrainingNode> winning = [.. grid.Seeds.Select(Winning)];
            List<TrainingNode> reinitialized = [.. grid.Seeds.Select(seed => grid.Train(
                "reinitialised", seed, model, settings, Ticket(seed), reinitialize: true))];
            Panel("clean", epoch => epoch.ValidationClean);
            Panel("robust", epoch => epoch.ValidationRobust);
            PaperValue? trivial = paper == "lenet-madry" ? PaperValues.Figure7LeNet : null;
            grid.Row($"{name}, winning ticket", "validation, last epoch", grid.Of(
                QuantityUnit.Percent, Winning, (store, node) => 100 * node.Read(store).History[^1].ValidationClean), trivial);
            grid.Row($"{name}, winning ticket", "test, last epoch", grid.Clean(
                seed => grid.Test(Winning(seed), best: false)), trivial);

            void Panel(string what, Func<EpochRecord, double?> value) => grid.Panel(
                $"({letter++}) {name}, {what}", PaperSettings.EpochAxis, $"{what} validation accuracy (%)",
                GridCurve.ByEpoch("winning ticket", FigureStyle.Solid, winning, value),
                GridCurve.ByEpoch("random init", FigureStyle.Dashed, reinitialized, value));
        }
    }
}
