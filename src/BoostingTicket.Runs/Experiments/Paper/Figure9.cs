using BoostingTicket.Runs.Configuration;
using BoostingTicket.Runs.Experiments.Nodes;
using BoostingTicket.Runs.Reporting.Figures;
using BoostingTicket.Training.Optimization;
using BoostingTicket.Training.Pruning;

namespace BoostingTicket.Runs.Experiments.Paper;

/// <summary>Figure 9: tickets of iterative against one-shot pruning.</summary>
internal sealed class Figure9 : IExperiment
{
    // The paper says nothing; seven rounds to 80 % prune a fifth of what is left in each, as Frankle and Carbin do.
    private const int Rounds = 7;

    /// <inheritdoc/>
    public string Name => "figure9";

    /// <inheritdoc/>
    public string Title =>
        "validation accuracy of tickets of iterative and one-shot pruning and of random weights over 100 epochs, VGG-16 and "
        + "ResNet-18";

    /// <inheritdoc/>
    public string Description =>
        "Natural training; seven rounds of training, pruning and reset, compared with one round; both prune 80 %. Both masks are "
        + "retrained from the initial weights and from new random ones.";

    /// <inheritdoc/>
    public RunConfiguration Base => PaperSettings.Cifar10 with { Pruning = new PruningSettings { Rounds = Rounds } };

    /// <inheritdoc/>
    public int LongestEpochs => PaperSettings.Epochs;

    /// <inheritdoc/>
    void IExperiment.Declare(ExperimentGrid grid)
    {
        foreach ((string model, double rate, string title) in new[] { ("vgg16", PaperSettings.VggDonorRate, "VGG-16 (left)"), (
            "resnet18", PaperSettings.ResNetDonorRate, "ResNet-18 (right)") })
        {
            var tickets = new NaturalTickets(grid, model, rate);
            TrainingSettings retrain = tickets.Settings(LongestEpochs);
            grid.Panel(
                title, PaperSettings.EpochAxis, PaperSettings.ValidationAxis,
                Curve("one-shot", FigureStyle.Solid, seed => tickets.Retrain(
                    "boosting ticket", tickets.Boosting(seed), LongestEpochs)),
                Curve("iterative", FigureStyle.Dashed, seed => grid.Train(
                    "iterative ticket", seed, tickets.Model, retrain, Iterative(seed))),
                Curve("one-shot, random init", FigureStyle.Solid, seed => tickets.Reinitialized(seed, LongestEpochs)),
                Curve("iterative, random init", FigureStyle.Dashed, seed => grid.Train(
                    "iterative, reinitialised", seed, tickets.Model, retrain, Iterative(seed), reinitialize: true)));

            TicketNode Iterative(ulong seed)
            {
                TicketNode? ticket = null;
                int round = 0;
                foreach (double ratio in PruningSchedule.CumulativeRatios(grid.Base.Pruning.Ratio, grid.Base.Pruning.Rounds))
                {
                    // The first round is the donor of one-shot pruning.
                    TrainingNode donor = ++round == 1
                        ? tickets.Donor(seed, rate)
                        : grid.Train($"donor, round {round}", seed, tickets.Model, grid.Training(
                            TrainingMethod.Natural, PaperSettings.Epochs, rate), ticket);
                    ticket = grid.PruneFurther(donor, ratio, ticket);
                }
                return ticket!;
            }
        }

        GridCurve Curve(string name, FigureStyle style, Func<ulong, TrainingNode> training) =>
            GridCurve.ByEpoch(name, style, grid.Seeds.Select(training), epoch => epoch.ValidationClean);
    }
}
