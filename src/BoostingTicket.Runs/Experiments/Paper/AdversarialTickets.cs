using BoostingTicket.Runs.Configuration;
using BoostingTicket.Runs.Experiments.Nodes;
using BoostingTicket.Training.Optimization;

namespace BoostingTicket.Runs.Experiments.Paper;

/// <summary>Tickets of adversarial training (section 4): a donor of some method trains for 100 epochs at a small rate; its
/// ticket, 80 % pruned, is retrained on PGD images at the full rate with a warm-up from the donor's. The baseline is the full
/// network after 100 epochs of the same.</summary>
/// <param name="grid">Takes the pieces.</param>
/// <param name="paperModel">The paper's model.</param>
/// <param name="donorRate">Rate of donors.</param>
internal sealed class AdversarialTickets(ExperimentGrid grid, string paperModel, double donorRate)
{
    private readonly string _model = grid.Model(paperModel);

    /// <summary>A donor.</summary>
    public TrainingNode Donor(ulong seed, TrainingMethod method = TrainingMethod.Fgsm) => grid.Train(
        $"donor, {SettingNames.Of(method)}", seed, _model, grid.Training(method, PaperSettings.Epochs, donorRate));

    /// <summary>A donor's ticket.</summary>
    public TicketNode Ticket(ulong seed, TrainingMethod method = TrainingMethod.Fgsm) => grid.Prune(Donor(seed, method));

    /// <summary>The retraining of a ticket.</summary>
    /// <param name="seed">The seed.</param>
    /// <param name="epochs">The paper's epochs.</param>
    /// <param name="donor">Method of the donor.</param>
    /// <param name="reinitialize">Whether the mask is put on new random weights: the control.</param>
    public TrainingNode Retrain(ulong seed, int epochs, TrainingMethod donor = TrainingMethod.Fgsm, bool reinitialize = false) =>
        grid.Train(
        $"{(reinitialize ? "reinitialised" : "ticket")} of {SettingNames.Of(donor)} donor, {grid.LengthHere(epochs)}", seed,
        _model,
        grid.Training(TrainingMethod.Pgd, epochs, PaperSettings.Rate, donorRate), Ticket(seed, donor), reinitialize);

    /// <summary>The full network.</summary>
    public TrainingNode Baseline(ulong seed) => grid.Train(
        "baseline, pgd", seed, _model, grid.Training(TrainingMethod.Pgd, PaperSettings.Epochs, PaperSettings.Rate));
}
