using System.Text.Json;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Graph;
using BoostingTicket.Engine.Plans;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Training.Files;
using BoostingTicket.Training.Models;
using BoostingTicket.Training.Optimization;
using BoostingTicket.Training.Pruning;

namespace BoostingTicket.Training.Checkpoints;

/// <summary>A training that can be continued with the same bits: weights, running statistics, momenta and masks by name, what
/// else method, average and rule keep, and the <see cref="TrainingState"/> as metadata, in one safetensors file.</summary>
internal static class TrainingCheckpoint
{
    /// <summary>How the names of momenta begin.</summary>
    internal const string MomentumPrefix = "momentum.";

    /// <summary>How the names begin of what is kept besides.</summary>
    private const string KeptPrefix = "kept.";

    private const string Remedy = "delete the file to start that stage again";

    private const string StateKey = ModelFileMetadata.Prefix + "state";

    /// <summary>Writes a checkpoint whole or not at all.</summary>
    /// <param name="path">The file.</param>
    /// <param name="network">Weights, statistics, momenta and masks.</param>
    /// <param name="state">Everything else.</param>
    /// <param name="metadata">Where it comes from, the configuration's hash among it.</param>
    public static void Save(string path, Network network, TrainingState state, ModelFileMetadata metadata)
    {
        ArgumentNullException.ThrowIfNull(network);
        ParameterStore store = network.Parameters;
        float[] momenta = Download(network.Backend, store.Momenta);
        SafetensorsWriter writer = ModelFileWriter.Create(FileKind.Checkpoint, metadata)
            .WithMetadata(StateKey, JsonSerializer.Serialize(state))
            .Add(ModelState.Capture(store, network.Backend));
        foreach (Parameter parameter in store.Table.Trained)
            writer.Add(
                MomentumPrefix + parameter.Name, momenta.AsMemory(parameter.Offset, parameter.Length), Shape(parameter));
        if (store.Masks is { } masks)
        {
            byte[] kept = Array.ConvertAll(Download(network.Backend, masks), value => value != 0 ? (byte)1 : (byte)0);
            writer.Add(Mask.FromValues(store.Table, kept));
        }
        foreach ((string name, float[] values) in state.KeptValues)
            writer.Add(KeptPrefix + name, values, values.Length);
        foreach ((string name, byte[] bytes) in state.KeptBytes)
            writer.Add(KeptPrefix + name, bytes, bytes.Length);
        writer.Save(path);
    }

    /// <summary>Restores a network and returns the state.</summary>
    /// <exception cref="DamagedFileException">The file is damaged or belongs to another model.</exception>
    /// <exception cref="ConfigurationException">It is no checkpoint, or belongs to another configuration.</exception>
    public static TrainingState Load(string path, Network network, string configurationHash)
    {
        ArgumentNullException.ThrowIfNull(network);
        using SafetensorsFile file = SafetensorsFile.Open(path);
        if (ModelFileMetadata.KindOf(file.Metadata, path) != FileKind.Checkpoint)
            throw new ConfigurationException(
                $"{path} is not a checkpoint of this program; delete it to start that stage again, or choose another "
                + $"{Setting.Named("out")}.");
        if (ModelFileMetadata.FromPairs(file.Metadata, path)?.ConfigurationHash != configurationHash)
            throw new ConfigurationException(
                $"{path} belongs to another configuration; resume with the settings of that run, or choose another "
                + $"{Setting.Named("out")}.");
        ParameterStore store = network.Parameters;
        bool masked = file.Tensors.Any(tensor => tensor.Name.StartsWith(ModelFileReader.MaskPrefix, StringComparison.Ordinal));
        SafetensorsEntry[] kept = [.. file.Tensors.Where(tensor => tensor.Name.StartsWith(KeptPrefix, StringComparison.Ordinal))];
        file.RequireExactly([.. Names(store.Table, masked), .. kept.Select(tensor => tensor.Name)]);

        float[] weights = new float[store.Table.TrainedLength], momenta = new float[store.Table.TrainedLength];
        float[] statistics = new float[store.Table.StatisticsLength], masks = new float[store.Table.PrunableLength];
        foreach (Parameter parameter in store.Table.All)
        {
            bool trained = parameter.Section == ParameterSection.Trained;
            Read(file, parameter.Name, parameter, trained ? weights : statistics);
            ModelFileReader.RequireValues(
                parameter, (trained ? weights : statistics).AsSpan(parameter.Offset, parameter.Length), parameter.Name, path);
            if (trained)
            {
                Read(file, MomentumPrefix + parameter.Name, parameter, momenta);
                RequireFinite(file, MomentumPrefix + parameter.Name, momenta.AsSpan(parameter.Offset, parameter.Length));
            }
            if (masked && parameter.Prunable)
                ReadMask(file, parameter, masks);
        }
        TrainingState state = ReadState(path, file);
        foreach (SafetensorsEntry entry in kept)
            ReadKept(file, entry, state);
        network.Backend.Upload(weights, store.Weights.All);
        network.Backend.Upload(statistics, store.Statistics.All);
        network.Backend.Upload(momenta, store.Momenta.All);
        store.SetMasks(masked ? masks : null);
        store.WeightsChanged();
        store.StatisticsChanged();
        return state;
    }

