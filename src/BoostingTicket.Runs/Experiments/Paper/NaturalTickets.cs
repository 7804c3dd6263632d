using BoostingTicket.Runs.Experiments.Nodes;
using BoostingTicket.Training.Optimization;

namespace BoostingTicket.Runs.Experiments.Paper;

/// <summary>Tickets of natural training (section 3): donors train for 100 epochs; a boosting ticket's at a small rate; a winning
/// ticket's at the full rate with the retraining's warm-up, as Frankle and Carbin do. What follows the donor is the same for
/// both: 80 % pruned, retraining at the full rate with a warm-up from the boosting donor's.</summary>
/// <param name="grid">Takes the pieces.</param>
/// <param name="paperModel">The paper's model.</param>
/// <param name="donorRate">Rate of the boosting ticket's donor.</param>
internal sealed class NaturalTickets(ExperimentGrid grid, string paperModel, double donorRate)
{
    private readonly string _model = grid.Model(paperModel);

    /// <summary>The model at the scale asked for.</summary>
    public string Model => _model;

    /// <summary>A donor at a constant rate, apart from its drops.</summary>
    public TrainingNode Donor(ulong seed, double rate) => grid.Train(
        FormattableString.Invariant($"donor, natural, rate {rate}"), seed, _model,
        grid.Training(TrainingMethod.Natural, PaperSettings.Epochs, rate));

    /// <summary>The boosting ticket.</summary>
    public TicketNode Boosting(ulong seed, double? ratio = null) => grid.Prune(Donor(seed, donorRate), ratio);

    /// <summary>The winning ticket.</summary>
    public TicketNode Winning(ulong seed) => grid.Prune(grid.Train(
        "winning donor, natural", seed, _model,
        grid.Training(TrainingMethod.Natural, PaperSettings.Epochs, PaperSettings.Rate, donorRate)));

    /// <summary>The retraining of a ticket.</summary>
    /// <param name="label">What is retrained.</param>
    /// <param name="ticket">The ticket.</param>
    /// <param name="epochs">The paper's epochs.</param>
    /// <param name="warmupFrom">Rate that it warms up from; null for the boosting donor's.</param>
    public TrainingNode Retrain(string label, TicketNode ticket, int epochs, double? warmupFrom = null) => grid.Train(
        $"{label}, {grid.LengthHere(epochs)}", ticket.Seed, _model, Settings(epochs, warmupFrom), ticket);

    /// <summary>The control: the boosting ticket's mask on new random weights.</summary>
    public TrainingNode Reinitialized(ulong seed, int epochs) => grid.Train(
        $"reinitialised, {grid.LengthHere(epochs)}", seed, _model, Settings(epochs), Boosting(seed), reinitialize: true);

    /// <summary>Settings of a retraining.</summary>
    public TrainingSettings Settings(int epochs, double? warmupFrom = null) =>
        grid.Training(TrainingMethod.Natural, epochs, PaperSettings.Rate, warmupFrom ?? donorRate);
}
