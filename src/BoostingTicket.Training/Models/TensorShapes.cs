using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Training.Models;

/// <summary>What the shapes of a file's tensors say about a model.</summary>
internal static class TensorShapes
{
    /// <summary>The shape of a tensor of so many dimensions, or null.</summary>
    public static IReadOnlyList<long>? Find(IReadOnlyDictionary<string, IReadOnlyList<long>> shapes, string name, int rank) =>
        shapes.TryGetValue(name, out IReadOnlyList<long>? shape) && shape.Count == rank ? shape : null;

    /// <summary>The options of a model for images of the usual size: 28x28 for one channel, 32x32 for any other number.</summary>
    public static ModelOptions Options(long channels, long classes)
    {
        int side = channels == 1 ? 28 : 32;
        return new ModelOptions(
            new FeatureShape((int)Math.Min(channels, int.MaxValue), side, side), (int)Math.Min(classes, int.MaxValue));
    }
}
