using BoostingTicket.Engine.Graph;
using BoostingTicket.Training.Pruning;

namespace BoostingTicket.Training.Checkpoints;

/// <summary>A mask as a safetensors file: for each prunable tensor a U8 tensor of its shape, 1 kept and 0 pruned, named
/// <c>mask.</c> and then as the tensor. Files of others may have masks of any number format, named as the tensors themselves or
/// as <c>torch.nn.utils.prune</c> names them, and masks of other tensors that keep everything.</summary>
internal static class MaskFile
{
    /// <summary>Writes a file whole or not at all.</summary>
    /// <param name="path">The file to create or to replace.</param>
    /// <param name="mask">The mask.</param>
    /// <param name="metadata">Where it comes from.</param>
    /// <exception cref="ConfigurationException">The file cannot be written there.</exception>
    public static void Save(string path, Mask mask, ModelFileMetadata metadata) =>
        ModelFileWriter.Create(FileKind.Mask, metadata).Add(mask).Save(path);

    /// <summary>Writes a file whole or not at all; of a channel ticket, which channels are kept too.</summary>
    /// <param name="path">The file to create or to replace.</param>
    /// <param name="network">What is kept.</param>
    /// <param name="metadata">Where it comes from.</param>
    /// <exception cref="ConfigurationException">The file cannot be written there.</exception>
    public static void Save(string path, SubNetwork network, ModelFileMetadata metadata)
    {
        ArgumentNullException.ThrowIfNull(network);
        ModelFileWriter.Create(FileKind.Mask, metadata with { Channels = network.Graph.Channels })
            .Add(network.Mask).Add(network.Channels).Save(path);
    }

    /// <summary>Reads a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="graph">The model that it is for, whole.</param>
    /// <param name="note">Told what was ignored in a file of somebody else, a sentence each; null for none.</param>
    /// <returns>The mask, and where it comes from; null for a file of somebody else.</returns>
    /// <exception cref="ConfigurationException">There is no such file, or it is another kind or model.</exception>
    /// <exception cref="DamagedFileException">It is damaged, a mask is missing, surplus, or not what the model needs.</exception>
    public static (Mask Mask, ModelFileMetadata? Metadata) Load(string path, NetworkGraph graph, Action<string>? note = null)
    {
        (SubNetwork network, ModelFileMetadata? metadata) = LoadNetwork(path, graph, note);
        return (network.Mask, metadata);
    }

    /// <summary>Reads a file, and which channels are kept with it.</summary>
    /// <param name="path">The file.</param>
    /// <param name="graph">The model that it is for, whole.</param>
    /// <param name="note">Told what was ignored in a file of somebody else, a sentence each; null for none.</param>
    /// <exception cref="ConfigurationException">There is no such file, or it is another kind or model.</exception>
    /// <exception cref="DamagedFileException">It is damaged, a mask is missing, surplus, or not what the model
    /// needs.</exception>
    public static (SubNetwork Network, ModelFileMetadata? Metadata) LoadNetwork(
        string path, NetworkGraph graph, Action<string>? note = null)
    {
        using var reader = ModelFileReader.Open(path, WeightFile.GraphOf(path, graph), FileKind.Mask);
        reader.RequireExactly(state: false, mask: true);
        foreach (string text in reader.Notes)
            note?.Invoke(text);
        return (new SubNetwork(graph, reader.ReadMask(), reader.ReadChannels(graph)), reader.Metadata);
    }
}
