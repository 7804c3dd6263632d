using BoostingTicket.Runs.Configuration;


namespace BoostingTicket.Runs.Experiments.Paper;

/// <summary>Table 6: robustness of Table 3's models under more attacks, and on each other's adversarial images.</summary>
internal sealed class Table6 : IExperiment
{
    private const string Source = "Table 6";

    /// <inheritdoc/>
    public string Name => "table6";

    /// <inheritdoc/>
    public string Title =>
        "natural, PGD-20, PGD-100, C&W and transfer accuracy and training time, full network against boosting tickets, "
        + "WideResNet-34-10";

    /// <inheritdoc/>
    public string Description =>
        "The models of Table 3. C&W is PGD-20 on Carlini and Wagner's margin loss; transfer is PGD-20 made on one model and "
        + "given to another.";

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
            grid.Row(row.Name, "natural", grid.Clean(seed => models.Test(row, seed)), new PaperValue(row.Clean, Source));
            grid.Row(
                row.Name, "PGD-20", grid.Robust("pgd-20", seed => models.Test(row, seed)), new PaperValue(row.Pgd20, Source));
            grid.Row(
                row.Name, "PGD-100", grid.Robust("pgd-100", seed => models.Test(row, seed)), new PaperValue(row.Pgd100, Source));
            grid.Row(
                row.Name, "C&W", grid.Robust("cw", seed => models.Test(row, seed)), new PaperValue(row.CarliniWagner, Source));
        }
        for (int source = 0; source < PaperValues.WideResNet.Count; source++)
        {
            for (int target = 0; target < PaperValues.WideResNet.Count; target++)
            {
                if (PaperValues.Table6Transfer[source][target] is { } paper)
                    grid.Row(PaperValues.WideResNet[target].Name, $"images of {PaperValues.WideResNet[source].Name}", Transfer(
                        source, target), new PaperValue(paper, Source));
            }
        }
        models.TimeRows(Source);

        Quantity Transfer(int source, int target) => grid.Of(
            QuantityUnit.Percent,
            seed => grid.Transfer([.. PaperValues.WideResNet.Select(row => (row.Name, models.Training(row, seed)))]),
            (store, matrix) => 100 * matrix.Read(store).Rows[source].Accuracies[target].Value);
    }
}
