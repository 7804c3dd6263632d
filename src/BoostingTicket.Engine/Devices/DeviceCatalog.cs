using System.Globalization;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cpu;
using BoostingTicket.Engine.Cuda;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Devices;

/// <summary>A device that could be asked for.</summary>
/// <param name="Name">The word of settings.</param>
/// <param name="Usable">Whether it can be opened.</param>
/// <param name="Description">What it is, or why it cannot be used.</param>
public sealed record DeviceStatus(string Name, bool Usable, string Description);

/// <summary>The device that was taken.</summary>
/// <param name="Name">The word of settings: never <see cref="DeviceCatalog.Auto"/>.</param>
/// <param name="Reason">Which it is and why, in one sentence.</param>
internal sealed record DeviceSelection(string Name, string Reason)
{
    /// <summary>Number of the GPU; null for the first that can be used, and for the CPU.</summary>
    public int? Gpu { get; init; }
}

/// <summary>The devices there are. Nothing falls back silently: a named device is taken or refused with the reason, and
/// <c>auto</c> says what it took and why.</summary>
public static class DeviceCatalog
{
    /// <summary>The best device that can be used.</summary>
    public const string Auto = "auto";

    /// <summary>The processor.</summary>
    public const string Cpu = "cpu";

    /// <summary>An NVIDIA GPU.</summary>
    public const string Cuda = "cuda";

    /// <summary>The words for devices; <see cref="Cuda"/> may have the number of a GPU behind it, as in <c>cuda:1</c>.</summary>
    public static IReadOnlyList<string> Names { get; } = [Auto, Cpu, Cuda];

    /// <summary>Vector instructions that the processor computes with; results differ in their last bits from one set to
    /// another.</summary>
    public static string Instructions => InstructionSets.Best.ToString();

    /// <summary>Whether a text names a device, be it there or not.</summary>
    internal static bool IsName(string text) => Names.Contains(text) || NumberOf(text) is not null;

    /// <summary>What this machine has: the processor, CUDA, and each GPU by its number.</summary>
    /// <param name="threads">Threads that the processor would compute on; 0 for one a processor.</param>
    public static IReadOnlyList<DeviceStatus> Probe(int threads = 0)
    {
        CudaProbe cuda = CudaProbe.Run();
        return
        [
            new DeviceStatus(Cpu, true, DescribeCpu(threads)),
            new DeviceStatus(Cuda, cuda.Usable, cuda.Reason),
            .. cuda.Gpus.Select(gpu => new DeviceStatus($"{Cuda}:{gpu.Number}", cuda.Usable && gpu.Usable, gpu.Description)),
        ];
    }

    /// <summary>Where CUDA's libraries are looked for, in order, each place with its folders.</summary>
    public static IReadOnlyList<string> SearchedFolders => CudaProbe.Run().Places;

    /// <summary>Chooses a device without opening it.</summary>
    /// <param name="name">One of <see cref="Names"/>, or <c>cuda:N</c>.</param>
    /// <exception cref="DeviceException">The device cannot be used; the message says what is missing and what to do.</exception>
    /// <exception cref="ArgumentException">There is no such device.</exception>
    internal static DeviceSelection Select(string name) => Select(name, CudaProbe.Run);

    /// <summary>Chooses among what was found.</summary>
    internal static DeviceSelection Select(string name, Func<CudaProbe> probe)
    {
        switch (name)
        {
            case Cpu:
                return new DeviceSelection(Cpu, "Using the CPU, as asked for.");
            case Auto:
                CudaProbe found = probe();
                return found.Usable
                    ? new DeviceSelection(Cuda, "Using CUDA, since a GPU can be used.")
                    : new DeviceSelection(Cpu, $"Using the CPU, since CUDA cannot be used: {found.Brief}.");
            case not null when name == Cuda || NumberOf(name) is not null:
                CudaProbe cuda = probe();
                if (!cuda.Usable)
                    throw new DeviceException($"The device {name} cannot be used: {cuda.Missing}");
                return NumberOf(name) is { } number
                    ? new DeviceSelection(Cuda, $"Using GPU {number}, {cuda.Require(number)}, as asked for.") { Gpu = number }
                    : new DeviceSelection(Cuda, "Using CUDA, as asked for.");
            default:
                throw new ArgumentException($"there is no device '{name}'", nameof(name));
        }
    }

