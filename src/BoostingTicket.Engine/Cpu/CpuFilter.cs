using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cpu.Kernels;

namespace BoostingTicket.Engine.Cpu;

/// <summary>A filter of the CPU backend: an algorithm for each of its uses.</summary>
internal sealed class CpuFilter : Filter
{
    private readonly PassChoice? _forward;
    private readonly PassChoice? _backwardInput;
    private readonly GradientChoice? _backwardFilter;
    private int? _maskVersion;

    public CpuFilter(
        ConvolutionShape shape, FilterUses uses, PassChoice? forward, PassChoice? backwardInput, GradientChoice? backwardFilter)
        : base(shape, uses)
    {
        _forward = forward;
        _backwardInput = backwardInput;
        _backwardFilter = backwardFilter;
    }

    /// <summary>The forward pass; an error if the filter was not made for it.</summary>
    public ConvolutionPass Forward => _forward?.Pass ?? throw Lacks(FilterUses.Forward);

    /// <summary>The input gradient; an error if the filter was not made for it.</summary>
    public ConvolutionPass BackwardInput => _backwardInput?.Pass ?? throw Lacks(FilterUses.BackwardInput);

    /// <summary>The filter gradient; an error if the filter was not made for it.</summary>
    public FilterGradient BackwardFilter => _backwardFilter?.Gradient ?? throw Lacks(FilterUses.BackwardFilter);

    /// <summary>The CPU form of a backend-neutral filter.</summary>
    public static CpuFilter Of(Filter filter) => filter as CpuFilter
        ?? throw new ArgumentException("The filter belongs to another backend than the CPU's.", nameof(filter));

    /// <summary>Packs the weights for each use. If the mask changed, algorithms are chosen again and lists rebuilt.</summary>
    /// <param name="pool">Threads.</param>
    /// <param name="weight">Weights in logical order.</param>
    /// <param name="mask">1 for kept and 0 for pruned weights, or null.</param>
    /// <param name="maskVersion">Changes whenever the mask does.</param>
    /// <param name="scale">A factor for each output channel, or null.</param>
    public unsafe void Prepare(WorkerPool pool, float* weight, float* mask, int maskVersion, float* scale)
    {
        int? version = mask == null ? null : maskVersion;
        if (_maskVersion != version)
        {
            _forward?.Repattern(mask);
            _backwardInput?.Repattern(mask);
            _backwardFilter?.Repattern(mask);
            _maskVersion = version;
        }
        _forward?.Pass.Prepare(pool, weight, scale);
        _backwardInput?.Pass.Prepare(pool, weight, scale);
    }

    public override long Bytes => (_forward?.Pass.Bytes ?? 0) + (_backwardInput?.Pass.Bytes ?? 0);

    public override void Dispose()
    {
        _forward?.Dispose();
        _backwardInput?.Dispose();
        _backwardFilter?.Dispose();
    }

    private InvalidOperationException Lacks(FilterUses use) =>
        new($"The filter of {Shape} was made for {Uses}, not for {use}.");
}
