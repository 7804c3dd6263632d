using System.Runtime.InteropServices;
using BoostingTicket.Engine.Graph;
using BoostingTicket.Training.Files;
using BoostingTicket.Training.Models;

namespace BoostingTicket.Training.Tests.Checkpoints;

/// <summary>Files as PyTorch programs write them.</summary>
internal static class ForeignFile
{
    /// <summary>Writes a state under other names.</summary>
    /// <param name="path">The file.</param>
    /// <param name="state">Weights and statistics.</param>
    /// <param name="name">The name of each tensor there; null leaves it out.</param>
    /// <param name="type">The number format.</param>
    /// <param name="extra">Adds tensors.</param>
    public static void Write(
        string path, ModelState state, Func<string, string?> name, SafetensorsType type = SafetensorsType.F32,
        Action<SafetensorsWriter>? extra = null)
    {
        var writer = new SafetensorsWriter { Checksum = false };
        foreach (Parameter parameter in state.Table.All)
        {
            if (name(parameter.Name) is { } theirs)
                writer.AddBytes(theirs, type, Bytes(
                    state[parameter], type), [.. parameter.Spec.Dimensions.Select(dimension => (long)dimension)]);
        }
        extra?.Invoke(writer);
        writer.WithMetadata("format", "pt").Save(path);
    }

    /// <summary>A counter behind every normalisation, as PyTorch keeps them.</summary>
    public static void AddCounters(SafetensorsWriter writer, ModelState state, Func<string, string?> name)
    {
        foreach (Parameter mean in state.Table.All.Where(parameter => parameter.Role == ParameterRole.RunningMean))
            writer.Add(
                name(mean.Name)!.Replace("running_mean", "num_batches_tracked", StringComparison.Ordinal), new long[] { 78_200 });
    }

    /// <summary>Rounds a state's values to a format.</summary>
    public static ModelState Round(ModelState state, SafetensorsType type)
    {
        ModelState rounded = state.Clone();
        foreach (float[] values in new[] { rounded.Weights, rounded.Statistics })
        {
            for (int i = 0; i < values.Length; i++)
            {
                values[i] = type switch
                {
                    SafetensorsType.F16 => (float)(Half)values[i],
                    SafetensorsType.BF16 =>
                        BitConverter.UInt32BitsToSingle(BitConverter.SingleToUInt32Bits(values[i]) & 0xFFFF0000),
                    _ => values[i],
                };
            }
        }
        return rounded;
    }

    private static byte[] Bytes(ReadOnlySpan<float> values, SafetensorsType type) => type switch
    {
        SafetensorsType.F32 => MemoryMarshal.AsBytes(values).ToArray(),
        SafetensorsType.F64 =>
            MemoryMarshal.AsBytes<double>(Array.ConvertAll(values.ToArray(), value => (double)value)).ToArray(),
        SafetensorsType.F16 => MemoryMarshal.AsBytes<Half>(Array.ConvertAll(values.ToArray(), value => (Half)value)).ToArray(),
        SafetensorsType.BF16 => MemoryMarshal.AsBytes<ushort>(
            Array.ConvertAll(values.ToArray(), value => (ushort)(BitConverter.SingleToUInt32Bits(value) >> 16))).ToArray(),
        _ => throw new ArgumentOutOfRangeException(nameof(type)),
    };
}
