using System.Text.Json;
using BoostingTicket.Training.Evaluation;
using BoostingTicket.Training.Files;

namespace BoostingTicket.Training.Checkpoints;

/// <summary>An <see cref="AttackState"/> as a safetensors file with a checksum: flags as U8, kept images as F32, the rest as
/// metadata.</summary>
/// <param name="path">The file.</param>
/// <param name="binding">What the state belongs to: a hash of network, data, attacks and settings.</param>
/// <param name="samples">Samples evaluated.</param>
/// <param name="pixels">Values of the images that are kept; 0 for none.</param>
internal sealed class AttackStateFile(string path, string binding, int samples, int pixels) : IAttackStorage
{
    private const string ProgressKey = ModelFileMetadata.Prefix + "evaluation.progress";
    private const string BindingKey = ModelFileMetadata.Prefix + "evaluation.of";
    private const string RobustName = "robust";
    private const string UnfooledName = "unfooled";
    private const string ImagesName = "images";

    /// <inheritdoc/>
    /// <exception cref="ConfigurationException">The file cannot be written there.</exception>
    public void Save(AttackState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        var writer = new SafetensorsWriter()
            .WithMetadata(BindingKey, binding)
            .WithMetadata(ProgressKey, JsonSerializer.Serialize(new Progress(state.Results, state.Warnings, state.Stage)))
            .Add(RobustName, Bytes(state.Robust), samples)
            .Add(UnfooledName, Bytes(state.Unfooled), samples);
        if (pixels > 0)
            writer.Add(ImagesName, state.Images, pixels);
        writer.Save(path);
    }

    /// <inheritdoc/>
    /// <exception cref="ConfigurationException">The state belongs to something else.</exception>
    /// <exception cref="DamagedFileException">The file is damaged.</exception>
    public AttackState? Restore()
    {
        if (!File.Exists(path))
            return null;
        using SafetensorsFile file = SafetensorsFile.Open(path);
        if (file.Metadata.GetValueOrDefault(BindingKey) != binding)
            throw new ConfigurationException(
                $"{path} belongs to an evaluation of other weights, data, attacks or settings; resume with those, or choose "
                + $"another "
                + $"{Setting.Named("out")}.");
        file.RequireExactly(pixels > 0 ? [RobustName, UnfooledName, ImagesName] : [RobustName, UnfooledName]);
        Progress progress = ReadProgress(file);
        if (progress.Stage is { } stage && (stage.Attacked > samples || stage.Next > samples))
            throw Damaged($"its stage is at sample {stage.Next} of {stage.Attacked}, but there are {samples}");
        var state = new AttackState(samples)
        {
            Results = [.. progress.Results],
            Warnings = [.. progress.Warnings],
            Stage = progress.Stage,
        };
        Read(file, RobustName, state.Robust);
        Read(file, UnfooledName, state.Unfooled);
        if (pixels > 0)
        {
            state.Images = new float[pixels];
            file.Read(file.Require(ImagesName, SafetensorsType.F32, pixels), state.Images.AsSpan());
            if (state.Images.Any(pixel => !(pixel is >= 0 and <= 1)))
                throw Damaged("an image has a value outside [0, 1]");
        }
        return state;
    }

    private Progress ReadProgress(SafetensorsFile file)
    {
        try
        {
            return StoredJson.Read<Progress>(file.Metadata[ProgressKey], StoredJson.Embedded);
        }
        catch (Exception cause) when (cause is JsonException or KeyNotFoundException)
        {
            throw new DamagedFileException(
                $"The progress in {path} cannot be read ({StorageErrors.Reason(cause)}); delete the file to start that "
                + $"evaluation "
                + "again.", cause);
        }
    }

    private static byte[] Bytes(bool[] values) => Array.ConvertAll(values, value => value ? (byte)1 : (byte)0);

    private DamagedFileException Damaged(string what) =>
        new($"The progress in {path} cannot be read ({what}); delete the file to start that evaluation again.");

    private void Read(SafetensorsFile file, string name, bool[] values)
    {
        byte[] bytes = new byte[values.Length];
        file.ReadBytes(file.Require(name, SafetensorsType.U8, values.Length), bytes);
        if (bytes.AsSpan().ContainsAnyExcept((byte)0, (byte)1))
            throw Damaged($"'{name}' holds a value other than 0 and 1");
        for (int i = 0; i < bytes.Length; i++)
            values[i] = bytes[i] != 0;
    }

    private sealed record Progress(List<AttackResult> Results, List<string> Warnings, AttackStage? Stage);
}
