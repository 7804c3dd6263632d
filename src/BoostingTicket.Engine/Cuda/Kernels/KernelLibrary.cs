using System.Collections.Concurrent;
using BoostingTicket.Engine.Cuda.Bindings;

namespace BoostingTicket.Engine.Cuda.Kernels;

/// <summary>The kernels of this assembly on one GPU: loads the embedded PTX, finds functions, launches them in a stream's order.
/// Belongs to the context that was current when it was made.</summary>
internal sealed unsafe class KernelLibrary : IDisposable
{
    /// <summary>Threads of a block, unless a kernel has a reason for another number.</summary>
    public const int BlockThreads = 256;

    /// <summary>Blocks for each multiprocessor that a loop over everything is spread over. Registers let 4, 5, 6 or 8 of them run
    /// at a time, of which this is a multiple or nearly so: few multiprocessors wait for the last ones.</summary>
    private const int BlocksPerMultiprocessor = 24;

    private static readonly ConcurrentDictionary<string, byte[]> Texts = new();

    private readonly ICudaDriver _driver;
    private readonly Dictionary<string, nint> _modules = [];

    /// <summary>A library without a loaded module yet.</summary>
    /// <param name="driver">The driver; its context must be current.</param>
    /// <param name="device">The GPU of that context.</param>
    /// <param name="stream">Where kernels are ordered.</param>
    public KernelLibrary(ICudaDriver driver, int device, nint stream)
    {
        _driver = driver;
        Stream = stream;
        Multiprocessors = driver.Attribute(DeviceAttribute.MultiprocessorCount, device);
    }

    /// <summary>Where kernels are ordered.</summary>
    public nint Stream { get; }

    /// <summary>Multiprocessors of the GPU.</summary>
    public int Multiprocessors { get; }

    /// <summary>Families that this assembly holds: the names of the files in <c>kernels/</c>.</summary>
    public static IEnumerable<string> Families =>
        typeof(KernelLibrary).Assembly.GetManifestResourceNames()
            .Where(name => name.StartsWith("kernels/", StringComparison.Ordinal))
            .Select(name => Path.GetFileNameWithoutExtension(name));

    /// <summary>The embedded PTX of a family, with a 0 at its end.</summary>
    /// <exception cref="ArgumentException">There is no such family.</exception>
    public static ReadOnlySpan<byte> Ptx(string family) => Texts.GetOrAdd(family, ReadPtx);

    /// <summary>A kernel. Loads its family first if need be; meant for constructors, not for hot paths.</summary>
    /// <param name="family">Name of the file that holds it.</param>
    /// <param name="name">Name of the kernel.</param>
    public nint Function(string family, string name)
    {
        if (!_modules.TryGetValue(family, out nint module))
        {
            module = _driver.LoadModule(Ptx(family));
            _modules.Add(family, module);
        }
        return _driver.Function(module, name);
    }

    /// <summary>Launches a kernel; allocates nothing.</summary>
    /// <param name="function">From <see cref="Function"/>.</param>
    /// <param name="grid">Blocks and threads.</param>
    /// <param name="arguments">In the kernel's order.</param>
    public void Launch(nint function, in LaunchGrid grid, params ReadOnlySpan<KernelArgument> arguments)
    {
        void** addresses = stackalloc void*[arguments.Length];
        fixed (KernelArgument* first = arguments)
        {
            for (int i = 0; i < arguments.Length; i++)
                addresses[i] = first + i;
            _driver.Launch(function, grid, Stream, addresses);
        }
    }

    /// <summary>A one-dimensional launch with a thread for each of some items.</summary>
    public static LaunchGrid OneEach(long items, int threads = BlockThreads) =>
        new(checked((uint)Math.Max(1, (items + threads - 1) / threads)), (uint)threads);

    /// <summary>A launch for kernels that loop over the pixels of a tensor in steps of the grid: the threads of a block are
    /// <c>x</c> units of a pixel times <c>y</c> pixels, the grid <c>x</c> runs over pixels and <c>y</c> over what of a pixel's
    /// units a block does not cover. So each thread stays with its channels, and no kernel divides.</summary>
    /// <param name="pixels">Pixels of all samples.</param>
    /// <param name="units">Units of a pixel: vectors, or pairs of them.</param>
    /// <param name="threads">Threads of a block, at most.</param>
    public LaunchGrid PerPixel(long pixels, int units, int threads = BlockThreads)
    {
        int x = Math.Min(units, threads), y = (int)Math.Clamp(pixels, 1, threads / x);
        long blocks = Math.Max(1, (pixels + y - 1) / y), columns = (units + x - 1) / x;
        long most = (long)Multiprocessors * BlocksPerMultiprocessor * BlockThreads / (x * y);
        return new LaunchGrid((uint)Math.Min(blocks, Math.Max(1, most / columns)), (uint)columns, 1, (uint)x, (uint)y, 1);
    }

    /// <summary>A launch for kernels that go through the samples in steps of the grid: the threads of a block are <c>x</c> items
    /// of a sample times <c>y</c> samples.</summary>
    /// <param name="items">Items of a sample.</param>
    /// <param name="samples">Samples.</param>
    /// <param name="threads">Threads of a block, at most.</param>
    public static LaunchGrid PerSample(int items, int samples, int threads = BlockThreads)
    {
        const int LargestGridY = 65535;
        int x = Math.Min(items, threads), y = Math.Clamp(samples, 1, threads / x);
        return new LaunchGrid(
            (uint)(((long)items + x - 1) / x), (uint)Math.Min(LargestGridY, ((long)samples + y - 1) / y), 1, (uint)x, (uint)y, 1);
    }

    /// <summary>Unloads the modules.</summary>
    public void Dispose()
    {
        foreach (nint module in _modules.Values)
            _driver.UnloadModule(module);
        _modules.Clear();
    }

    private static byte[] ReadPtx(string family)
    {
        using Stream? stream = typeof(KernelLibrary).Assembly.GetManifestResourceStream($"kernels/{family}.ptx");
        if (stream is null)
            throw new ArgumentException($"This build holds no kernels of the family {family}.", nameof(family));
        byte[] text = new byte[stream.Length + 1];
        stream.ReadExactly(text, 0, text.Length - 1);
        return text;
    }
}

/// <summary>The value of one parameter of a kernel: a pointer, a 32-bit or 64-bit integer, a float32 or a float64. Integers are
/// extended to 64 bits, so that an int fits a parameter of either size.</summary>
internal readonly struct KernelArgument
{
    private readonly ulong _bits;

    private KernelArgument(ulong bits) => _bits = bits;

    /// <summary>A pointer.</summary>
    public static implicit operator KernelArgument(DevicePointer value) => new(value.Address);

    /// <summary>A signed integer.</summary>
    public static implicit operator KernelArgument(int value) => new((ulong)(long)value);

    /// <summary>An unsigned integer.</summary>
    public static implicit operator KernelArgument(uint value) => new(value);

    /// <summary>A 64-bit integer.</summary>
    public static implicit operator KernelArgument(long value) => new((ulong)value);

    /// <summary>A 64-bit unsigned integer.</summary>
    public static implicit operator KernelArgument(ulong value) => new(value);

    /// <summary>A float32.</summary>
    public static implicit operator KernelArgument(float value) => new(BitConverter.SingleToUInt32Bits(value));

    /// <summary>A float64.</summary>
    public static implicit operator KernelArgument(double value) => new(BitConverter.DoubleToUInt64Bits(value));
}
