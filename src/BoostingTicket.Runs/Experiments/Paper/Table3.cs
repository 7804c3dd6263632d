using BoostingTicket.Runs.Configuration;


namespace BoostingTicket.Runs.Experiments.Paper;

/// <summary>Table 3: accuracy and time of boosting tickets on WideResNet-34-10.</summary>
internal sealed class Table3 : IExperiment
{
    /// <inheritdoc/>
    public string Name => "table3";

    /// <inheritdoc/>
    public string Title =>
        "clean and robust test accuracy and training time, full network against boosting tickets, WideResNet-34-10";

    /// <inheritdoc/>
    public string Description =>
        "The full network trained on PGD-10 for 100 epochs, and the ticket of an FGSM donor at 0.05 retrained for 40, 70 and "
        + "100. The weights with the best validation accuracy are tested. Times are those of training, without validation.";

    /// <inheritdoc/>
    public RunConfiguration Base => PaperSettings.Cifar10;

    /// <inheritdoc/>
    public int LongestEpochs => PaperSettings.Epochs;

    /// <inheritdoc/>
    void IExperiment.Declare(ExperimentGrid grid)
    {
        var models = new WideResNetModels(grid);
        foreach (WideResNetRow row in PaperValues.WideResNet)
        {
            grid.Row(row.Name, "clean", grid.Clean(seed => models.Test(row, seed)), new PaperValue(row.Clean, "Table 3"));
            grid.Row(
                row.Name, "PGD-20", grid.Robust("pgd-20", seed => models.Test(row, seed)), new PaperValue(row.Pgd20, "Table 3"));
            grid.Row(row.Name, "PGD-100", grid.Robust("pgd-100", seed => models.Test(row, seed)), new PaperValue(
                row.Pgd100, "Table 3"));
        }
        models.TimeRows("Table 3");
    }
}
