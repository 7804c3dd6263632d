using BoostingTicket.Runs.Configuration;
using BoostingTicket.Runs.Experiments.Nodes;
using BoostingTicket.Runs.Reporting.Figures;
using BoostingTicket.Training.Optimization;
using BoostingTicket.Training.Progress;

namespace BoostingTicket.Runs.Experiments.Paper;

/// <summary>Figure 6: clean and robust validation accuracy of tickets of natural, FGSM and PGD donors in PGD training.</summary>
internal sealed class Figure6 : IExperiment
{
    private static readonly TrainingMethod[] Donors = [TrainingMethod.Natural, TrainingMethod.Fgsm, TrainingMethod.Pgd];

    /// <inheritdoc/>
    public string Name => "figure6";

    /// <inheritdoc/>
    public string Title =>
        "clean and robust validation accuracy of PGD-trained tickets from natural, FGSM and PGD donors over 100 epochs, VGG-16";

    /// <inheritdoc/>
    public string Description =>
        "Donors at 0.01, tickets and the reinitialised control (the FGSM donor's mask) retrained on PGD-10 for 100 epochs. The "
        + "FGSM donor's last weights are tested under FGSM and PGD-20.";

    /// <inheritdoc/>
    public RunConfiguration Base => PaperSettings.Cifar10;

    /// <inheritdoc/>
    public int LongestEpochs => PaperSettings.Epochs;

    /// <inheritdoc/>
    void IExperiment.Declare(ExperimentGrid grid)
    {
        var tickets = new AdversarialTickets(grid, "vgg16", PaperSettings.VggDonorRate);
        List<(string Name, FigureStyle Style, List<TrainingNode> Trainings)> curves =
        [
            .. Donors.Select(donor => ($"{SettingNames.Of(donor)} donor", FigureStyle.Solid, grid.Seeds.Select(
                seed => tickets.Retrain(seed, LongestEpochs, donor)).ToList())),
            ("random init", FigureStyle.Dashed,
                [.. grid.Seeds.Select(seed => tickets.Retrain(seed, LongestEpochs, reinitialize: true))]),
        ];
        Panel("(a) clean", "clean validation accuracy (%)", epoch => epoch.ValidationClean);
        Panel("(b) robust", "robust validation accuracy (%)", epoch => epoch.ValidationRobust);
        (PaperValue fgsm, PaperValue pgd) = PaperValues.Figure6Donor;
        grid.Row("FGSM donor", "FGSM", grid.Robust("fgsm", DonorTest), fgsm);
        grid.Row("FGSM donor", "PGD-20", grid.Robust("pgd-20", DonorTest), pgd);

        TestNode DonorTest(ulong seed) => grid.Test(tickets.Donor(seed), best: false, "fgsm", "pgd-20");

        void Panel(string title, string axis, Func<EpochRecord, double?> value) => grid.Panel(
            title, PaperSettings.EpochAxis, axis,
            [.. curves.Select(curve => GridCurve.ByEpoch(curve.Name, curve.Style, curve.Trainings, value))]);
    }
}
