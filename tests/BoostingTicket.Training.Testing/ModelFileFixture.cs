using BoostingTicket.Engine.Graph;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Training.Checkpoints;
using BoostingTicket.Training.Files;
using BoostingTicket.Training.Models;
using BoostingTicket.Training.Pruning;

namespace BoostingTicket.Training.Testing;

/// <summary>A small model with a state and a mask, and ways to spoil its files.</summary>
internal static class ModelFileFixture
{
    public static NetworkGraph Graph { get; } = ModelCatalog.Build("resnet18-w2", new ModelOptions(new FeatureShape(3, 32, 32)));

    public static ModelState State { get; } = Initialization.Draw(Graph.Table, seed: 4);

    public static Mask Mask { get; } = new GlobalMagnitude().Prune(State, new PruningOptions(0.8)).Mask;

    public static ModelFileMetadata Metadata { get; } = ModelFileMetadata.Of(Graph, InputNormalizationConstants.Cifar10) with
    {
        Preset = "quick",
        Seed = ulong.MaxValue,
        ConfigurationHash = "0123abcd",
        PruningRatio = 0.8,
        PruningScope = "global",
    };

    /// <summary>Copies a safetensors file, with some of its tensors left out, changed or added.</summary>
    /// <param name="source">The file.</param>
    /// <param name="target">The copy.</param>
    /// <param name="name">The new name of a tensor; null leaves it out. All keep theirs by default.</param>
    /// <param name="bytes">The new type, shape and bytes of a tensor.</param>
    /// <param name="metadata">The new value of a metadata pair; null leaves it out.</param>
    /// <param name="extra">Adds tensors.</param>
    public static void Copy(
        string source,
        string target,
        Func<string, string?>? name = null,
        Func<string, (SafetensorsType, long[], byte[]), (SafetensorsType, long[], byte[])>? bytes = null,
        Func<string, string, string?>? metadata = null,
        Action<SafetensorsWriter>? extra = null)
    {
        using SafetensorsFile file = SafetensorsFile.Open(source);
        var writer = new SafetensorsWriter();
        foreach ((string key, string value) in file.Metadata)
        {
            string? changed = metadata is null ? value : metadata(key, value);
            if (changed is not null && key != "boosting-ticket.sha256")
                writer.WithMetadata(key, changed);
        }

        foreach (SafetensorsEntry entry in file.Tensors)
        {
            byte[] content = new byte[entry.ByteLength];
            file.ReadBytes(entry, content);
            (SafetensorsType type, long[] shape, byte[] changed) = (entry.Type, [.. entry.Shape], content);
            if (bytes is not null)
                (type, shape, changed) = bytes(entry.Name, (type, shape, changed));
            if ((name is null ? entry.Name : name(entry.Name)) is { } newName)
                writer.AddBytes(newName, type, changed, shape);
        }

        extra?.Invoke(writer);
        writer.Save(target);
    }
}
