using BoostingTicket.Engine.Tensors;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Training.Optimization;
using BoostingTicket.Training.Pruning;

namespace BoostingTicket.Runs.Experiments.Nodes;

/// <summary>What the time of a network's passes depends on.</summary>
/// <param name="Job">Model, attack, training.</param>
/// <param name="Pruning">What the network lacks of its model; null for nothing.</param>
/// <param name="Precision">Number format; null for the experiment's.</param>
internal sealed record StepKind(TrainingJob Job, SubNetworkOptions? Pruning = null, Precision? Precision = null)
{
    /// <summary>Steps of equal keys take equally long.</summary>
    public (string Model, SubNetworkOptions? Pruning, Precision? Precision, TrainingMethod Method, int Batch) Key =>
        (Job.Model, Pruning, Precision, Job.Settings.Method, Job.Settings.BatchSize);

    /// <summary>What the network lacks of its model, for people; null for nothing.</summary>
    public string? Pruned => Pruning is null ? null : string.Join(", then ", Parts(Pruning));

    /// <summary>Share of the model's multiply-adds that a smaller network does not have; single weights do not count.</summary>
    public double MultiplyAddsRemoved => Pruning is { Structure.Channels: true } pruning ? pruning.ChannelRatio : 0;

    private static IEnumerable<string> Parts(SubNetworkOptions pruning)
    {
        if (pruning.Structure.Channels)
            yield return FormattableString.Invariant($"channels with {100 * pruning.ChannelRatio:0.#} % of multiply-adds");
        if (pruning.Structure.Weights)
            yield return FormattableString.Invariant($"{100 * pruning.Weights.Ratio:0.#} % of weights ({pruning.Scope})");
    }
}
