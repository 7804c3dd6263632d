using BoostingTicket.Runs.Configuration;
using BoostingTicket.Runs.Experiments.Nodes;
using BoostingTicket.Training.Optimization;

namespace BoostingTicket.Runs.Experiments.Paper;

/// <summary>Table 5: epochs until early stopping and test accuracy of LeNet on MNIST.</summary>
internal sealed class Table5 : IExperiment
{
    // The paper names no rates; these are the preset's, with their reasons there.
    private const double Rate = 0.03, DonorRate = 0.005;

    /// <inheritdoc/>
    public string Name => "table5";

    /// <inheritdoc/>
    public string Title =>
        "epochs until early stopping and test accuracy of full network, winning, boosting and reinitialised tickets, LeNet on "
        + "MNIST";

    /// <inheritdoc/>
    public string Description =>
        "Natural training at constant rates (0.03; 0.005 for the boosting donor) until validation accuracy has not improved for "
        + "four epochs, at most 60. The weights with the best validation accuracy are tested.";

    /// <inheritdoc/>
    public RunConfiguration Base => PaperSettings.MnistNatural;

    /// <inheritdoc/>
    public int LongestEpochs => Base.Retrain.Epochs;

    /// <inheritdoc/>
    void IExperiment.Declare(ExperimentGrid grid)
    {
        string model = grid.Model("lenet");
        TrainingSettings full = grid.Training(TrainingMethod.Natural, LongestEpochs, Rate), retrain = full with
        {
            WarmupFrom = DonorRate,
        };
        (string Name, Func<ulong, TrainingNode> Training)[] arms =
        [
            ("full model", seed => grid.Train("full", seed, model, full)),
            ("winning ticket", seed => grid.Train(
                "winning ticket", seed, model, retrain, grid.Prune(grid.Train("winning donor", seed, model, retrain)))),
            ("boosting ticket", seed => grid.Train("boosting ticket", seed, model, retrain, Boosting(seed))),
            ("random init", seed => grid.Train("reinitialised", seed, model, retrain, Boosting(seed), reinitialize: true)),
        ];
        for (int arm = 0; arm < arms.Length; arm++)
        {
            (string name, Func<ulong, TrainingNode> training) = arms[arm];
            grid.Row(name, "stopped at", grid.Of(
                QuantityUnit.Epochs, training, (store, node) => node.Read(store).Epochs), PaperValues.Table5Stopping[arm]);
            grid.Row(name, "best epoch", grid.Of(QuantityUnit.Epochs, training, (store, node) => node.Read(store).BestEpoch));
            grid.Row(name, "test accuracy", grid.Clean(
                seed => grid.Test(training(seed), best: true)), PaperValues.Table5Accuracy[arm]);
        }

        TicketNode Boosting(ulong seed) => grid.Prune(grid.Train("donor", seed, model, full with { LearningRate = DonorRate }));
    }
}
