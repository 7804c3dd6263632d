using BoostingTicket.Engine.Plans;
using BoostingTicket.Training.Models;
using BoostingTicket.Training.Optimization;

namespace BoostingTicket.Training.Classifiers;

/// <summary>Keeps the best weights of a training in memory. There are no checkpoints: such a training lives as long as its
/// process.</summary>
internal sealed class BestWeights : ITrainingStorage
{
    /// <summary>The weights that were best on validation; null before any were.</summary>
    public ModelState? State { get; private set; }

    /// <inheritdoc/>
    public TrainingState? Restore(Network network) => null;

    /// <inheritdoc/>
    public void Save(Network network, TrainingState state)
    {
    }

    /// <inheritdoc/>
    public void SaveBest(Network network)
    {
        ArgumentNullException.ThrowIfNull(network);
        State = ModelState.Capture(network.Parameters, network.Backend);
    }
}
