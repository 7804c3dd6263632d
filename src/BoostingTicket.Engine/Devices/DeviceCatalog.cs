using System.Globalization;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cpu;
using BoostingTicket.Engine.Cuda;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Devices;

/// <summary>A device that could be asked for.</summary>
/// <param name="Name">The word of <c>--device</c>.</param>
/// <param name="Usable">Whether it can be opened.</param>
/// <param name="Description">What it is, or why it cannot be used.</param>
public sealed record DeviceStatus(string Name, bool Usable, string Description);

/// <summary>The device that was taken.</summary>
/// <param name="Name">The word of <c>--device</c>: never <see cref="DeviceCatalog.Auto"/>.</param>
/// <param name="Reason">Which it is and why, in one sentence.</param>
public sealed record DeviceSelection(string Name, string Reason);

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

    /// <summary>The words of <c>--device</c>.</summary>
    public static IReadOnlyList<string> Names { get; } = [Auto, Cpu, Cuda];

    /// <summary>What this machine has.</summary>
    /// <param name="threads">Threads that the processor would compute on; 0 for one a processor.</param>
    public static IReadOnlyList<DeviceStatus> Probe(int threads = 0)
    {
        CudaProbe cuda = CudaProbe.Run();
        return [new DeviceStatus(Cpu, true, DescribeCpu(threads)), new DeviceStatus(Cuda, cuda.Usable, cuda.Reason)];
    }

    /// <summary>Chooses a device without opening it.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <exception cref="DeviceException">The device cannot be used; the message says what was looked for and what to
    /// do.</exception>
    /// <exception cref="ArgumentException">There is no such device.</exception>
    public static DeviceSelection Select(string name)
    {
        switch (name)
        {
            case Cpu:
                return new DeviceSelection(Cpu, "Using the CPU, as asked for.");
            case Cuda:
                CudaProbe probe = CudaProbe.Run();
                return probe.Usable
                    ? new DeviceSelection(Cuda, "Using CUDA, as asked for.")
                    : throw new DeviceException($"--device cuda cannot be used: {probe.Reason}; use --device cpu or --device auto.");
            case Auto:
                CudaProbe found = CudaProbe.Run();
                return found.Usable
                    ? new DeviceSelection(Cuda, "Using CUDA, since a GPU can be used.")
                    : new DeviceSelection(Cpu, $"Using the CPU, since CUDA cannot be used: {found.Brief}.");
            default:
                throw new ArgumentException($"there is no device '{name}'", nameof(name));
        }
    }

    /// <summary>Opens a device.</summary>
    /// <param name="selection">What <see cref="Select"/> chose.</param>
    /// <param name="options">How it computes; null for its own choices.</param>
    /// <exception cref="DeviceException">The device cannot be used, or has no such precision.</exception>
    public static IBackend Open(DeviceSelection selection, DeviceOptions? options = null) => Open(selection, options, out _);

    /// <summary>The same, and what the user should know of it.</summary>
    /// <param name="selection">What <see cref="Select"/> chose.</param>
    /// <param name="options">How it computes; null for its own choices.</param>
    /// <param name="notice">Where bfloat16 was asked of a processor that does not compute in it: that it computes in float32, and
    /// why, in one sentence. Else null.</param>
    /// <exception cref="DeviceException">The device cannot be used, or has no such precision.</exception>
    public static IBackend Open(DeviceSelection selection, DeviceOptions? options, out string? notice)
    {
        notice = null;
        ArgumentNullException.ThrowIfNull(selection);
        options ??= new DeviceOptions();
        if (selection.Name == Cuda)
            return CudaBackend.Open(new CudaOptions(Precision: options.Precision ?? Precision.TensorFloat32, Deterministic: options.Deterministic));
        switch (options.Precision)
        {
            case null or Precision.Float32:
                return CpuBackend.Create(options.Threads);
            case Precision.BFloat16:
                IBackend backend = CpuBackend.CreateWithShortAttacks(options.Threads, out string? lacking);
                if (lacking is not null)
                    notice = $"Attacks are computed in float32 too, since {lacking}.";
                return backend;
            default:
                throw new DeviceException(
                    $"The CPU computes in float32 and bf16, not in {WordOf(options.Precision.Value)}; leave out --precision or "
                    + "use --device cuda.");
        }
    }

    /// <summary>The words of <c>--precision</c>, and what they mean; null where the device chooses.</summary>
    public static IReadOnlyDictionary<string, Precision?> Precisions { get; } = new Dictionary<string, Precision?>
    {
        [Auto] = null,
        ["float32"] = Precision.Float32,
        ["tf32"] = Precision.TensorFloat32,
        ["bf16"] = Precision.BFloat16,
    };

    /// <summary>The word for a precision.</summary>
    public static string WordOf(Precision precision) => Precisions.First(word => word.Value == precision).Key;

    private static string DescribeCpu(int threads) => string.Create(
        CultureInfo.InvariantCulture,
        $"{(threads == 0 ? Environment.ProcessorCount : threads)} thread(s), {InstructionSets.Best} "
        + $"(of {string.Join(", ", InstructionSets.Available)}); {CpuBackend.ShortAttacks}");
}
