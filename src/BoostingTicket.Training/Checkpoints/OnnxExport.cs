using BoostingTicket.Engine.Graph;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Training.Files.Onnx;
using BoostingTicket.Training.Models;
using BoostingTicket.Training.Pruning;

namespace BoostingTicket.Training.Checkpoints;

/// <summary>What an export to ONNX wrote.</summary>
/// <param name="Model">Name of the model.</param>
/// <param name="Opset">Version of the operators.</param>
/// <param name="Input">Name of the input: images in [0, 1], float32 [batch, channels, rows, columns].</param>
/// <param name="InputShape">Shape of one image.</param>
/// <param name="Output">Name of the output: logits, float32 [batch, classes].</param>
/// <param name="Classes">Number of classes.</param>
/// <param name="Nodes">Nodes of the graph.</param>
/// <param name="Tensors">Tensors in the file.</param>
/// <param name="Pruned">Weights that a ticket's mask made zero; null for a file without mask.</param>
/// <param name="Normalization">What the graph normalises images by; null for nothing.</param>
internal sealed record OnnxReport(
    string Model, int Opset, string Input, FeatureShape InputShape, string Output, int Classes, int Nodes, int Tensors,
    long? Pruned, InputNormalizationConstants? Normalization);

/// <summary>Writes networks as ONNX files. A file computes what <see cref="Engine.Plans.Network"/> computes in evaluation: images
/// in [0, 1], any number of them, to logits; the normalisation of images is inside.</summary>
internal static class OnnxExport
{
    /// <summary>Version of the operators (ai.onnx) that a file uses.</summary>
    public const int Opset = OnnxGraph.Opset;

    /// <summary>Writes the network of a weights file, or of a ticket with its mask applied.</summary>
    /// <param name="source">A weights or ticket file of this program.</param>
    /// <param name="target">The file to create or to replace.</param>
    /// <exception cref="ConfigurationException">There is no such file, it is another kind of file, or the network is larger than
    /// the format allows.</exception>
    /// <exception cref="DamagedFileException">The file is damaged.</exception>
    public static OnnxReport Write(string source, string target)
    {
        (ModelFileMetadata metadata, NetworkGraph graph, ModelState state, Mask? mask) = WeightExport.Read(source);
        return Write(target, graph, state, metadata.Normalization) with { Pruned = mask?.Pruned };
    }

    /// <summary>Writes a network.</summary>
    /// <param name="target">The file to create or to replace.</param>
    /// <param name="graph">The layers, of any network.</param>
    /// <param name="state">Weights and statistics; pruned weights are zeros in them.</param>
    /// <param name="normalization">What the first layer normalises by; null for nothing.</param>
    /// <exception cref="ConfigurationException">The network is larger than the format allows, or the file cannot be written
    /// there.</exception>
    public static OnnxReport Write(
        string target, NetworkGraph graph, ModelState state, InputNormalizationConstants? normalization)
    {
        ArgumentNullException.ThrowIfNull(graph);
        ArgumentNullException.ThrowIfNull(state);
        OnnxGraph onnx = OnnxLayers.Convert(graph, state);
        onnx.Save(target, normalization is null ? [Model()] : WeightImport.ToPairs(normalization).Prepend(Model()));
        return new OnnxReport(
            graph.Name, Opset, OnnxLayers.Images, graph.Input.Shape, OnnxLayers.Logits, graph.Classes, onnx.Nodes,
            onnx.Tensors, null, normalization);

        KeyValuePair<string, string> Model() => new("model", graph.Name);
    }
}
