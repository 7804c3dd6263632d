using BoostingTicket.Engine.Graph;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Runs.Stages;
using BoostingTicket.Training;
using BoostingTicket.Training.Checkpoints;
using BoostingTicket.Training.Files;
using BoostingTicket.Training.Models;
using BoostingTicket.Training.Progress;
using BoostingTicket.Training.Pruning;

namespace BoostingTicket.Runs.Experiments.Nodes;

/// <summary>What is kept of a ticket besides its file.</summary>
/// <param name="Sparsity">Share of the prunable weights that is pruned.</param>
/// <param name="Layers">Kept weights by layer.</param>
/// <param name="Warnings">What the user should know, such as a layer that lost all its weights.</param>
/// <param name="Seconds">Seconds of choosing the mask.</param>
/// <param name="StartDistance">Relative distance of the ticket before it is trained to its donor; see <see
/// cref="RelativeDistance"/>.</param>
internal sealed record TicketRecord(
    double Sparsity, IReadOnlyList<LayerSparsity> Layers, IReadOnlyList<string> Warnings, double Seconds, double StartDistance)
    : IStoredRecord
{
    /// <summary>Seconds of all processors that choosing the mask used; null in what version 0.1.0 kept.</summary>
    public double? ProcessorSeconds { get; init; }

    string? IStoredRecord.WrongMember() => StoredValues.First(
        ("sparsity", StoredValues.IsShare(Sparsity)),
        ("seconds", StoredValues.IsAmount(Seconds) && StoredValues.IsAmount(ProcessorSeconds ?? 0)),
        ("distance", StoredValues.IsAmount(StartDistance)));
}

/// <summary>A ticket drawn from a donor: the mask of its largest weights after training, and its initial weights.</summary>
internal sealed class TicketNode : ExperimentNode<TicketRecord>
{
    /// <summary>Describes a ticket.</summary>
    /// <param name="donor">Training whose last weights are pruned.</param>
    /// <param name="settings">How much is pruned and how.</param>
    /// <param name="previous">The ticket of the round before, whose pruned weights stay so; null in one-shot pruning.</param>
    public TicketNode(TrainingNode donor, PruningSettings settings, TicketNode? previous = null)
        : base(
            "ticket", FormattableString.Invariant($"ticket of {donor?.Label}, {(settings?.Ratio ?? 0) * 100:0.#} % pruned"),
            donor?.Seed ?? 0,
            Identity(settings!), previous is null ? [donor!] : [donor!, previous])
    {
        Donor = donor!;
        Settings = settings!;
        Previous = previous;
    }

    /// <summary>Training whose last weights are pruned.</summary>
    public TrainingNode Donor { get; }

    /// <summary>How much is pruned and how.</summary>
    public PruningSettings Settings { get; }

    /// <summary>The ticket of the round before; null in one-shot pruning.</summary>
    public TicketNode? Previous { get; }

    // As version 0.1.0 wrote it, whose keys are hashes of it; what came later counts where it is not at its default.
    private static object Identity(PruningSettings settings)
    {
        var usual = new PruningSettings
        {
            Ratio = settings.Ratio,
            Scope = settings.Scope,
            MinimumKept = settings.MinimumKept,
            HiddenLinear = settings.HiddenLinear,
            Rounds = settings.Rounds,
            EarlyBird = settings.EarlyBird,
        };
        return settings == usual
            ? new { settings.Ratio, settings.Scope, settings.MinimumKept }
            : new
            {
                settings.Ratio,
                settings.Scope,
                settings.MinimumKept,
                settings.Structure,
                settings.ChannelRatio,
                settings.ChannelCriterion,
                settings.ChannelMultiple,
                settings.CostExponent,
            };
    }

    /// <summary>Seconds to find the ticket: training and pruning, of all rounds.</summary>
    internal double SecondsToFind(ExperimentStore store) =>
        Donor.Read(store).Seconds + Read(store).Seconds + (Previous?.SecondsToFind(store) ?? 0);

    /// <summary>The same in seconds of processors and in seconds that passed.</summary>
    /// <exception cref="ConfigurationException">A program recorded a donor that did not count processor seconds.</exception>
    internal ElapsedSeconds WorkToFind(ExperimentStore store)
    {
        TicketRecord drawn = Read(store);
        var pruning = new ElapsedSeconds(drawn.ProcessorSeconds ?? drawn.Seconds, drawn.Seconds);
        return Donor.Work(store).Aggregate(pruning, (sum, work) => sum + ElapsedSeconds.Of(work))
            + (Previous?.WorkToFind(store) ?? default);
    }

    private protected override TicketRecord Compute(NodeContext context)
    {
        context.Progress.StageStarted($"seed {Seed} · {Label}", 1, 0);
        NetworkGraph graph = context.Graph(Donor.Job);
        ModelState trained = context.Weights(Donor);
        SubNetwork? pruned = Previous is null ? null : context.Ticket(Previous).Network;
        MachineLoad start = MachineLoad.Now();
        (SubNetwork network, PruningReport report) = SubNetworkPruner.Draw(
            graph, trained, Settings.Options(Settings.Ratio), pruned);
        TrainingWork work = MachineLoad.Now().Since(start, steps: 0, operations: 0);
        ModelState initial = (Donor.Job with { Start = TrainingStart.Initial }).DrawStart(graph.Table);
        TicketFile.Save(
            context.Store.Ticket(this), initial, network,
            StageFiles.OfTicket(
                StageFiles.Describe(TrainingNode.Recorded(Donor.Job), graph, context.Images.Train.Set, Seed), Settings));
        foreach (string warning in report.Warnings)
            context.Progress.Warn(warning);
        context.Progress.StageFinished();
        return new TicketRecord(
            network.Sparsity, [.. report.Layers.Select(layer => new LayerSparsity(layer.Name, layer.Total, layer.Kept))],
            report.Warnings, work.WallSeconds,
            RelativeDistance.Between(context.Widen(Donor, trained), initial, network.FullMask))
        {
            ProcessorSeconds = work.ProcessorSeconds,
        };
    }

    /// <inheritdoc/>
    internal override NodeCost Cost(NodeContext context) => NodeCost.None(Donor.Job);
}
