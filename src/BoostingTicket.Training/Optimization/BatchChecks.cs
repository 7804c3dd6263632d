using BoostingTicket.Engine.Graph;
using BoostingTicket.Engine.Graph.Layers;

namespace BoostingTicket.Training.Optimization;

/// <summary>Finds before a training begins that its batches cannot be trained on.</summary>
internal static class BatchChecks
{
    /// <summary>Makes sure that batches are large enough for the model's batch statistics.</summary>
    /// <param name="settings">A training.</param>
    /// <param name="path">Path of its batch size.</param>
    /// <param name="graph">The model.</param>
    /// <param name="samples">Samples to train on.</param>
    /// <exception cref="ConfigurationException">They are not.</exception>
    public static void RequireBatches(TrainingSettings settings, string path, NetworkGraph graph, int samples)
    {
        if (settings.Epochs == 0 || Math.Min(settings.BatchSize, samples) > 1)
            return;
        if (graph.Nodes.FirstOrDefault(node => node.Layer is BatchNormalization && node.Shape.Pixels == 1) is { } node)
            throw new ConfigurationException(
                $"A batch of one sample has no variance for the normalisation {node.Name} of {graph.Name}, whose maps have a "
                + $"single pixel; give {Setting.Named(path)} 2 or more and more than one training sample, or another model "
                + $"({Setting.Named("model")}).");
    }
}
