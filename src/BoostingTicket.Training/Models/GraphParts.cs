using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Graph;

namespace BoostingTicket.Training.Models;

/// <summary>Parts that several models have.</summary>
internal static class GraphParts
{
    /// <summary>The images, normalised if there are constants for it.</summary>
    public static Node Stem(this GraphBuilder builder, ModelOptions options) => options.Normalization is { } constants
        ? builder.Normalize("normalization", builder.Input, constants.Mean, constants.Deviation)
        : builder.Input;

    /// <summary>Batch normalisation, then ReLU.</summary>
    public static Node NormalizeRelu(this GraphBuilder builder, string name, Node x) =>
        builder.NormalizeActivate(name, x, Activation.Relu);

    /// <summary>Batch normalisation, then an activation.</summary>
    public static Node NormalizeActivate(this GraphBuilder builder, string name, Node x, Activation activation) =>
        builder.Activate(builder.BatchNormalization(name, x), activation);

    /// <summary>The average of what is left of a square map, one value a channel.</summary>
    /// <exception cref="ArgumentException">The map is not square.</exception>
    public static Node GlobalAverage(this GraphBuilder builder, Node x)
    {
        if (x.Shape.Height != x.Shape.Width)
            throw new ArgumentException("images have to be square.");
        return x.Shape.Pixels == 1 ? x : builder.AveragePool(x, x.Shape.Height);
    }
}
