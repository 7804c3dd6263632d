using BoostingTicket.Engine.Backends;

namespace BoostingTicket.Engine.Cpu.Kernels;

/// <summary>One axis of a convolution without its stride: every stride-th source index, or target index, is a plane of its own (a
/// phase), between which the convolution steps by one. A forward pass of stride s reads s phases and writes one; its input
/// gradient reads one and writes s, of which every one has its own share of the filter.</summary>
internal sealed class PhaseAxis
{
    private readonly int[][] _sourcePhases;
    private readonly int[][] _steps;

    private PhaseAxis(int kernel, int targetPhases, Func<int, int, (int Phase, int Step)?> tap)
    {
        TargetPhases = targetPhases;
        _sourcePhases = new int[targetPhases][];
        _steps = new int[targetPhases][];
        (FirstStep, LastStep) = (int.MaxValue, int.MinValue);
        for (int phase = 0; phase < targetPhases; phase++)
        {
            _sourcePhases[phase] = new int[kernel];
            _steps[phase] = new int[kernel];
            for (int k = 0; k < kernel; k++)
            {
                (int Phase, int Step)? read = tap(phase, k);
                _sourcePhases[phase][k] = read?.Phase ?? -1;
                if (read is not { } some)
                    continue;
                _steps[phase][k] = some.Step;
                FirstStep = Math.Min(FirstStep, some.Step);
                LastStep = Math.Max(LastStep, some.Step);
            }
        }
    }

    /// <summary>Phases of the target.</summary>
    public int TargetPhases { get; }

    /// <summary>The least step from a target index to a source index.</summary>
    public int FirstStep { get; }

    /// <summary>The largest step.</summary>
    public int LastStep { get; }

    /// <summary>Source indices around a target index that are read, beside its own.</summary>
    public int Halo => LastStep - FirstStep;

    /// <summary>The rows of a convolution's forward pass or input gradient.</summary>
    public static PhaseAxis Rows(ConvolutionShape shape, bool forward) =>
        Create(shape.KernelHeight, shape.Stride, shape.Padding, forward);

    /// <summary>The columns of a convolution's forward pass or input gradient.</summary>
    public static PhaseAxis Columns(ConvolutionShape shape, bool forward) =>
        Create(shape.KernelWidth, shape.Stride, shape.Padding, forward);

    /// <summary>Whether a filter index contributes to a phase of the target.</summary>
    public bool Contributes(int targetPhase, int kernel) => _sourcePhases[targetPhase][kernel] >= 0;

    /// <summary>The phase of the source that a filter index reads for a phase of the target that it contributes to.</summary>
    public int SourcePhase(int targetPhase, int kernel) => _sourcePhases[targetPhase][kernel];

    /// <summary>The step from a target index to the source index read, both within their phases.</summary>
    public int Step(int targetPhase, int kernel) => _steps[targetPhase][kernel];

    // Forward: source = target * stride - padding + k. Backward: source * stride = target + padding - k.
    private static PhaseAxis Create(int kernel, int stride, int padding, bool forward) => forward
        ? new PhaseAxis(kernel, 1, (_, k) =>
        {
            int phase = ((k - padding) % stride + stride) % stride;
            return (phase, (k - padding - phase) / stride);
        })
        : new PhaseAxis(kernel, stride, (phase, k) => (phase + padding - k) % stride == 0
            ? (0, (phase + padding - k) / stride)
            : null);
}
