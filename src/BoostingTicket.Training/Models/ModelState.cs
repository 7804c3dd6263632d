using System.Runtime.InteropServices;
using System.Security.Cryptography;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Graph;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Training.Models;

/// <summary>The values of a model's parameters and running statistics in host memory: initial values to come back to, trained
/// weights on their way to a file. Laid out as <see cref="ParameterStore"/> is.</summary>
internal sealed class ModelState
{
    /// <summary>A state of zeros.</summary>
    public ModelState(ParameterTable table)
    {
        ArgumentNullException.ThrowIfNull(table);
        Table = table;
        Weights = new float[table.TrainedLength];
        Statistics = new float[table.StatisticsLength];
    }

    /// <summary>Names, shapes and places.</summary>
    public ParameterTable Table { get; }

    /// <summary>Trained parameters, the prunable ones first.</summary>
    public float[] Weights { get; }

    /// <summary>Running statistics.</summary>
    public float[] Statistics { get; }

    /// <summary>The prunable weights, in the order of masks.</summary>
    public ReadOnlySpan<float> PrunableWeights => Weights.AsSpan(0, Table.PrunableLength);

    /// <summary>The values of one parameter or statistic, in PyTorch's order; writable.</summary>
    public Span<float> this[Parameter parameter] => MemoryOf(parameter).Span;

    /// <summary>The values of the parameter or statistic of a full name; writable.</summary>
    /// <exception cref="KeyNotFoundException">There is none.</exception>
    public Span<float> this[string name] => this[Table[name]];

    /// <summary>The values of one parameter or statistic; writable.</summary>
    public Memory<float> MemoryOf(Parameter parameter)
    {
        ArgumentNullException.ThrowIfNull(parameter);
        float[] section = parameter.Section == ParameterSection.Trained ? Weights : Statistics;
        return section.AsMemory(parameter.Offset, parameter.Length);
    }

    /// <summary>Reads a network's weights and statistics.</summary>
    /// <param name="store">The network's parameters.</param>
    /// <param name="backend">The backend they are on.</param>
    public static ModelState Capture(ParameterStore store, IBackend backend)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(backend);
        var state = new ModelState(store.Table);
        backend.Download(store.Weights.All, state.Weights);
        if (state.Statistics.Length > 0)
            backend.Download(store.Statistics.All, state.Statistics);
        return state;
    }

    /// <summary>Writes weights and statistics into a network, whose masks are applied to the weights.</summary>
    /// <param name="store">The network's parameters, of the same model.</param>
    /// <param name="backend">The backend they are on.</param>
    /// <exception cref="ArgumentException">The network is another model.</exception>
    public void CopyTo(ParameterStore store, IBackend backend)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(backend);
        if (store.Table.TrainedLength != Weights.Length || store.Table.StatisticsLength != Statistics.Length)
            throw new ArgumentException("the network is another model", nameof(store));
        backend.Upload(Weights, store.Weights.All);
        if (store.Masks is { } masks)
            backend.ApplyMask(masks.All, new BufferSlice(store.Weights, 0, Table.PrunableLength));
        store.WeightsChanged();
        if (Statistics.Length > 0)
            backend.Upload(Statistics, store.Statistics.All);
        store.StatisticsChanged();
    }

    /// <summary>A state of the same values in memory of its own.</summary>
    public ModelState Clone()
    {
        var copy = new ModelState(Table);
        Weights.CopyTo(copy.Weights, 0);
        Statistics.CopyTo(copy.Statistics, 0);
        return copy;
    }

    /// <summary>Whether all values are the same, bit for bit.</summary>
    public bool ContentEquals(ModelState other)
    {
        ArgumentNullException.ThrowIfNull(other);
        return BitsEqual(Weights, other.Weights) && BitsEqual(Statistics, other.Statistics);
    }

    /// <summary>SHA-256 of all values, lower-case hexadecimal: two runs that agree in it agree bit for bit.</summary>
    public string ContentHash()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(MemoryMarshal.AsBytes<float>(Weights));
        hash.AppendData(MemoryMarshal.AsBytes<float>(Statistics));
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static bool BitsEqual(ReadOnlySpan<float> a, ReadOnlySpan<float> b) =>
        MemoryMarshal.AsBytes(a).SequenceEqual(MemoryMarshal.AsBytes(b));
}
