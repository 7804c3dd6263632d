using BoostingTicket.Engine.Cuda;
using BoostingTicket.Engine.Cuda.Bindings;
using BoostingTicket.SoftwareCuda.Libraries;

namespace BoostingTicket.SoftwareCuda;

/// <summary>A software device with its libraries, on which the CUDA backend runs as on a GPU. Disposing of the backend disposes
/// of them, which reports what was never freed.</summary>
internal sealed class SoftwareMachine : IDisposable
{
    // Workspace of measured algorithms takes a share of it, and every byte of it is filled and watched.
    private const ulong UsualMemory = 128UL << 20;

    private SoftwareMachine(SoftwareCudaDevice device)
    {
        Device = device;
        Cublas = new SoftwareCublas(device);
        Cudnn = new SoftwareCudnn(device);
    }

    /// <summary>The device.</summary>
    public SoftwareCudaDevice Device { get; }

    /// <summary>cuBLAS.</summary>
    public SoftwareCublas Cublas { get; }

    /// <summary>cuDNN.</summary>
    public SoftwareCudnn Cudnn { get; }

    /// <summary>Opens the CUDA backend on a device.</summary>
    /// <param name="options">How it computes.</param>
    /// <param name="device">The device; null for a new one of 128 MiB.</param>
    /// <param name="replaceCudnn">Puts something before cuDNN, such as one that refuses more.</param>
    /// <param name="replaceCublas">The same for cuBLAS.</param>
    public static CudaBackend Open(
        CudaOptions options, SoftwareCudaDevice? device = null, Func<ICudnn, ICudnn>? replaceCudnn = null,
        Func<ICublas, ICublas>? replaceCublas = null)
    {
        var machine = new SoftwareMachine(device ?? new SoftwareCudaDevice(
            new SoftwareCudaOptions { MemoryBytes = UsualMemory }));
        ICudnn cudnn = replaceCudnn is null ? machine.Cudnn : replaceCudnn(machine.Cudnn);
        ICublas cublas = replaceCublas is null ? machine.Cublas : replaceCublas(machine.Cublas);
        return new CudaBackend(machine.Device, cublas, cudnn, options, machine);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Cudnn.Dispose();
        Cublas.Dispose();
        Device.Dispose();
    }
}
