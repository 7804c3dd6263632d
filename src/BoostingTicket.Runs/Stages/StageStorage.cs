using BoostingTicket.Engine.Plans;
using BoostingTicket.Training.Checkpoints;
using BoostingTicket.Training.Models;
using BoostingTicket.Training.Optimization;

namespace BoostingTicket.Runs.Stages;

/// <summary>Keeps one stage's checkpoint and best weights in a run's folder.</summary>
/// <param name="checkpoint">The checkpoint's file.</param>
/// <param name="best">The best weights' file.</param>
/// <param name="metadata">Where the weights come from.</param>
/// <param name="checkpointMetadata">The same for the checkpoint, with the hash that it is bound to.</param>
internal sealed class StageStorage(
    string checkpoint, string best, ModelFileMetadata metadata, ModelFileMetadata checkpointMetadata) : ITrainingStorage
{
    public TrainingState? Restore(Network network) =>
        File.Exists(checkpoint) ? TrainingCheckpoint.Load(checkpoint, network, checkpointMetadata.ConfigurationHash!) : null;

    public void Save(Network network, TrainingState state) =>
        TrainingCheckpoint.Save(checkpoint, network, state, checkpointMetadata);

    public void SaveBest(Network network) =>
        WeightFile.Save(best, ModelState.Capture(network.Parameters, network.Backend), metadata);
}
