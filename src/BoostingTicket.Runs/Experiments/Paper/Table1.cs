using BoostingTicket.Runs.Configuration;


namespace BoostingTicket.Runs.Experiments.Paper;

/// <summary>Table 1: test accuracy of winning and boosting tickets over the number of epochs.</summary>
internal sealed class Table1 : IExperiment
{
    /// <inheritdoc/>
    public string Name => "table1";

    /// <inheritdoc/>
    public string Title => "final test accuracy of winning and boosting tickets after 20 to 100 epochs, VGG-16";

    /// <inheritdoc/>
    public string Description =>
        "Natural training: a boosting donor at 0.01, a winning donor at 0.1, each one's ticket retrained for 20, 40, 60, 80 and "
        + "100 epochs; last weights are tested.";

    /// <inheritdoc/>
    public RunConfiguration Base => PaperSettings.Cifar10;

    /// <inheritdoc/>
    public int LongestEpochs => PaperSettings.Epochs;

    /// <inheritdoc/>
    void IExperiment.Declare(ExperimentGrid grid)
    {
        var tickets = new NaturalTickets(grid, "vgg16", PaperSettings.VggDonorRate);
        for (int index = 0; index < PaperValues.Epochs.Count; index++)
        {
            int epochs = PaperValues.Epochs[index];
            grid.Row($"winning ticket, {grid.Length(epochs)}", "test accuracy", grid.Clean(seed => grid.Test(tickets.Retrain(
                "winning ticket", tickets.Winning(seed), epochs), best: false)), PaperValues.Table1Winning[index]);
            grid.Row($"boosting ticket, {grid.Length(epochs)}", "test accuracy", grid.Clean(seed => grid.Test(tickets.Retrain(
                "boosting ticket", tickets.Boosting(seed), epochs), best: false)), PaperValues.Table1Boosting[index]);
        }
    }
}