    /// <summary>Whether a device computes in a number format.</summary>
    internal static bool Computes(DeviceSelection selection, Precision precision)
    {
        try
        {
            Require(selection, precision);
            return true;
        }
        catch (DeviceException)
        {
            return false;
        }
    }

    /// <summary>Refuses a number format that a device does not compute in, without opening it.</summary>
    /// <param name="selection">What <see cref="Select(string)"/> chose.</param>
    /// <param name="precision">The format; null for the device's own choice, which it has.</param>
    /// <exception cref="DeviceException">It has no such format; the message says what to do.</exception>
    internal static void Require(DeviceSelection selection, Precision? precision)
    {
        ArgumentNullException.ThrowIfNull(selection);
        if (selection.Name == Cuda)
        {
            CudaProbe.Run().RequirePrecision(selection.Gpu, precision);
        }
        else if (precision == Precision.TensorFloat32)
        {
            throw new DeviceException(
                $"The CPU computes in float32 and bf16, not in {WordOf(precision.Value)}; leave the number format out or use the "
                + $"device cuda.");
        }
    }

    /// <summary>Opens a device.</summary>
    /// <param name="selection">What <see cref="Select(string)"/> chose.</param>
    /// <param name="options">How it computes; null for its own choices.</param>
    /// <exception cref="DeviceException">The device cannot be used, or has no such precision.</exception>
    internal static IBackend Open(DeviceSelection selection, DeviceOptions? options = null) => Open(selection, options, out _);

    /// <summary>The same, and what the user should know of it.</summary>
    /// <param name="selection">What <see cref="Select(string)"/> chose.</param>
    /// <param name="options">How it computes; null for its own choices.</param>
    /// <param name="notice">Where bfloat16 was asked of a processor that does not compute in it: that it computes in float32, and
    /// why, in one sentence. Else null.</param>
    /// <exception cref="DeviceException">The device cannot be used, or has no such precision.</exception>
    internal static IBackend Open(DeviceSelection selection, DeviceOptions? options, out string? notice)
    {
        notice = null;
        ArgumentNullException.ThrowIfNull(selection);
        options ??= new DeviceOptions();
        Require(selection, options.Precision);
        if (selection.Name == Cuda)
        {
            return CudaBackend.Open(
                new CudaOptions(Precision: options.Precision, Deterministic: options.Deterministic), selection.Gpu);
        }
        if (options.Precision != Precision.BFloat16)
            return CpuBackend.Create(options.Threads);
        IBackend backend = CpuBackend.CreateWithBFloat16Attacks(options.Threads, out string? lacking);
        if (lacking is not null)
            notice = $"Attacks are computed in float32 too, since {lacking}.";
        return backend;
    }

    /// <summary>The words for number formats, and what they mean; null where the device chooses.</summary>
    public static IReadOnlyDictionary<string, Precision?> Precisions { get; } = new Dictionary<string, Precision?>
    {
        [Auto] = null,
        ["float32"] = Precision.Float32,
        ["tf32"] = Precision.TensorFloat32,
        ["bf16"] = Precision.BFloat16,
    };

    /// <summary>The word for a precision.</summary>
    internal static string WordOf(Precision precision) => Precisions.First(word => word.Value == precision).Key;

    // Of cuda:N; null for anything else.
    private static int? NumberOf(string text) => text.StartsWith($"{Cuda}:", StringComparison.Ordinal)
        && int.TryParse(text.AsSpan(Cuda.Length + 1), NumberStyles.None, CultureInfo.InvariantCulture, out int number)
            ? number
            : null;

    private static string DescribeCpu(int threads) => string.Create(
        CultureInfo.InvariantCulture,
        $"{(threads == 0 ? Environment.ProcessorCount : threads)} thread(s), {InstructionSets.Best} "
        + $"(of {string.Join(", ", InstructionSets.Available)}); {CpuBackend.BFloat16Attacks}");
}
