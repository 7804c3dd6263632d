using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Training.Models;

/// <summary>What a model is built for. A run records all of it.</summary>
/// <param name="Input">Shape of one image.</param>
/// <param name="Classes">Number of classes, at least 2.</param>
/// <param name="Normalization">What the first layer normalises images by; null for no such layer.</param>
/// <param name="PruneHiddenLinear">
/// Whether the weights of hidden linear layers are prunable; null for the family's own choice: LeNet's are, since they are most
/// of it, VGG's are not, as in Frankle and Carbin (2019). The last layer's never are.
/// </param>
internal sealed record ModelOptions(
    FeatureShape Input, int Classes = 10, InputNormalizationConstants? Normalization = null, bool? PruneHiddenLinear = null)
{
    /// <summary>Channels of each of the model's <see cref="Engine.Graph.ChannelGroups"/>, for a network that is narrower than it;
    /// null for the model itself.</summary>
    public IReadOnlyList<int>? Channels { get; init; }
}
