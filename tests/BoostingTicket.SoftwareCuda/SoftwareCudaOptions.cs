namespace BoostingTicket.SoftwareCuda;

/// <summary>What the imaginary GPU is like.</summary>
internal sealed record SoftwareCudaOptions
{
    /// <summary>Bytes of memory; allocations beyond fail as they do on a GPU.</summary>
    public ulong MemoryBytes { get; init; } = 4UL << 30;

    /// <summary>Compute capability, major and minor number.</summary>
    public (int Major, int Minor) ComputeCapability { get; init; } = (8, 0);

    /// <summary>Multiprocessors. Kernels may size their grids by it.</summary>
    public int Multiprocessors { get; init; } = 4;

    /// <summary>Instructions (of groups of threads) after which a block counts as endless.</summary>
    public long StepLimit { get; init; } = 200_000_000;

    /// <summary>Whether captures come out invalid, as they do where a library made a call that cannot be recorded.</summary>
    public bool RefusesRecording { get; init; }

    /// <summary>What is said to have passed between two events, in milliseconds; the time that did when null.</summary>
    public Func<float>? Milliseconds { get; init; }

    /// <summary>Whether the GPU waits for something that does not come, so that no event is reached; never when null.</summary>
    public Func<bool>? IsStuck { get; init; }

    /// <summary>Number of the PCI bus.</summary>
    public int PciBus { get; init; } = 1;

    /// <summary>Changes PTX before it is loaded, so that tests can plant defects in real kernels.</summary>
    public Func<string, string>? EditPtx { get; init; }

    /// <summary>Takes down launches, so that something else can repeat them.</summary>
    public ILaunchRecorder? Recorder { get; init; }

    /// <summary>Where launches and calls are counted; a device has its own when none is given.</summary>
    public SoftwareCudaCoverage? Coverage { get; init; }
}
