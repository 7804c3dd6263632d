using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cpu.Kernels;

namespace BoostingTicket.Engine.Cpu;

/// <summary>A filter of the CPU backend: an algorithm for each of its uses.</summary>
internal sealed class CpuFilter : Filter
{
    private readonly ConvolutionPass? _forward;
    private readonly ConvolutionPass? _backwardInput;
    private readonly FilterGradient? _backwardFilter;

    public CpuFilter(
        ConvolutionShape shape, ConvolutionPass? forward, ConvolutionPass? backwardInput, FilterGradient? backwardFilter)
        : base(shape, UsesOf(forward, backwardInput, backwardFilter))
    {
        _forward = forward;
        _backwardInput = backwardInput;
        _backwardFilter = backwardFilter;
    }

    /// <summary>The forward pass; an error if the filter was not made for it.</summary>
    public ConvolutionPass Forward => _forward ?? throw Lacks(FilterUses.Forward);

    /// <summary>The input gradient; an error if the filter was not made for it.</summary>
    public ConvolutionPass BackwardInput => _backwardInput ?? throw Lacks(FilterUses.BackwardInput);

    /// <summary>The filter gradient; an error if the filter was not made for it.</summary>
    public FilterGradient BackwardFilter => _backwardFilter ?? throw Lacks(FilterUses.BackwardFilter);

    /// <summary>The CPU form of a backend-neutral filter.</summary>
    public static CpuFilter Of(Filter filter) => filter as CpuFilter
        ?? throw new ArgumentException("The filter belongs to another backend than the CPU's.", nameof(filter));

    /// <summary>Packs the weights for each use.</summary>
    public unsafe void Prepare(WorkerPool pool, float* weight, float* scale)
    {
        _forward?.Prepare(pool, weight, scale);
        _backwardInput?.Prepare(pool, weight, scale);
    }

    public override long Bytes => (_forward?.Bytes ?? 0) + (_backwardInput?.Bytes ?? 0);

    public override void Dispose()
    {
        _forward?.Dispose();
        _backwardInput?.Dispose();
        _backwardFilter?.Dispose();
    }

    private static FilterUses UsesOf(object? forward, object? backwardInput, object? backwardFilter) =>
        (forward is null ? FilterUses.None : FilterUses.Forward)
        | (backwardInput is null ? FilterUses.None : FilterUses.BackwardInput)
        | (backwardFilter is null ? FilterUses.None : FilterUses.BackwardFilter);

    private InvalidOperationException Lacks(FilterUses use) =>
        new($"The filter of {Shape} was made for {Uses}, not for {use}.");
}
