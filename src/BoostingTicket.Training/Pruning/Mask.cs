using System.Globalization;
using System.Security.Cryptography;
using BoostingTicket.Engine.Graph;
using BoostingTicket.Training.Models;

namespace BoostingTicket.Training.Pruning;

/// <summary>Which prunable weights of a model are kept: a byte for each, 1 kept and 0 pruned, in the order of the flat buffer.
/// Never changes.</summary>
internal sealed class Mask : IEquatable<Mask>
{
    private readonly byte[] _values;

    /// <summary>Takes over an array that nobody else writes.</summary>
    internal Mask(ParameterTable table, byte[] values)
    {
        if (values.Length != table.PrunableLength)
            throw new ArgumentException(
                $"the model has {table.PrunableLength} prunable weights, the mask {values.Length}", nameof(values));
        if (values.AsSpan().ContainsAnyExcept((byte)0, (byte)1))
            throw new ArgumentException("a mask holds a value other than 0 and 1", nameof(values));
        Table = table;
        _values = values;
        Kept = values.AsSpan().Count((byte)1);
    }

    /// <summary>The parameters that the mask is for.</summary>
    public ParameterTable Table { get; }

    /// <summary>A 1 or 0 for each prunable weight.</summary>
    public ReadOnlySpan<byte> Values => _values;

    /// <summary>Prunable weights.</summary>
    public int Length => _values.Length;

    /// <summary>Weights that are kept.</summary>
    public int Kept { get; }

    /// <summary>Weights that are pruned.</summary>
    public int Pruned => Length - Kept;

    /// <summary>Pruned weights out of all prunable ones, in [0, 1].</summary>
    public double Sparsity => Length == 0 ? 0 : (double)Pruned / Length;

    /// <summary>Multiply-adds of one sample's forward pass that belong to kept weights, those that cannot be pruned
    /// included.</summary>
    public long MultiplyAdds => Table.All.Sum(parameter =>
        parameter.Prunable ? (long)this[parameter].Count((byte)1) * parameter.Spec.Uses
        : parameter.Role is ParameterRole.ConvolutionWeight or ParameterRole.LinearWeight
            ? (long)parameter.Length * parameter.Spec.Uses
            : 0);

    /// <summary>The part of one prunable parameter, in the order of its weights.</summary>
    /// <exception cref="ArgumentException">The parameter is not prunable.</exception>
    public ReadOnlySpan<byte> this[Parameter parameter] => MemoryOf(parameter).Span;

    /// <summary>The part of one prunable parameter by its full name.</summary>
    /// <exception cref="KeyNotFoundException">There is no such parameter.</exception>
    /// <exception cref="ArgumentException">The parameter is not prunable.</exception>
    public ReadOnlySpan<byte> this[string name] => this[Table[name]];

    /// <summary>A mask that keeps everything.</summary>
    public static Mask Dense(ParameterTable table)
    {
        ArgumentNullException.ThrowIfNull(table);
        byte[] values = new byte[table.PrunableLength];
        values.AsSpan().Fill(1);
        return new Mask(table, values);
    }

    /// <summary>A mask of given values, which are copied.</summary>
    /// <param name="table">The parameters it is for.</param>
    /// <param name="values">A 1 or 0 for each prunable weight.</param>
    /// <exception cref="ArgumentException">The length is wrong, or a value is neither 0 nor 1.</exception>
    public static Mask FromValues(ParameterTable table, ReadOnlySpan<byte> values)
    {
        ArgumentNullException.ThrowIfNull(table);
        return new Mask(table, values.ToArray());
    }

    /// <summary>A mask that prunes what is exactly zero: what is left of the mask that a network was trained under, where only
    /// its weights are known.</summary>
    /// <param name="trained">The network; finite or not.</param>
    public static Mask OfNonZero(ModelState trained)
    {
        ArgumentNullException.ThrowIfNull(trained);
        ReadOnlySpan<float> weights = trained.PrunableWeights;
        byte[] values = new byte[weights.Length];
        for (int i = 0; i < values.Length; i++)
            values[i] = weights[i] == 0 ? (byte)0 : (byte)1;
        return new Mask(trained.Table, values);
    }

    /// <summary>Whether two models' prunable parameters agree in names, shapes and places, so that masks of one fit the
    /// other.</summary>
    public static bool SameLayout(ParameterTable a, ParameterTable b)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        return ReferenceEquals(a, b) || a.Prunable.Select(Layout).SequenceEqual(b.Prunable.Select(Layout));

        static (string, int, string) Layout(Parameter parameter) =>
            (parameter.Name, parameter.Offset, string.Join(',', parameter.Spec.Dimensions));
    }

    /// <summary>The part of one prunable parameter.</summary>
    /// <exception cref="ArgumentException">The parameter is not prunable.</exception>
    public ReadOnlyMemory<byte> MemoryOf(Parameter parameter)
    {
        ArgumentNullException.ThrowIfNull(parameter);
        if (!parameter.Prunable)
            throw new ArgumentException($"{parameter.Name} is not prunable", nameof(parameter));
        return _values.AsMemory(parameter.Offset, parameter.Length);
    }

    /// <summary>The values as <see cref="ParameterStore.SetMasks"/> takes them.</summary>
    public float[] ToFloats() => Array.ConvertAll(_values, value => (float)value);

    /// <summary>Sets the pruned ones of a model's prunable weights to 0.</summary>
    /// <param name="weights">At least <see cref="Length"/> values, the prunable ones first.</param>
    public void Apply(Span<float> weights)
    {
        for (int i = 0; i < _values.Length; i++)
        {
            if (_values[i] == 0)
                weights[i] = 0;
        }
    }

    /// <summary>Weights that one of two masks keeps and the other prunes.</summary>
    /// <exception cref="ArgumentException">The masks are of different models.</exception>
    public int HammingDistance(Mask other)
    {
        CheckComparable(other);
        int distance = 0;
        for (int i = 0; i < _values.Length; i++)
            distance += _values[i] ^ other._values[i];
        return distance;
    }

    /// <summary>Whether every weight that this mask keeps is kept by the other too.</summary>
    /// <exception cref="ArgumentException">The masks are of different models.</exception>
    public bool IsSubsetOf(Mask other)
    {
        CheckComparable(other);
        for (int i = 0; i < _values.Length; i++)
        {
            if (_values[i] > other._values[i])
                return false;
        }

        return true;
    }

    /// <summary>Makes sure that the mask leaves something to train.</summary>
    /// <param name="what">What prunes, as the beginning of a sentence.</param>
    /// <param name="remedy">What to give instead.</param>
    /// <exception cref="ConfigurationException">It keeps nothing.</exception>
    public void RequireSomeKept(string what, string remedy)
    {
        if (Kept == 0 && Length > 0)
            throw new ConfigurationException(string.Create(
                CultureInfo.InvariantCulture,
                $"{what} keeps none of the {Length:N0} weights, so that nothing is left to train; give {remedy}."));
    }

    /// <summary>SHA-256 of the values, lower-case hexadecimal.</summary>
    public string ContentHash() => Convert.ToHexStringLower(SHA256.HashData(_values));

    /// <inheritdoc/>
    public bool Equals(Mask? other) =>
        other is not null && Kept == other.Kept && SameLayout(Table, other.Table) && Values.SequenceEqual(other.Values);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as Mask);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = new HashCode();
        hash.AddBytes(Values);
        return hash.ToHashCode();
    }

    private void CheckComparable(Mask other)
    {
        ArgumentNullException.ThrowIfNull(other);
        if (!SameLayout(Table, other.Table))
            throw new ArgumentException("the masks are of different models", nameof(other));
    }
}
