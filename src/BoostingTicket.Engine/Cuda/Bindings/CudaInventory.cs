using System.Globalization;
using BoostingTicket.Engine.Backends;

namespace BoostingTicket.Engine.Cuda.Bindings;

/// <summary>A GPU that the driver reports.</summary>
/// <param name="Ordinal">Its number.</param>
/// <param name="Name">Product name.</param>
/// <param name="Major">First number of its compute capability.</param>
/// <param name="Minor">Second number.</param>
/// <param name="Bytes">Its memory.</param>
internal sealed record CudaGpu(int Ordinal, string Name, int Major, int Minor, ulong Bytes)
{
    /// <summary>Whether the kernels are compiled for it.</summary>
    public bool IsUsable => Major >= CudaInventory.OldestCapability;

    /// <inheritdoc/>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture, $"{Name} (compute capability {Major}.{Minor}, {Bytes / (double)(1L << 30):0.0} GiB)");
}

/// <summary>What of CUDA a machine has: the driver, GPUs, cuBLAS and cuDNN, each loaded where it can be used. Without a GPU that
/// can be used, cuBLAS and cuDNN are looked for but not loaded, as they are large.</summary>
internal sealed class CudaInventory
{
    /// <summary>Lowest compute capability that the kernels are compiled for.</summary>
    public const int OldestCapability = 7;

    /// <summary>Oldest driver that takes the kernels' PTX (ISA 7.8): CUDA 11.8.</summary>
    public const int OldestDriver = 11_080;

    /// <summary>Oldest cuDNN: 8.9.</summary>
    public const int OldestCudnn = 8_900;

    /// <summary>Oldest NCCL: 2.18.</summary>
    public const int OldestNccl = 21_800;

    private static readonly Lazy<CudaInventory> Machine = new(() => new CudaInventory(SystemLibraryHost.Instance));

    private readonly LibrarySearch _search;
    private readonly ILibraryHost _host;
    private readonly List<string> _found = [];
    private readonly List<string> _wrong = [];
    private readonly List<string> _remedies = [];

    /// <summary>Looks.</summary>
    /// <param name="host">Where.</param>
    public CudaInventory(ILibraryHost host)
    {
        _host = host;
        _search = new LibrarySearch(host);
        TakeDriver();
        if (Driver is null)
            _wrong.Add("no GPU, since there is no driver");
        else
            TakeGpus(Driver);
        TakeLibraries();
    }

    /// <summary>This machine's, taken once for the process.</summary>
    public static CudaInventory OfThisMachine => Machine.Value;

    /// <summary>The driver; null when it was not found or is not one.</summary>
    public NativeCudaDriver? Driver { get; private set; }

    /// <summary>The driver's library; null when it was not found.</summary>
    public NativeModule? DriverModule { get; private set; }

    /// <summary>1000 * major + 10 * minor of the CUDA that the driver supports; 0 when unknown.</summary>
    public int DriverVersion { get; private set; }

    /// <summary>GPUs that the driver reports.</summary>
    public IReadOnlyList<CudaGpu> Gpus { get; private set; } = [];

    /// <summary>The first GPU that can be used.</summary>
    public CudaGpu? Gpu => Gpus.FirstOrDefault(gpu => gpu.IsUsable);

    /// <summary>cuBLAS; null when it cannot be used or there is no GPU for it.</summary>
    public NativeCublas? Cublas { get; private set; }

    /// <summary>cuBLAS's library.</summary>
    public NativeModule? CublasModule { get; private set; }

    /// <summary>cuDNN; null when it cannot be used or there is no GPU for it.</summary>
    public NativeCudnn? Cudnn { get; private set; }

    /// <summary>Loads NCCL, which is not among what a single process needs.</summary>
    /// <exception cref="DeviceException">It is not there or too old; the message is the middle of a sentence.</exception>
    public INccl LoadNccl()
    {
        List<string> problems = [];
        if (_search.Load(LibraryName.Nccl, int.MaxValue, problems) is not { } module)
            throw new DeviceException($"{Lacking(LibraryName.Nccl, problems)}: {LibraryName.Nccl.Install}");
        var nccl = new NativeNccl(module);
        return nccl.Version >= OldestNccl
            ? nccl
            : throw new DeviceException(
                $"NCCL {DecimalVersion(nccl.Version)} ({module.Place}) is too old, and wanted is {DecimalVersion(OldestNccl)} or "
                + $"later: {LibraryName.Nccl.Install}");
    }

    /// <summary>Whether everything is there.</summary>
    public bool Usable => _wrong.Count == 0;

    /// <summary>The first thing that is wrong, as the end of a sentence; empty when nothing is.</summary>
    public string Brief => Usable ? "" : _wrong[0];

    /// <summary>What there is and what is not, and how to get it, as the middle of a sentence.</summary>
    public string Description => Usable
        ? string.Join(", ", _found)
        : string.Join("; ", _wrong.Concat(_found.Select(found => $"found: {found}"))
            .Concat(_remedies));

    /// <summary>The first thing that is wrong and what to do about it, as a short sentence.</summary>
    public string Lack =>
        $"{Brief}; {(_remedies.Count > 0 ? $"{_remedies[0]}, or" : "")} use the device cpu ('devices' says what was found and "
        + $"where it was "
        + $"looked for).";

    /// <summary>Where libraries are looked for, in order.</summary>
    public IReadOnlyList<string> Places => _search.PlaceList;

