using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cuda.Bindings;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Cuda;

/// <summary>A GPU that the driver shows.</summary>
/// <param name="Number">Its number, as in <c>--device cuda:1</c>.</param>
/// <param name="Usable">Whether its compute capability suffices.</param>
/// <param name="Description">Name, compute capability, memory.</param>
internal sealed record GpuStatus(int Number, bool Usable, string Description);

/// <summary>What of CUDA this machine has, without creating a context on a GPU.</summary>
internal sealed record CudaProbe
{
    /// <summary>What the program needs, in words.</summary>
    public const string Requirements =
        "an NVIDIA GPU of compute capability 7.0 or later, a driver for CUDA 12 or 13 (525 or later), "
        + "cuBLAS 12 or 13 and cuDNN 8.9 or 9";

    private readonly CudaInventory _inventory;

    private CudaProbe(CudaInventory inventory)
    {
        _inventory = inventory;
        DriverFound = inventory.DriverModule is not null;
        DriverVersion = inventory.DriverVersion == 0 ? null : CudaInventory.CudaVersion(inventory.DriverVersion);
        Devices = inventory.Gpus.Count;
        Usable = inventory.Usable;
        Reason = inventory.Usable ? inventory.Description : $"{inventory.Description}; wanted are {Requirements}";
        Brief = inventory.Brief;
        Missing = inventory.Usable ? "" : inventory.Lack;
        Places = inventory.Places;
        Gpus = [.. inventory.Gpus.Select(gpu => new GpuStatus(gpu.Ordinal, gpu.IsUsable, gpu.ToString()))];
    }

    /// <summary>Name of the driver's library on this system.</summary>
    public static string DriverLibrary => LibraryName.Driver.File(OperatingSystem.IsWindows(), 0);

    /// <summary>Whether the driver's library could be loaded.</summary>
    public bool DriverFound { get; }

    /// <summary>CUDA version that the driver supports, such as <c>13.0</c>; null when it did not say.</summary>
    public string? DriverVersion { get; }

    /// <summary>GPUs that the driver reports; 0 when it could not be started.</summary>
    public int Devices { get; }

    /// <summary>Whether CUDA can work: driver, GPU, cuBLAS and cuDNN are all there.</summary>
    public bool Usable { get; }

    /// <summary>What there is, or why CUDA cannot be used: what is missing, where it was looked for and how to get it. The middle
    /// of a sentence.</summary>
    public string Reason { get; }

    /// <summary>The first thing that is missing, as the end of a sentence; empty when nothing is.</summary>
    public string Brief { get; }

    /// <summary>What is missing and what to do, in one short sentence; empty when nothing is missing.</summary>
    public string Missing { get; }

    /// <summary>Where libraries are looked for, in order, each place with its folders.</summary>
    public IReadOnlyList<string> Places { get; }

    /// <summary>The GPUs that the driver shows.</summary>
    public IReadOnlyList<GpuStatus> Gpus { get; }

    /// <summary>A GPU by its number.</summary>
    /// <returns>Its description.</returns>
    /// <exception cref="DeviceException">It is not there, or cannot be used.</exception>
    public string Require(int number) => _inventory.Take(number).ToString();

    /// <summary>Refuses a number format that a GPU does not compute in.</summary>
    /// <param name="number">Number of the GPU; null for the first that can be used.</param>
    /// <param name="precision">The format; null for the GPU's own choice.</param>
    /// <exception cref="DeviceException">The GPU is not there, or has no such format.</exception>
    public void RequirePrecision(int? number, Precision? precision)
    {
        if (!Usable)
            throw new DeviceException($"CUDA cannot be used: {Missing}");
        CudaGpu gpu = _inventory.Take(number);
        CudaPrecision.Resolve(precision, gpu.Name, gpu.Major, gpu.Minor);
    }

    /// <summary>Looks, once for the process.</summary>
    public static CudaProbe Run() => new(CudaInventory.OfThisMachine);

    /// <summary>Looks elsewhere.</summary>
    internal static CudaProbe Run(ILibraryHost host) => new(new CudaInventory(host));
}
