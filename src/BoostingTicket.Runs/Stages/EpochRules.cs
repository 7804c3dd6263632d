using BoostingTicket.Engine.Plans;
using BoostingTicket.Training.Checkpoints;
using BoostingTicket.Training.Models;
using BoostingTicket.Training.Optimization;

namespace BoostingTicket.Runs.Stages;

/// <summary>Keeps the weights after one epoch of a training in a file; never ends the training.</summary>
/// <param name="epoch">The epoch, from 1.</param>
/// <param name="path">The file.</param>
/// <param name="metadata">What the file says about where it comes from.</param>
internal sealed class EpochKeeper(int epoch, string path, ModelFileMetadata metadata) : IEpochRule
{
    /// <inheritdoc/>
    public bool Ends(Network network, TrainingState state)
    {
        // The checkpoint of this epoch is written after this, so that whoever resumes behind the epoch finds the file.
        if (state.Epoch == epoch)
            WeightFile.Save(path, ModelState.Capture(network.Parameters, network.Backend), metadata);
        return false;
    }

    /// <inheritdoc/>
    public void Keep(TrainingState state)
    {
        // The file is what is kept.
    }

    /// <inheritdoc/>
    public void Restore(TrainingState state)
    {
        // The file is there.
    }
}

/// <summary>Several rules in one; each of them may end the training.</summary>
/// <param name="rules">The rules.</param>
internal sealed class EpochRules(IReadOnlyList<IEpochRule> rules) : IEpochRule
{
    /// <summary>The rules as one; null for none.</summary>
    /// <param name="rules">Rules; null entries count for nothing.</param>
    public static IEpochRule? Of(params IEnumerable<IEpochRule?> rules) => rules.OfType<IEpochRule>().ToArray() switch
    {
        [] => null,
        [var single] => single,
        var several => new EpochRules(several),
    };

    /// <inheritdoc/>
    public bool Ends(Network network, TrainingState state)
    {
        bool ends = false;
        foreach (IEpochRule rule in rules)
            ends |= rule.Ends(network, state);
        return ends;
    }

    /// <inheritdoc/>
    public void Keep(TrainingState state)
    {
        foreach (IEpochRule rule in rules)
            rule.Keep(state);
    }

    /// <inheritdoc/>
    public void Restore(TrainingState state)
    {
        foreach (IEpochRule rule in rules)
            rule.Restore(state);
    }
}
