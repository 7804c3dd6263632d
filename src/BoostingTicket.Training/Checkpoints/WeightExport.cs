using BoostingTicket.Engine.Graph;
using BoostingTicket.Training.Files;
using BoostingTicket.Training.Files.Torch;
using BoostingTicket.Training.Models;
using BoostingTicket.Training.Pruning;

namespace BoostingTicket.Training.Checkpoints;

/// <summary>What an export wrote.</summary>
/// <param name="Model">Name of the model.</param>
/// <param name="Style">Name of the style.</param>
/// <param name="Tensors">Tensors written.</param>
/// <param name="Pruned">Weights that a ticket's mask made zero; null for a file without mask.</param>
/// <param name="Normalization">What images have to be normalised by in front of the network; null for nothing.</param>
/// <param name="NormalizationIncluded">Whether the file has tensors for that.</param>
internal sealed record ExportReport(
    string Model, string Style, int Tensors, long? Pruned, InputNormalizationConstants? Normalization,
    bool NormalizationIncluded);

/// <summary>Formats of exported networks.</summary>
internal enum ExportFormat
{
    /// <summary>safetensors, which needs no code to read.</summary>
    Safetensors,

    /// <summary>A state_dict as <c>torch.save</c> writes it (.pt).</summary>
    Torch,
}

/// <summary>Writes networks for PyTorch programs: safetensors or a file of <c>torch.save</c>, with dense F32 tensors in PyTorch's
/// order, named as public code names them, which <c>load_state_dict</c> takes as they are.</summary>
internal static class WeightExport
{
    /// <summary>Writes the network of a weights file, or of a ticket with its mask applied.</summary>
    /// <param name="source">A weights or ticket file of this program.</param>
    /// <param name="target">The file to create or to replace.</param>
    /// <param name="style">Name of one of <see cref="PyTorchStyle.All"/>.</param>
    /// <param name="prefix">What all names begin with, such as <c>module.</c>; empty for nothing.</param>
    /// <param name="format">The format of the file.</param>
    /// <exception cref="ConfigurationException">There is no such file or style, or it is another kind of file.</exception>
    /// <exception cref="DamagedFileException">The file is damaged.</exception>
    public static ExportReport Write(
        string source, string target, string style, string prefix = "", ExportFormat format = ExportFormat.Safetensors)
    {
        (ModelFileMetadata metadata, _, ModelState state, Mask? mask) = Read(source);
        ExportStyle naming = PyTorchStyle.Find(style, metadata.Model);
        InputNormalizationConstants? normalization = metadata.Normalization;
        bool included = naming.HoldsNormalization && normalization is not null;
        string start = prefix + (included ? "model." : "");

        IWeightWriter writer = format == ExportFormat.Torch ? new TorchWriter() : new SafetensorsWriter { Checksum = false };
        writer.AddMetadata("format", "pt");
        writer.AddMetadata(WeightImport.ModelKey, metadata.Model);
        int tensors = 0;
        foreach (Parameter parameter in state.Table.All)
        {
            string name = naming.Rename(parameter.Name);
            Add(start + name);
            if (naming.HoldsCopy is var (used, copy) && name.StartsWith(used, StringComparison.Ordinal))
                Add(start + copy + name[used.Length..]);

            void Add(string full)
            {
                writer.AddTensor(
                    full, state.MemoryOf(parameter), [.. parameter.Spec.Dimensions.Select(dimension => (long)dimension)]);
                tensors++;
            }
        }
        if (normalization is not null)
        {
            foreach ((string key, string value) in WeightImport.ToPairs(normalization))
                writer.AddMetadata(key, value);
        }
        if (included)
        {
            writer.AddTensor($"{prefix}normalize.mean", normalization!.Mean.ToArray(), 1, normalization.Mean.Count, 1, 1);
            writer.AddTensor($"{prefix}normalize.std", normalization.Deviation.ToArray(), 1, normalization.Deviation.Count, 1, 1);
            tensors += 2;
        }
        writer.Save(target);
        return new ExportReport(metadata.Model, style, tensors, mask?.Pruned, normalization, included);
    }

    /// <summary>Reads the network of a weights file, or of a ticket with its mask applied.</summary>
    /// <param name="source">A weights or ticket file of this program.</param>
    /// <returns>What the file says, the network's layers, its values, which may be ordered otherwise, and the ticket's mask; null
    /// for a file without.</returns>
    /// <exception cref="ConfigurationException">There is no such file, or it is another kind of file.</exception>
    /// <exception cref="DamagedFileException">The file is damaged.</exception>
    internal static (ModelFileMetadata Metadata, NetworkGraph Graph, ModelState State, Mask? Mask) Read(string source)
    {
        ModelFileMetadata metadata = WeightFile.ReadMetadata(source) ?? throw new ConfigurationException(
            $"{source} was not written by this program; import it first.");
        if (WeightFile.KindOf(source) != FileKind.Ticket)
        {
            var options = new ModelOptions(metadata.Input, metadata.Classes, metadata.Normalization);
            NetworkGraph graph = ModelCatalog.Build(metadata.Model, options with { Channels = metadata.Channels });
            return (metadata, graph, WeightFile.Load(source, graph).State, null);
        }

        Ticket ticket = TicketFile.Load(source, metadata);
        ModelState state = ticket.Initial;
        ticket.Mask.Apply(state.Weights.AsSpan(0, state.Table.PrunableLength));
        return (metadata, ticket.Network.Graph, state, ticket.Mask);
    }
}
