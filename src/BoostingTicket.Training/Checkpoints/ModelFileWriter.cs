using BoostingTicket.Engine.Graph;
using BoostingTicket.Training.Files;
using BoostingTicket.Training.Models;
using BoostingTicket.Training.Pruning;

namespace BoostingTicket.Training.Checkpoints;

/// <summary>Adds a model's tensors to a safetensors file.</summary>
internal static class ModelFileWriter
{
    /// <summary>A file of a kind with its metadata.</summary>
    public static SafetensorsWriter Create(FileKind kind, ModelFileMetadata metadata)
    {
        ArgumentNullException.ThrowIfNull(metadata);
        var writer = new SafetensorsWriter();
        foreach ((string key, string value) in metadata.ToPairs(kind))
            writer.WithMetadata(key, value);
        return writer;
    }

    /// <summary>Adds all parameters and statistics under their PyTorch names.</summary>
    public static SafetensorsWriter Add(this SafetensorsWriter writer, ModelState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        foreach (Parameter parameter in state.Table.All)
            writer.Add(parameter.Name, state.MemoryOf(parameter), Shape(parameter));
        return writer;
    }

    /// <summary>Adds all masks.</summary>
    public static SafetensorsWriter Add(this SafetensorsWriter writer, Mask mask)
    {
        ArgumentNullException.ThrowIfNull(mask);
        foreach (Parameter parameter in mask.Table.Prunable)
            writer.Add(ModelFileReader.MaskPrefix + parameter.Name, mask.MemoryOf(parameter), Shape(parameter));
        return writer;
    }

    /// <summary>Adds which channels are kept, a byte for each channel of the model; nothing where all are.</summary>
    public static SafetensorsWriter Add(this SafetensorsWriter writer, ChannelSelection? channels)
    {
        for (int group = 0; group < (channels?.Groups.All.Count ?? 0); group++)
        {
            byte[] flags = channels!.Flags(group);
            writer.Add(ModelFileReader.ChannelPrefix + channels.Groups.All[group].Name, flags, flags.Length);
        }

        return writer;
    }

    private static long[] Shape(Parameter parameter) => [.. parameter.Spec.Dimensions.Select(dimension => (long)dimension)];
}
