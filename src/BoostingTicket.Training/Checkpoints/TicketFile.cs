using BoostingTicket.Engine.Graph;
using BoostingTicket.Training.Models;
using BoostingTicket.Training.Pruning;

namespace BoostingTicket.Training.Checkpoints;

/// <summary>A ticket: the state that training began from, and which weights of it are kept.</summary>
/// <param name="Initial">Initial weights and statistics of the whole network, pruned weights included.</param>
/// <param name="Mask">What is kept.</param>
/// <param name="Metadata">Where it comes from; null for a file of somebody else.</param>
public sealed record Ticket(ModelState Initial, Mask Mask, ModelFileMetadata? Metadata);

/// <summary>A ticket as a safetensors file: the tensors of a <see cref="WeightFile"/> and those of a <see cref="MaskFile"/>. The
/// sub-network is the product of the two.</summary>
public static class TicketFile
{
    /// <summary>Writes a file whole or not at all.</summary>
    /// <param name="path">The file to create or to replace.</param>
    /// <param name="initial">Initial weights and statistics.</param>
    /// <param name="mask">What is kept.</param>
    /// <param name="metadata">Where it comes from.</param>
    /// <exception cref="ConfigurationException">The file cannot be written there.</exception>
    public static void Save(string path, ModelState initial, Mask mask, ModelFileMetadata metadata) =>
        ModelFileWriter.Create(FileKind.Ticket, metadata).Add(initial).Add(mask).Save(path);

    /// <summary>Reads a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="graph">The model that it is for.</param>
    /// <param name="note">Told what was ignored in a file of somebody else, a sentence each; null for none.</param>
    /// <exception cref="ConfigurationException">There is no such file, or it is another kind or model.</exception>
    /// <exception cref="DamagedFileException">It is damaged, a tensor is missing, surplus, or not what the model
    /// needs.</exception>
    public static Ticket Load(string path, NetworkGraph graph, Action<string>? note = null)
    {
        using var reader = ModelFileReader.Open(path, graph, FileKind.Ticket);
        reader.RequireExactly(state: true, mask: true);
        foreach (string text in reader.Notes)
            note?.Invoke(text);
        return new Ticket(reader.ReadState(), reader.ReadMask(), reader.Metadata);
    }
}
