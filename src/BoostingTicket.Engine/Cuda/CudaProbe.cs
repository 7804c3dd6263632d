using BoostingTicket.Engine.Cuda.Bindings;

namespace BoostingTicket.Engine.Cuda;

/// <summary>What of CUDA this machine has, without creating a context on a GPU.</summary>
public sealed record CudaProbe
{
    /// <summary>What the program needs, in words.</summary>
    public const string Requirements = "an NVIDIA GPU of compute capability 7.0 or later, a driver for CUDA 12 or 13 (525 or later), "
        + "cuBLAS 12 or 13 and cuDNN 8.9 or 9";

    private CudaProbe(CudaInventory inventory)
    {
        DriverFound = inventory.DriverModule is not null;
        DriverVersion = inventory.DriverVersion == 0 ? null : CudaInventory.CudaVersion(inventory.DriverVersion);
        Devices = inventory.Gpus.Count;
        Usable = inventory.Usable;
        Reason = inventory.Usable ? inventory.Description : $"{inventory.Description}; wanted are {Requirements}";
        Brief = inventory.Brief;
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

    /// <summary>What there is, or why CUDA cannot be used: what is missing, where it was looked for and how to get it. The middle of
    /// a sentence.</summary>
    public string Reason { get; }

    /// <summary>The first thing that is missing, as the end of a sentence; empty when nothing is.</summary>
    public string Brief { get; }

    /// <summary>Looks, once for the process.</summary>
    public static CudaProbe Run() => new(CudaInventory.OfThisMachine);

    /// <summary>Looks elsewhere.</summary>
    internal static CudaProbe Run(ILibraryHost host) => new(new CudaInventory(host));
}
