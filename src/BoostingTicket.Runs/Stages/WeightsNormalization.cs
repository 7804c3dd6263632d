using BoostingTicket.Runs.Configuration;
using BoostingTicket.Training;
using BoostingTicket.Training.Checkpoints;
using BoostingTicket.Training.Data;
using BoostingTicket.Training.Models;

namespace BoostingTicket.Runs.Stages;

/// <summary>The normalisation that saved weights are measured behind.</summary>
internal static class WeightsNormalization
{
    /// <summary>The constants that a weights file records, or else those of the data set: the weights are worth what they were
    /// measured to be behind their own normalisation alone. Null where the configuration normalises nothing.</summary>
    /// <exception cref="ConfigurationException">The weights are for other images.</exception>
    public static InputNormalizationConstants? Of(string weightsPath, RunConfiguration configuration, DataSplit data)
    {
        if (!configuration.Data.Normalize)
            return null;
        ModelFileMetadata? origin = WeightFile.ReadMetadata(weightsPath);
        origin?.RequireFits(weightsPath, DeviceImages.Shape(data.Test), data.Test.Classes.Count);
        return origin?.Normalization ?? DataNormalization.For(data.Train);
    }
}
