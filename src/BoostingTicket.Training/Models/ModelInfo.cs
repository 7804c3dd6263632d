using System.Globalization;
using BoostingTicket.Engine.Graph;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Training.Models;

/// <summary>A row of the list of models.</summary>
/// <param name="Name">The name.</param>
/// <param name="Description">The family, in one line.</param>
/// <param name="Input">Shape of the images that the numbers are for.</param>
/// <param name="Classes">Classes that the numbers are for.</param>
/// <param name="Parameters">Trained values.</param>
/// <param name="PrunableWeights">How many of them may be pruned.</param>
/// <param name="SizeMiB">Size of the parameters as float32, in MiB.</param>
/// <param name="MultiplyAdds">Multiply-adds of one image's forward pass; convolutions and linear layers only.</param>
/// <param name="PaperParameters">What the paper's Table 4 prints, or null where it has no such row.</param>
/// <param name="Note">What to know about a difference from the paper, or null.</param>
public sealed record ModelInfo(
    string Name,
    string Description,
    FeatureShape Input,
    int Classes,
    long Parameters,
    long PrunableWeights,
    double SizeMiB,
    long MultiplyAdds,
    long? PaperParameters,
    string? Note)
{
    /// <summary>The size that the paper's Table 4 prints, in MiB; null where it has no such row. It is that of its number of
    /// parameters as float32, to the last digit.</summary>
    public double? PaperSizeMiB => PaperParameters * sizeof(float) / (1024.0 * 1024.0);

    // The paper, appendix A, Table 4.
    private static readonly Dictionary<string, long> Table4 = new(StringComparer.Ordinal)
    {
        ["vgg16"] = 29_975_444,
        ["resnet18"] = 11_173_962,
        ["wrn-34-10"] = 46_160_474,
        ["wrn-28-10"] = 36_479_194,
        ["wrn-22-10"] = 26_797_914,
        ["wrn-16-10"] = 17_116_634,
        ["wrn-10-10"] = 7_435_354,
        ["wrn-34-5"] = 11_554_074,
        ["wrn-34-2"] = 1_855_578,
        ["wrn-34-1"] = 466_714,
    };

    /// <summary>Describes a graph.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="description">Its family, in one line.</param>
    internal static ModelInfo Of(NetworkGraph graph, string description)
    {
        ArgumentNullException.ThrowIfNull(graph);
        long parameters = graph.Table.TrainedLength;
        long? paper = Table4.TryGetValue(graph.Name, out long printed) ? printed : null;
        return new ModelInfo(
            graph.Name, description, graph.Input.Shape, graph.Classes, parameters, graph.Table.PrunableLength,
            parameters * sizeof(float) / (1024.0 * 1024.0), graph.MultiplyAdds, paper, NoteOn(parameters, paper));
    }

    private static string? NoteOn(long parameters, long? paper)
    {
        if (paper is not { } printed || printed == parameters)
            return null;
        return printed == 2 * parameters
            ? string.Create(CultureInfo.InvariantCulture,
                $"The paper's Table 4 prints {printed:N0}, exactly twice the {parameters:N0} of the network it describes.")
            : string.Create(CultureInfo.InvariantCulture, $"The paper's Table 4 prints {printed:N0}.");
    }
}
