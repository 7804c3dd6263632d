using BoostingTicket.Engine.Graph;
using BoostingTicket.Training.Files;

namespace BoostingTicket.Training.Checkpoints;

/// <summary>Tells what a safetensors file is, of this project or of anybody else's.</summary>
internal static class FileInspector
{
    private const int ChunkLength = 1 << 20;

    /// <summary>Reads a whole file and describes it.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="ConfigurationException">There is no such file, it cannot be read, or a later version wrote
    /// it.</exception>
    /// <exception cref="DamagedFileException">It is not a safetensors file, or it is damaged.</exception>
    public static FileReport Inspect(string path)
    {
        using SafetensorsFile file = SafetensorsFile.Open(path);
        FileKind kind = ModelFileMetadata.KindOf(file.Metadata, path);
        ModelFileMetadata? origin = ModelFileMetadata.FromPairs(file.Metadata, path);
        TensorReport[] tensors = [.. file.Tensors.OrderBy(entry => entry.Name, StringComparer.Ordinal).Select(entry => Describe(
            file, entry))];
        var pruned = new PrunedTensors(file);
        Dictionary<string, string> masks = MasksOf(tensors, pruned);
        return new FileReport(
            path,
            kind == FileKind.Other ? Guess(tensors, masks) : kind,
            file.Metadata.ContainsKey(ModelFileMetadata.KindKey),
            file.Metadata.ContainsKey(SafetensorsChecksum.Key),
            new FileInfo(path).Length,
            origin?.Model ?? Recognize(pruned.Shapes, masks),
            origin,
            file.Metadata,
            tensors,
            Layers(tensors, masks, kind))
        {
            Channels = origin?.Channels is null ? [] : Channels(path, origin),
        };
    }

    private static TensorSparsity[] Channels(string path, ModelFileMetadata origin)
    {
        NetworkGraph full = SavedModel.Build(path, origin with { Channels = null });
        NetworkGraph narrow = origin.Narrow(full, path);
        return
        [
            .. ChannelGroups.Of(full).All.Zip(ChannelGroups.Of(narrow).All, (whole, kept) =>
                new TensorSparsity(whole.Name, whole.Channels, kept.Channels)),
        ];
    }

    private static TensorReport Describe(SafetensorsFile file, SafetensorsEntry entry)
    {
        (long? zeros, long? nonFinite) = entry.Type switch
        {
            SafetensorsType.F32 or SafetensorsType.F64 or SafetensorsType.F16 or SafetensorsType.BF16 => CountFloats(file, entry),
            SafetensorsType.U8 or SafetensorsType.Bool => (CountZeroBytes(file, entry), 0),
            _ => default((long?, long?)),
        };
        return new TensorReport(entry.Name, entry.Type, entry.Shape, entry.Length, entry.ByteLength, zeros, nonFinite);
    }

    private static (long Zeros, long NonFinite) CountFloats(SafetensorsFile file, SafetensorsEntry entry)
    {
        long zeros = 0, nonFinite = 0;
        float[] values = new float[Math.Min(ChunkLength, entry.Length)];
        foreach (SafetensorsEntry part in Parts(entry))
        {
            Span<float> chunk = values.AsSpan(0, (int)part.Length);
            file.ReadSingles(part, chunk);
            foreach (float value in chunk)
            {
                zeros += value == 0 ? 1 : 0;
                nonFinite += float.IsFinite(value) ? 0 : 1;
            }
        }

        return (zeros, nonFinite);
    }

    private static long CountZeroBytes(SafetensorsFile file, SafetensorsEntry entry)
    {
        long zeros = 0;
        byte[] values = new byte[Math.Min(ChunkLength, entry.Length)];
        foreach (SafetensorsEntry part in Parts(entry))
        {
            Span<byte> chunk = values.AsSpan(0, (int)part.Length);
            file.ReadBytes(part, chunk);
            zeros += chunk.Count((byte)0);
        }

        return zeros;
    }

    // Tensors may be larger than memory allows for at once.
    private static IEnumerable<SafetensorsEntry> Parts(SafetensorsEntry entry)
    {
        long step = (long)ChunkLength * entry.Type.Size();
        for (long begin = entry.Begin; begin < entry.End; begin += step)
            yield return entry with { Begin = begin, End = Math.Min(entry.End, begin + step) };
    }

    // The weight that each mask is of, by the mask's name.
    private static Dictionary<string, string> MasksOf(TensorReport[] tensors, PrunedTensors pruned)
    {
        var masks = pruned.Masks.ToDictionary(pair => pair.Mask, pair => pair.Name, StringComparer.Ordinal);
        foreach (TensorReport tensor in tensors)
        {
            if (tensor.Name.StartsWith(ModelFileReader.MaskPrefix, StringComparison.Ordinal)
                && tensor.Type is SafetensorsType.U8 or SafetensorsType.Bool)
                masks.TryAdd(tensor.Name, tensor.Name[ModelFileReader.MaskPrefix.Length..]);
        }

        return masks;
    }

    private static FileKind Guess(TensorReport[] tensors, Dictionary<string, string> masks)
    {
        bool weights = tensors.Any(tensor => !masks.ContainsKey(tensor.Name)
            && tensor.Type is SafetensorsType.F32 or SafetensorsType.F64 or SafetensorsType.F16 or SafetensorsType.BF16);
        return (masks.Count > 0, weights) switch
        {
            (true, true) => FileKind.Ticket,
            (true, false) => FileKind.Mask,
            (false, true) => FileKind.Weights,
            _ => FileKind.Other,
        };
    }

    private static string? Recognize(IReadOnlyDictionary<string, IReadOnlyList<long>> shapes, Dictionary<string, string> masks)
    {
        Dictionary<string, IReadOnlyList<long>> weights =
            shapes.Where(pair => !masks.ContainsKey(pair.Key)).ToDictionary(StringComparer.Ordinal);
        return weights.Count == 0 ? null : PyTorchNames.Recognize(weights);
    }

    private static TensorSparsity[] Layers(TensorReport[] tensors, Dictionary<string, string> masks, FileKind kind) =>
    [
        .. from tensor in tensors
           where tensor.Zeros is not null
               && !(kind == FileKind.Checkpoint
                   && tensor.Name.StartsWith(TrainingCheckpoint.MomentumPrefix, StringComparison.Ordinal))
           where masks.Count > 0 ? masks.ContainsKey(tensor.Name) : tensor.Shape.Count >= 2
           select new TensorSparsity(
               masks.GetValueOrDefault(tensor.Name, tensor.Name), tensor.Length, tensor.Length - tensor.Zeros!.Value),
    ];
}
