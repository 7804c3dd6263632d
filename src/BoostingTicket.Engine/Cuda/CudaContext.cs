using System.Globalization;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cuda.Bindings;

namespace BoostingTicket.Engine.Cuda;

/// <summary>One GPU, opened: its context, the stream that orders everything, the libraries' handles.</summary>
internal sealed class CudaContext : IDisposable
{
    private const long HopperWorkspace = 32L << 20;
    private const long Workspace = 4L << 20;

    private readonly nint _context;
    private readonly int _device;
    private readonly DeviceBlock _cublasWorkspace;

    // Whose context is current. A field of the thread: the number of a thread that ended is given to a new one, and a thread may
    // work for several GPUs.
    [ThreadStatic]
    private static CudaContext? _current;

    public CudaContext(ICudaDriver driver, ICublas cublas, ICudnn cudnn, int device)
    {
        Driver = driver;
        Cublas = cublas;
        Cudnn = cudnn;
        RequireDevice(driver, device);
        _device = device;
        _context = driver.RetainPrimaryContext(device);
        EnterThread();
        Stream = driver.CreateStream();
        Major = driver.Attribute(DeviceAttribute.ComputeCapabilityMajor, device);
        Minor = driver.Attribute(DeviceAttribute.ComputeCapabilityMinor, device);
        CublasHandle = cublas.Create();
        cublas.SetStream(CublasHandle, Stream);
        // Setting the stream forgets the workspace, so that the order matters.
        _cublasWorkspace = new DeviceBlock(this, Major >= 9 ? HopperWorkspace : Workspace, "cuBLAS");
        cublas.SetWorkspace(CublasHandle, _cublasWorkspace.Pointer, (nuint)_cublasWorkspace.Bytes);
        CudnnHandle = cudnn.Create();
        cudnn.SetStream(CudnnHandle, Stream);
    }

    public ICudaDriver Driver { get; }

    public ICublas Cublas { get; }

    public ICudnn Cudnn { get; }

    public nint Stream { get; }

    public nint CublasHandle { get; }

    public nint CudnnHandle { get; }

    /// <summary>Compute capability, first number.</summary>
    public int Major { get; }

    /// <summary>Compute capability, second number.</summary>
    public int Minor { get; }

    /// <summary>What was chosen by measurement.</summary>
    public DeviceChoices Choices { get; set; } = new("cuda");

    /// <summary>Changes whenever memory moves that recorded work may hold the address of.</summary>
    public long MemoryVersion { get; private set; }

    /// <summary>Whether what is called now is recorded instead of run.</summary>
    public bool IsRecording { get; set; }

    /// <summary>Whether repeated work is being run for the first time or recorded; work inside it is part of it.</summary>
    public bool IsRepeating { get; set; }

    /// <summary>Whether work on the GPU waits for a process that is gone, so that nothing may wait for the GPU.</summary>
    public bool IsAbandoned { get; private set; }

    /// <summary>Why work could not be recorded, the first time that one could not; null when all could.</summary>
    public CudaException? RecordingFailure { get; set; }

    /// <summary>Work that holds a recording; what its owners left is freed with the backend.</summary>
    public HashSet<CudaWork> Recordings { get; } = [];

    /// <summary>The device, for people.</summary>
    public string Describe() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Driver.DeviceName(_device)}, compute capability {Major}.{Minor}, {Driver.TotalMemory(_device) / (double)(1 << 30):F1} "
        + $"GiB, CUDA {Driver.Version / 1000}.{Driver.Version % 1000 / 10}, cuDNN {Cudnn.Version}, cuBLAS {Cublas.Version}");

    /// <summary>Refuses the number of a GPU that is not there.</summary>
    public static void RequireDevice(ICudaDriver driver, int device)
    {
        if (device < 0 || device >= driver.DeviceCount)
            throw new DeviceException(
                $"There is no GPU {device}: the driver shows {driver.DeviceCount} (CUDA_VISIBLE_DEVICES limits what it shows).");
    }

    /// <summary>Makes the context current for the calling thread where it is not.</summary>
    public void EnterThread()
    {
        if (_current == this)
            return;
        Driver.SetCurrentContext(_context);
        _current = this;
    }

    /// <summary>Refuses what cannot be recorded.</summary>
    public void RequireNotRecording(string what)
    {
        if (IsRecording)
            throw new InvalidOperationException($"The CUDA backend cannot {what} while it records work that will be repeated.");
    }

    /// <summary>Leaves everything as it is until the process ends: from now on memory is not freed, and nothing is waited
    /// for.</summary>
    public void Abandon() => IsAbandoned = true;

    /// <summary>Says that an address changed.</summary>
    public void MemoryMoved() => MemoryVersion++;

    /// <exception cref="DeviceException">The device does not have that much free memory.</exception>
    public DevicePointer Allocate(long bytes, string purpose)
    {
        RequireNotRecording("allocate memory");
        EnterThread();
        try
        {
            DevicePointer pointer = Driver.Allocate((nuint)bytes, Stream);
            MemoryMoved();
            return pointer;
        }
        catch (CudaException failure) when (failure.IsOutOfMemory)
        {
            (ulong free, ulong total) = Driver.MemoryInfo();
            throw new DeviceException(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"The GPU does not have enough memory: {Mebibytes(bytes)} MiB are needed for {purpose}, "
                    + $"{Mebibytes((long)free)} of "
                    + $"{Mebibytes((long)total)} MiB are free; use smaller batches, or end other programs on the GPU."),
                failure);
        }
    }

    public void Free(DevicePointer pointer)
    {
        if (IsAbandoned)
            return;
        RequireNotRecording("free memory");
        EnterThread();
        Driver.Free(pointer, Stream);
        MemoryMoved();
    }

    public void Synchronize()
    {
        if (IsAbandoned)
            throw new DeviceException("The GPU waits for another process, which is gone.");
        RequireNotRecording("wait for the device");
        EnterThread();
        Driver.Synchronize(Stream);
    }

    public void Dispose()
    {
        if (IsAbandoned)
            return;
        EnterThread();
        Driver.Synchronize(Stream);
        _cublasWorkspace.Dispose();
        Cudnn.Destroy(CudnnHandle);
        Cublas.Destroy(CublasHandle);
        Driver.DestroyStream(Stream);
        Driver.ReleasePrimaryContext(_device);
        _current = null;
    }

    private static double Mebibytes(long bytes) => Math.Round(bytes / (double)(1 << 20), 1);
}
