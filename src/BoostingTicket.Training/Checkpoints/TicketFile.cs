using BoostingTicket.Engine.Graph;
using BoostingTicket.Training.Models;
using BoostingTicket.Training.Pruning;

namespace BoostingTicket.Training.Checkpoints;

/// <summary>A ticket: the state that training began from, and which weights of it are kept.</summary>
/// <param name="Initial">Initial weights and statistics of the network, pruned weights included; of a channel ticket, those of
/// the small network.</param>
/// <param name="Network">What is kept: the network to train and its mask.</param>
/// <param name="Metadata">Where it comes from; null for a file of somebody else.</param>
internal sealed record Ticket(ModelState Initial, SubNetwork Network, ModelFileMetadata? Metadata)
{
    /// <summary>The mask of the network's weights.</summary>
    public Mask Mask => Network.Mask;
}

/// <summary>A ticket as a safetensors file: the tensors of a <see cref="WeightFile"/> and those of a <see cref="MaskFile"/>. The
/// sub-network is the product of the two. A channel ticket holds those of its small network, and for each group of channels a U8
/// tensor, 1 kept and 0 removed, named <c>channels.</c> and then as the first layer that makes them.</summary>
internal static class TicketFile
{
    /// <summary>Writes a ticket of a model's own channels whole or not at all.</summary>
    /// <param name="path">The file to create or to replace.</param>
    /// <param name="initial">Initial weights and statistics.</param>
    /// <param name="mask">What is kept.</param>
    /// <param name="metadata">Where it comes from.</param>
    /// <exception cref="ConfigurationException">The file cannot be written there.</exception>
    public static void Save(string path, ModelState initial, Mask mask, ModelFileMetadata metadata) =>
        ModelFileWriter.Create(FileKind.Ticket, metadata).Add(initial).Add(mask).Save(path);

    /// <summary>Writes a file whole or not at all.</summary>
    /// <param name="path">The file to create or to replace.</param>
    /// <param name="initial">Initial weights and statistics of the model.</param>
    /// <param name="network">What is kept.</param>
    /// <param name="metadata">Where it comes from.</param>
    /// <exception cref="ConfigurationException">The file cannot be written there.</exception>
    public static void Save(string path, ModelState initial, SubNetwork network, ModelFileMetadata metadata)
    {
        ArgumentNullException.ThrowIfNull(network);
        Save(path, new Ticket(network.Take(initial), network, metadata with { Channels = network.Graph.Channels }));
    }

    /// <summary>Writes a file whole or not at all.</summary>
    /// <param name="path">The file to create or to replace.</param>
    /// <param name="ticket">The ticket, with metadata.</param>
    /// <exception cref="ConfigurationException">The file cannot be written there.</exception>
    public static void Save(string path, Ticket ticket)
    {
        ArgumentNullException.ThrowIfNull(ticket);
        ArgumentNullException.ThrowIfNull(ticket.Metadata);
        ModelFileWriter.Create(FileKind.Ticket, ticket.Metadata)
            .Add(ticket.Initial).Add(ticket.Mask).Add(ticket.Network.Channels).Save(path);
    }

    /// <summary>Reads a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="graph">The model that it is for, whole.</param>
    /// <param name="note">Told what was ignored in a file of somebody else, a sentence each; null for none.</param>
    /// <exception cref="ConfigurationException">There is no such file, or it is another kind or model.</exception>
    /// <exception cref="DamagedFileException">It is damaged, a tensor is missing, surplus, or not what the model
    /// needs.</exception>
    public static Ticket Load(string path, NetworkGraph graph, Action<string>? note = null)
    {
        using var reader = ModelFileReader.Open(path, WeightFile.GraphOf(path, graph), FileKind.Ticket);
        reader.RequireExactly(state: true, mask: true);
        foreach (string text in reader.Notes)
            note?.Invoke(text);
        return new Ticket(
            reader.ReadState(), new SubNetwork(graph, reader.ReadMask(), reader.ReadChannels(graph)), reader.Metadata);
    }

    /// <summary>Reads a file by what it says of its network.</summary>
    /// <param name="path">The file.</param>
    /// <param name="metadata">What it says.</param>
    /// <exception cref="ConfigurationException">It is another kind of file.</exception>
    /// <exception cref="DamagedFileException">It is damaged, or a tensor is not what the model needs.</exception>
    public static Ticket Load(string path, ModelFileMetadata metadata)
    {
        ArgumentNullException.ThrowIfNull(metadata);
        var options = new ModelOptions(metadata.Input, metadata.Classes, metadata.Normalization);
        // The file does not say whether hidden linear layers were prunable; its masks do.
        try
        {
            return Load(path, ModelCatalog.Build(metadata.Model, options with { PruneHiddenLinear = true }));
        }
        catch (ConfigurationException)
        {
            return Load(path, ModelCatalog.Build(metadata.Model, options with { PruneHiddenLinear = false }));
        }
    }
}