    /// <summary>A GPU that can be used.</summary>
    /// <param name="number">Its number; null for the first.</param>
    /// <exception cref="DeviceException">There is none of that number, or it cannot be used.</exception>
    public CudaGpu Take(int? number)
    {
        if (number is null)
            return Gpu ?? throw new DeviceException($"CUDA cannot be used: {Lack}");
        CudaGpu gpu = Gpus.FirstOrDefault(gpu => gpu.Ordinal == number) ?? throw new DeviceException(string.Create(
            CultureInfo.InvariantCulture,
            $"The device cuda:{number} cannot be used: the driver shows {Gpus.Count} GPU(s), numbered from 0; 'devices' lists "
            + $"them "
            + $"(CUDA_VISIBLE_DEVICES limits what the driver shows)."));
        return gpu.IsUsable ? gpu : throw new DeviceException(string.Create(
            CultureInfo.InvariantCulture,
            $"The device cuda:{number} cannot be used: {gpu} is older than compute capability {OldestCapability}.0; 'devices' "
            + $"lists those "
            + $"that can be used."));
    }

    /// <summary>A CUDA version as people write it.</summary>
    public static string CudaVersion(int version) =>
        string.Create(CultureInfo.InvariantCulture, $"{version / 1000}.{version % 1000 / 10}");

    /// <summary>A version of cuBLAS or NCCL as people write it.</summary>
    public static string DecimalVersion(int version) =>
        string.Create(CultureInfo.InvariantCulture, $"{version / 10_000}.{version / 100 % 100}.{version % 100}");

    /// <summary>A cuDNN version as people write it: 8907 is 8.9.7, 91002 is 9.10.2.</summary>
    public static string CudnnVersion(int version)
    {
        int unit = version >= 90_000 ? 10_000 : 1_000;
        return string.Create(CultureInfo.InvariantCulture, $"{version / unit}.{version % unit / 100}.{version % 100}");
    }

    private void TakeDriver()
    {
        List<string> problems = [];
        DriverModule = _search.Load(LibraryName.Driver, int.MaxValue, problems);
        if (DriverModule is null)
        {
            Missing(LibraryName.Driver, problems);
            return;
        }

        Attempt(() =>
        {
            var driver = new NativeCudaDriver(DriverModule);
            DriverVersion = driver.Version;
            if (DriverVersion < OldestDriver)
            {
                throw new DeviceException(
                    $"the driver ({DriverModule.Place}) is for CUDA {CudaVersion(DriverVersion)}, "
                    + $"and wanted is {CudaVersion(OldestDriver)} or later");
            }
            Driver = driver;
            _found.Add($"driver for CUDA {CudaVersion(DriverVersion)} ({DriverModule.Place})");
        }, LibraryName.Driver.Install);
    }

    private void TakeGpus(NativeCudaDriver driver) => Attempt(() =>
    {
        driver.Initialize();
        Gpus = [.. Enumerable.Range(0, driver.DeviceCount).Select(ordinal => new CudaGpu(
            ordinal, driver.DeviceName(ordinal), driver.Attribute(DeviceAttribute.ComputeCapabilityMajor, ordinal),
            driver.Attribute(DeviceAttribute.ComputeCapabilityMinor, ordinal), driver.TotalMemory(ordinal)))];
        if (Gpu is not null)
            _found.Insert(0, Gpu.ToString());
        else if (Gpus.Count == 0)
            throw new DeviceException("no GPU, says the driver");
        else
            throw new DeviceException(
                $"no GPU of compute capability {OldestCapability}.0 or later, only {string.Join(", ", Gpus)}");
    });

    private void TakeLibraries()
    {
        if (Gpu is null)
        {
            Locate(LibraryName.Cublas);
            Locate(LibraryName.Cudnn);
            return;
        }

        List<string> problems = [];
        CublasModule = _search.Load(LibraryName.Cublas, DriverVersion / 1000, problems);
        if (CublasModule is null)
        {
            Missing(
                LibraryName.Cublas, problems, $" for CUDA {DriverVersion / 1000} or earlier, which is what the driver can run");
        }
        else
        {
            Attempt(() =>
            {
                Cublas = new NativeCublas(CublasModule);
                _found.Add($"cuBLAS {DecimalVersion(Cublas.Version)} ({CublasModule.Place})");
            }, LibraryName.Cublas.Install);
        }

        problems = [];
        _search.PreloadCudnnDependencies(DriverVersion / 1000);
        if (_search.Load(LibraryName.Cudnn, int.MaxValue, problems) is not { } module)
        {
            Missing(LibraryName.Cudnn, problems);
            return;
        }
        Attempt(() =>
        {
            var cudnn = new NativeCudnn(module);
            if (cudnn.Version < OldestCudnn)
            {
                throw new DeviceException(
                    $"cuDNN {CudnnVersion(cudnn.Version)} ({module.Place}) is too old, "
                    + $"and wanted is {CudnnVersion(OldestCudnn)} or later");
            }
            Cudnn = cudnn;
            _found.Add($"cuDNN {CudnnVersion(cudnn.Version)} ({module.Place})");
        }, LibraryName.Cudnn.Install);
    }

    private void Locate(LibraryName library)
    {
        if (_search.Locate(library) is { } place)
            _found.Add($"{library.Product} {place.Major} ({place.Path})");
        else
            Missing(library, []);
    }

    private void Missing(LibraryName library, List<string> problems, string which = "")
    {
        _wrong.Add(Lacking(library, problems, which));
        _remedies.Add(library.Install);
    }

    private string Lacking(LibraryName library, List<string> problems, string which = "") => problems.Count > 0
        ? $"no usable {library.Product}{which}: {string.Join(", ", problems)}"
        : $"no {library.Product}{which} ({string.Join(", ", library.Files(_host.IsWindows))})";

    private void Attempt(Action action, string? remedy = null)
    {
        try
        {
            action();
        }
        catch (DeviceException exception)
        {
            _wrong.Add(exception.Message.TrimEnd('.'));
            if (remedy is not null)
                _remedies.Add(remedy);
        }
    }
}
