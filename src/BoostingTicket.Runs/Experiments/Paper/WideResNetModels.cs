using BoostingTicket.Runs.Experiments.Nodes;

namespace BoostingTicket.Runs.Experiments.Paper;

/// <summary>The four models that Tables 3 and 6 compare: the full WideResNet-34-10 after 100 epochs (by its time), and the ticket
/// of an FGSM donor retrained for 40, 70 and 100.</summary>
/// <param name="grid">Takes the pieces.</param>
internal sealed class WideResNetModels(ExperimentGrid grid)
{
    /// <summary>Attacks of both tables.</summary>
    public static IReadOnlyList<string> Attacks { get; } = ["pgd-20", "pgd-100", "cw"];

    private readonly AdversarialTickets _tickets = new(grid, "wrn-34-10", PaperSettings.ResNetDonorRate);

    /// <summary>The training of one of them.</summary>
    public TrainingNode Training(WideResNetRow row, ulong seed) =>
        row.Pruning is null ? _tickets.Baseline(seed) : _tickets.Retrain(seed, row.Epochs);

    /// <summary>Its test, of the weights that were best on validation.</summary>
    public TestNode Test(WideResNetRow row, ulong seed) => grid.Test(Training(row, seed), best: true, Attacks);

    /// <summary>Compares seconds with the paper: of pruning, training, both, and the ratio to the full network's.</summary>
    /// <param name="table">The table that states them.</param>
    public void TimeRows(string table)
    {
        foreach (WideResNetRow row in PaperValues.WideResNet)
        {
            if (row.Pruning is { } pruning)
                grid.Row(row.Name, "pruning", Seconds(row, Pruning), new PaperValue(pruning, table));
            grid.Row(row.Name, "training", Seconds(row, (store, node) => node.Read(store).Seconds), new PaperValue(
                row.Training, table));
            grid.Row(row.Name, "total", Seconds(row, Total), new PaperValue(row.Total, table));
            if (row.Ratio is { } ratio)
                grid.Row(row.Name, "total / Madry's", Ratio(row), new PaperValue(ratio, table));
        }
    }

    private Quantity Seconds(WideResNetRow row, Func<ExperimentStore, TrainingNode, double> read) =>
        grid.Of(QuantityUnit.Seconds, seed => Training(row, seed), read);

    private Quantity Ratio(WideResNetRow row)
    {
        List<(TrainingNode Ours, TrainingNode Full)> pairs =
            [.. grid.Seeds.Select(seed => (Training(row, seed), Training(PaperValues.WideResNet[0], seed)))];
        return new Quantity(
            QuantityUnit.Ratio, [.. pairs.Select(pair => new ExperimentNode[] { pair.Ours, pair.Full })],
            (store, seed) => Total(store, pairs[seed].Ours) / Total(store, pairs[seed].Full));
    }

    private static double Pruning(ExperimentStore store, TrainingNode training) => training.Ticket?.SecondsToFind(store) ?? 0;

    private static double Total(ExperimentStore store, TrainingNode training) =>
        training.Read(store).Seconds + Pruning(store, training);
}