    private static TrainingState ReadState(string path, SafetensorsFile file)
    {
        try
        {
            return StoredJson.Read<TrainingState>(file.Metadata[StateKey], StoredJson.Embedded);
        }
        catch (Exception cause) when (cause is JsonException or KeyNotFoundException)
        {
            throw new DamagedFileException(
                $"The training state in {path} cannot be read ({StorageErrors.Reason(cause)}); {Remedy}.", cause);
        }
    }

    private static void ReadKept(SafetensorsFile file, SafetensorsEntry entry, TrainingState state)
    {
        string name = entry.Name[KeptPrefix.Length..];
        if (entry.Type == SafetensorsType.U8)
            file.ReadBytes(entry, state.KeptBytes[name] = new byte[entry.Length]);
        else if (entry.Type == SafetensorsType.F32)
            RequireFinite(file, entry.Name, state.KeptValues[name] = Values(file, entry));
        else
            throw new DamagedFileException(
                $"Tensor '{entry.Name}' of {file.Path} is {entry.Description}, which no training keeps; {Remedy}.");
    }

    private static IEnumerable<string> Names(ParameterTable table, bool masked)
    {
        foreach (Parameter parameter in table.All)
        {
            yield return parameter.Name;
            if (parameter.Section == ParameterSection.Trained)
                yield return MomentumPrefix + parameter.Name;
            if (masked && parameter.Prunable)
                yield return ModelFileReader.MaskPrefix + parameter.Name;
        }
    }

    private static void Read(SafetensorsFile file, string name, Parameter parameter, float[] values) =>
        file.Read(
            file.Require(name, SafetensorsType.F32, Shape(parameter)), values.AsSpan(parameter.Offset, parameter.Length));

    private static void ReadMask(SafetensorsFile file, Parameter parameter, float[] masks)
    {
        byte[] bytes = new byte[parameter.Length];
        file.ReadBytes(file.Require(ModelFileReader.MaskPrefix + parameter.Name, SafetensorsType.U8, Shape(parameter)), bytes);
        if (bytes.AsSpan().ContainsAnyExcept((byte)0, (byte)1))
            throw new DamagedFileException(
                $"The mask of '{parameter.Name}' in {file.Path} holds a value other than 0 and 1; {Remedy}.");
        for (int i = 0; i < bytes.Length; i++)
            masks[parameter.Offset + i] = bytes[i];
    }

    private static float[] Values(SafetensorsFile file, SafetensorsEntry entry)
    {
        float[] values = new float[entry.Length];
        file.Read(entry, values.AsSpan());
        return values;
    }

    private static void RequireFinite(SafetensorsFile file, string name, ReadOnlySpan<float> values)
    {
        foreach (float value in values)
        {
            if (!float.IsFinite(value))
                throw new DamagedFileException(
                    $"Tensor '{name}' of {file.Path} holds a value that is not a finite number; {Remedy}.");
        }
    }

    private static long[] Shape(Parameter parameter) => [.. parameter.Spec.Dimensions.Select(dimension => (long)dimension)];

    private static float[] Download(IBackend backend, FloatBuffer buffer)
    {
        float[] values = new float[buffer.Length];
        backend.Download(buffer.All, values);
        return values;
    }
}
