using BoostingTicket.Engine.Backends;

namespace BoostingTicket.Engine.Cuda.Bindings;

/// <summary>The libraries that the CUDA backend calls, and the GPU that it runs on.</summary>
/// <param name="Driver">The driver, started.</param>
/// <param name="Cublas">cuBLAS.</param>
/// <param name="Cudnn">cuDNN.</param>
/// <param name="Device">Number of the GPU: by default the first of compute capability 7.0 or later.</param>
/// <param name="Description">GPU and versions, for people.</param>
internal sealed record CudaLibraries(ICudaDriver Driver, ICublas Cublas, ICudnn Cudnn, int Device, string Description)
    : IDisposable
{
#if MANAGED_CUDA
    /// <summary>Way to the driver and cuBLAS that this build was made with.</summary>
    public const string Binding = "ManagedCuda";
#else
    /// <summary>Way to the driver and cuBLAS that this build was made with.</summary>
    public const string Binding = "native";
#endif

    /// <summary>Finds and loads everything.</summary>
    /// <param name="gpu">Number of the GPU; null for the first that can be used.</param>
    /// <exception cref="DeviceException">Something is missing or cannot be used; the message says what, and how to get
    /// it.</exception>
    public static CudaLibraries Open(int? gpu = null) => Open(CudaInventory.OfThisMachine, gpu);

    /// <summary>Opens what was found.</summary>
    /// <exception cref="DeviceException">Something is missing or cannot be used.</exception>
    public static CudaLibraries Open(CudaInventory inventory, int? gpu = null)
    {
        if (!inventory.Usable)
            throw new DeviceException($"CUDA cannot be used: {inventory.Lack}");
        int device = inventory.Take(gpu).Ordinal;
#if MANAGED_CUDA
        ManagedCudaLibraries.Resolve(inventory.DriverModule!, inventory.CublasModule!);
        return new CudaLibraries(
            new ManagedCudaDriver(), new ManagedCublas(inventory.Cublas!.Version), inventory.Cudnn!, device,
            $"{inventory.Description}, through {Binding}");
#else
        return new CudaLibraries(inventory.Driver!, inventory.Cublas!, inventory.Cudnn!, device, inventory.Description);
#endif
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Cudnn.Dispose();
        Cublas.Dispose();
        Driver.Dispose();
    }
}
