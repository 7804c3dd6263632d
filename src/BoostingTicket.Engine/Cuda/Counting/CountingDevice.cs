using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Cuda.Counting;

/// <summary>A GPU that computes nothing and counts what is asked of it, with its libraries: the CUDA backend makes the plans and
/// runs the steps that it would on the real one. Memory has addresses and no contents; what is copied to the host is
/// zeros.</summary>
/// <remarks>Libraries accept everything. Of two ways to do the same the one with less <see cref="Milliseconds"/> is taken as by
/// measurement.</remarks>
internal sealed class CountingDevice
{
    // What beginning something costs a GPU, about: decides between two ways that move the same bytes.
    private const double CallMilliseconds = 2e-3;

    private readonly Dictionary<string, (long Launches, long Bytes)> _kernels = new(StringComparer.Ordinal);
    private readonly Stack<(WorkCount Count, Dictionary<string, (long Launches, long Bytes)> Kernels)> _captures = [];
    private WorkCount _total;

    /// <summary>A device.</summary>
    /// <param name="gpu">What it is like.</param>
    public CountingDevice(GpuModel gpu)
    {
        Gpu = gpu;
        Driver = new CountingDriver(this);
        Libraries = new CountingLibraries(this);
    }

    /// <summary>What it is like.</summary>
    public GpuModel Gpu { get; }

    /// <summary>The driver.</summary>
    internal CountingDriver Driver { get; }

    /// <summary>cuBLAS and cuDNN.</summary>
    internal CountingLibraries Libraries { get; }

    /// <summary>Everything since the start.</summary>
    public WorkCount Total => _total;

    /// <summary>The most bytes of memory that were held.</summary>
    public long PeakBytes => (long)Driver.PeakBytes;

    /// <summary>Launches of each own kernel and their bytes, since the start.</summary>
    public IReadOnlyDictionary<string, (long Launches, long Bytes)> Kernels => _kernels;

    /// <summary>A time that grows with what was asked for; only good for comparing two ways.</summary>
    internal double Milliseconds =>
        ((_total.Launches + _total.LibraryCalls + _total.Copies) * CallMilliseconds) + (_total.LeastSeconds * 1000);

    /// <summary>Opens the CUDA backend on the device.</summary>
    public IBackend Open(CudaOptions options) => new CudaBackend(
        Driver, Libraries, Libraries, options with { ChecksValues = false });

    /// <summary>Adds work, to the recording if there is one.</summary>
    internal void Add(in WorkCount work)
    {
        if (_captures.TryPop(out (WorkCount Count, Dictionary<string, (long, long)> Kernels) capture))
            _captures.Push((capture.Count + work, capture.Kernels));
        else
            _total += work;
    }

    /// <summary>Adds a launch of an own kernel.</summary>
    internal void AddLaunch(string kernel, long bytes)
    {
        Add(new WorkCount { Launches = 1, KernelBytes = bytes, LeastSeconds = bytes / Gpu.BytesPerSecond });
        bool recorded = _captures.TryPeek(out (WorkCount Count, Dictionary<string, (long, long)> Kernels) capture);
        Add(recorded ? capture.Kernels : _kernels, kernel, 1, bytes);
    }

    /// <summary>Adds a call of a library.</summary>
    /// <param name="bytes">Bytes of its operands and results.</param>
    /// <param name="operations">Multiplications and additions.</param>
    /// <param name="precision">Of which numbers.</param>
    internal void AddCall(long bytes, double operations, Precision precision) => Add(new WorkCount
    {
        LibraryCalls = 1,
        LibraryBytes = bytes,
        LibraryOperations = operations,
        LeastSeconds = Math.Max(bytes / Gpu.BytesPerSecond, operations / Gpu.PerSecond(precision)),
    });

    /// <summary>From now on work is recorded instead.</summary>
    internal void BeginCapture() => _captures.Push((default, new(StringComparer.Ordinal)));

    /// <summary>Ends a recording.</summary>
    internal Recording EndCapture()
    {
        (WorkCount count, Dictionary<string, (long Launches, long Bytes)> kernels) = _captures.Pop();
        return new Recording(count, kernels);
    }

    /// <summary>Runs a recording.</summary>
    internal void Add(Recording recording)
    {
        Add(recording.Count with { GraphLaunches = 1 });
        foreach ((string kernel, (long launches, long bytes)) in recording.Kernels)
            Add(_kernels, kernel, launches, bytes);
    }

    private static void Add(Dictionary<string, (long Launches, long Bytes)> kernels, string kernel, long launches, long bytes)
    {
        (long before, long moved) = kernels.GetValueOrDefault(kernel);
        kernels[kernel] = (before + launches, moved + bytes);
    }

    /// <summary>Recorded work.</summary>
    internal sealed record Recording(WorkCount Count, IReadOnlyDictionary<string, (long Launches, long Bytes)> Kernels);
}
