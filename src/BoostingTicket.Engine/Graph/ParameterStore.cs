using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Graph;

/// <summary>The values of a graph's parameters on a backend: one flat buffer each for weights, running statistics,
/// gradients, momenta and masks. Whoever changes weights or masks says so, so that plans prepare their filters again.</summary>
internal sealed class ParameterStore : IDisposable
{
    private readonly IBackend _backend;
    private readonly Dictionary<string, double> _keptShares = [];
    private FloatBuffer? _gradients;
    private FloatBuffer? _gradientSums;
    private FloatBuffer? _momenta;
    private FloatBuffer? _masks;

    /// <summary>Zeros for every parameter; <c>Training</c> initialises them.</summary>
    public ParameterStore(ParameterTable table, IBackend backend)
    {
        ArgumentNullException.ThrowIfNull(table);
        ArgumentNullException.ThrowIfNull(backend);
        Table = table;
        _backend = backend;
        Weights = backend.CreateFloats(table.TrainedLength);
        Statistics = backend.CreateFloats(table.StatisticsLength);
    }

    /// <summary>Names, shapes and places.</summary>
    public ParameterTable Table { get; }

    /// <summary>Trained parameters.</summary>
    public FloatBuffer Weights { get; }

    /// <summary>Running statistics.</summary>
    public FloatBuffer Statistics { get; }

    /// <summary>Gradients of the trained parameters; made when first asked for.</summary>
    public FloatBuffer Gradients => _gradients ??= _backend.CreateFloats(Table.TrainedLength);

    /// <summary>Sums of gradients over several backward passes; made when first asked for.</summary>
    public FloatBuffer GradientSums => _gradientSums ??= _backend.CreateFloats(Table.TrainedLength);

    /// <summary>Momenta of the trained parameters; made, as zeros, when first asked for.</summary>
    public FloatBuffer Momenta => _momenta ??= _backend.CreateFloats(Table.TrainedLength);

    /// <summary>1 for kept and 0 for pruned, for the prunable values (the first of <see cref="Weights"/>); null while
    /// nothing is pruned.</summary>
    public FloatBuffer? Masks => _masks;

    /// <summary>Changes whenever weights do.</summary>
    public int WeightsVersion { get; private set; }

    /// <summary>Changes whenever running statistics do.</summary>
    public int StatisticsVersion { get; private set; }

    /// <summary>Changes whenever masks do.</summary>
    public int MaskVersion { get; private set; }

    /// <summary>Says that <see cref="Weights"/> were changed.</summary>
    public void WeightsChanged() => WeightsVersion++;

    /// <summary>Says that <see cref="Statistics"/> were changed.</summary>
    public void StatisticsChanged() => StatisticsVersion++;

    /// <summary>Sets the masks and zeroes the pruned weights and momenta; null removes all masks.</summary>
    /// <param name="masks">A 1 or 0 for each prunable value, in the order of the flat buffer.</param>
    /// <exception cref="ArgumentException">The length is not <see cref="ParameterTable.PrunableLength"/>, or a value is
    /// neither 0 nor 1.</exception>
    public void SetMasks(float[]? masks)
    {
        _keptShares.Clear();
        if (masks is not null)
        {
            if (masks.Length != Table.PrunableLength)
                throw new ArgumentException($"The model has {Table.PrunableLength} prunable weights, the mask {masks.Length}.");
            if (masks.AsSpan().ContainsAnyExcept(0f, 1f))
                throw new ArgumentException("A mask holds a value other than 0 and 1.");
            foreach (Parameter parameter in Table.Prunable)
            {
                int kept = parameter.Length - masks.AsSpan(parameter.Offset, parameter.Length).Count(0f);
                _keptShares[parameter.Name] = (double)kept / parameter.Length;
            }

            _masks ??= _backend.CreateFloats(Table.PrunableLength);
            _backend.Upload(masks, _masks.All);
            _backend.ApplyMask(_masks.All, new BufferSlice(Weights, 0, Table.PrunableLength));
            if (_momenta is not null)
                _backend.ApplyMask(_masks.All, new BufferSlice(_momenta, 0, Table.PrunableLength));
        }
        else
        {
            _masks?.Dispose();
            _masks = null;
        }
        MaskVersion++;
        WeightsChanged();
    }

    /// <summary>Share of a layer's weights that its mask keeps; 1 while nothing is pruned and for layers without.</summary>
    /// <param name="layer">Name of the layer.</param>
    public double KeptShare(string layer) => _keptShares.GetValueOrDefault($"{layer}.weight", 1);

    /// <summary>A parameter's place in <see cref="Weights"/> or <see cref="Statistics"/>.</summary>
    public BufferSlice Slice(Parameter parameter)
    {
        ArgumentNullException.ThrowIfNull(parameter);
        FloatBuffer buffer = parameter.Section == ParameterSection.Trained ? Weights : Statistics;
        return new BufferSlice(buffer, parameter.Offset, parameter.Length);
    }

    /// <summary>A trained parameter's place in <see cref="Gradients"/>.</summary>
    public BufferSlice GradientSlice(Parameter parameter) => new(Gradients, parameter.Offset, parameter.Length);

    /// <summary>A prunable parameter's place in <see cref="Masks"/>, or null while nothing is pruned or for others.</summary>
    public BufferSlice? MaskSlice(Parameter parameter) => _masks is not null && parameter.Prunable
        ? new BufferSlice(_masks, parameter.Offset, parameter.Length)
        : null;

    /// <inheritdoc/>
    public void Dispose()
    {
        Weights.Dispose();
        Statistics.Dispose();
        _gradients?.Dispose();
        _gradientSums?.Dispose();
        _momenta?.Dispose();
        _masks?.Dispose();
    }
}
