using BoostingTicket.Training.Files;

namespace BoostingTicket.Training.Checkpoints;

/// <summary>One tensor of a file.</summary>
/// <param name="Name">Its name in the file.</param>
/// <param name="Type">Type of its elements.</param>
/// <param name="Shape">Its sizes, outermost first.</param>
/// <param name="Length">Elements.</param>
/// <param name="Bytes">Bytes.</param>
/// <param name="Zeros">Elements that are 0; null for types that are not counted.</param>
/// <param name="NonFinite">Elements that are NaN or infinite; null for types that are not counted.</param>
internal sealed record TensorReport(
    string Name, SafetensorsType Type, IReadOnlyList<long> Shape, long Length, long Bytes, long? Zeros, long? NonFinite);

/// <summary>What is left of one tensor of weights.</summary>
/// <param name="Name">Name of the weights.</param>
/// <param name="Total">Weights.</param>
/// <param name="Kept">Weights that the mask keeps; in a file without masks, weights that are not 0.</param>
internal sealed record TensorSparsity(string Name, long Total, long Kept)
{
    /// <summary>Pruned weights out of all, in [0, 1].</summary>
    public double Sparsity => Total == 0 ? 0 : (double)(Total - Kept) / Total;
}

/// <summary>What a safetensors file is and holds.</summary>
/// <param name="Path">The file.</param>
/// <param name="Kind">What it is: as its metadata say, or for a file of somebody else as its tensors look.</param>
/// <param name="IsOwn">Whether this program wrote it.</param>
/// <param name="HasChecksum">Whether it carries a checksum, which then was right.</param>
/// <param name="Bytes">Size of the file.</param>
/// <param name="Model">Name of the model: as the metadata say, or as the tensors' names and shapes tell; null if neither
/// does.</param>
/// <param name="Origin">Where the tensors come from; null for a file of somebody else.</param>
/// <param name="Metadata">All metadata.</param>
/// <param name="Tensors">The tensors in ordinal order of names.</param>
/// <param name="Layers">What is left of each tensor of weights, by the masks if the file has any.</param>
internal sealed record FileReport(
    string Path,
    FileKind Kind,
    bool IsOwn,
    bool HasChecksum,
    long Bytes,
    string? Model,
    ModelFileMetadata? Origin,
    IReadOnlyDictionary<string, string> Metadata,
    IReadOnlyList<TensorReport> Tensors,
    IReadOnlyList<TensorSparsity> Layers)
{
    /// <summary>Channels of the model by group, and how many the network has; empty for a network with all of them.</summary>
    public IReadOnlyList<TensorSparsity> Channels { get; init; } = [];

    /// <summary>Weights of all <see cref="Layers"/>.</summary>
    public long Total => Layers.Sum(layer => layer.Total);

    /// <summary>Kept weights of all <see cref="Layers"/>.</summary>
    public long Kept => Layers.Sum(layer => layer.Kept);

    /// <summary>Pruned weights out of all of <see cref="Layers"/>, in [0, 1].</summary>
    public double Sparsity => Total == 0 ? 0 : (double)(Total - Kept) / Total;

    /// <summary>Elements that are NaN or infinite, in all tensors.</summary>
    public long NonFinite => Tensors.Sum(tensor => tensor.NonFinite ?? 0);
}
