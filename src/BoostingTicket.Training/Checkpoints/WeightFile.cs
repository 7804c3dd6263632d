using BoostingTicket.Engine.Graph;
using BoostingTicket.Training.Files;
using BoostingTicket.Training.Models;

namespace BoostingTicket.Training.Checkpoints;

/// <summary>A model's weights and running statistics as a safetensors file: F32 tensors under the names and in the order of the
/// PyTorch models (convolutions output, input, row, column), so that they travel both ways. Pruned weights are zeros in it.
/// Files of others are read too: prefixes such as <c>module.</c> are stripped, <c>num_batches_tracked</c>, <c>mu</c>,
/// <c>sigma</c> and the <c>sub_block1</c> of TRADES are passed over, and so is what belongs to a training and not to the network;
/// masks of <c>torch.nn.utils.prune</c> are applied.</summary>
internal static class WeightFile
{
    /// <summary>Writes a file whole or not at all.</summary>
    /// <param name="path">The file to create or to replace.</param>
    /// <param name="state">The values.</param>
    /// <param name="metadata">Where they come from.</param>
    /// <exception cref="ConfigurationException">The file cannot be written there.</exception>
    public static void Save(string path, ModelState state, ModelFileMetadata metadata) =>
        ModelFileWriter.Create(FileKind.Weights, metadata).Add(state).Save(path);

    /// <summary>Where a file's tensors come from; null for a file of somebody else. Of any kind of file.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="ConfigurationException">There is no such file, or a later version wrote it.</exception>
    /// <exception cref="DamagedFileException">It is damaged.</exception>
    public static ModelFileMetadata? ReadMetadata(string path)
    {
        using SafetensorsFile file = SafetensorsFile.Open(path);
        ModelFileMetadata.KindOf(file.Metadata, path);
        return ModelFileMetadata.FromPairs(file.Metadata, path);
    }

    /// <summary>What a file is.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="ConfigurationException">There is no such file, or a later version wrote it.</exception>
    /// <exception cref="DamagedFileException">It is damaged.</exception>
    public static FileKind KindOf(string path)
    {
        using SafetensorsFile file = SafetensorsFile.Open(path);
        return ModelFileMetadata.KindOf(file.Metadata, path);
    }

    /// <summary>The network that a file of any kind is of: the model, or one that is narrower, as the file says.</summary>
    /// <param name="path">The file.</param>
    /// <param name="model">The model, whole.</param>
    /// <exception cref="ConfigurationException">There is no such file, or a later version wrote it.</exception>
    /// <exception cref="DamagedFileException">It is damaged, or the model cannot have so many channels.</exception>
    public static NetworkGraph GraphOf(string path, NetworkGraph model) => ReadMetadata(path)?.Narrow(model, path) ?? model;

    /// <summary>Reads a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="graph">The model that it is for.</param>
    /// <param name="note">Told what was ignored in a file of somebody else, a sentence each; null for none.</param>
    /// <returns>The values, and where they come from; null for a file of somebody else.</returns>
    /// <exception cref="ConfigurationException">There is no such file, or it is another kind or model.</exception>
    /// <exception cref="DamagedFileException">It is damaged, a tensor is missing, surplus, or not what the model
    /// needs.</exception>
    public static (ModelState State, ModelFileMetadata? Metadata) Load(
        string path, NetworkGraph graph, Action<string>? note = null)
    {
        using var reader = ModelFileReader.Open(path, graph, FileKind.Weights);
        reader.RequireExactly(state: true, mask: false);
        foreach (string text in reader.Notes)
            note?.Invoke(text);
        return (reader.ReadState(), reader.Metadata);
    }
}
