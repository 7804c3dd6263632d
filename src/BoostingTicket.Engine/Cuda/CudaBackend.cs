using System.Globalization;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cuda.Bindings;
using BoostingTicket.Engine.Cuda.Kernels;
using BoostingTicket.Engine.Ranks;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Cuda;

/// <summary>The CUDA backend: convolutions by cuDNN, linear layers by cuBLAS, everything else by our own kernels, all in the
/// order of one stream. The operations stand in the other parts of this class, in files with the suffixes of <see
/// cref="IBackend"/>'s.</summary>
internal sealed partial class CudaBackend : IBackend
{
    private readonly CudaContext _context;
    private readonly CudaOptions _options;
    private readonly HostStaging _staging;
    private readonly DeviceScratch _scratch;
    private readonly DeviceScratch _sums;
    private readonly ConvolutionAlgorithms _algorithms;
    private readonly KernelLibrary _library;
    private readonly ElementwiseKernels _elementwise;
    private readonly AttackKernels _attack;
    private readonly ParameterKernels _parameters;
    private readonly DataKernels _data;
    private readonly FilterKernels _filters;
    private readonly FilterTables _tables;
    private readonly NormalizationKernels _normalization;
    private readonly PoolingKernels _pooling;
    private readonly LossKernels _loss;
    private readonly ReductionKernels _reductions;

    private readonly IDisposable? _libraries;
    private NcclLine? _line;

    /// <summary>Opens the first GPU that can be used (CUDA_VISIBLE_DEVICES says which there are) with the libraries that this
    /// machine has.</summary>
    /// <exception cref="DeviceException">A library or the GPU is not there; the message says what was looked for and what to
    /// do.</exception>
    /// <param name="options">How it computes; its number of the GPU does not count.</param>
    /// <param name="gpu">Number of the GPU; null for the first that can be used.</param>
    public static CudaBackend Open(CudaOptions options, int? gpu = null)
    {
        CudaLibraries libraries = CudaLibraries.Open(gpu);
        try
        {
            options = options with
            {
                Device = libraries.Device,
                Records = options.Records && Environment.GetEnvironmentVariable(CudaOptions.RecordsVariable) != "0",
            };
            return new CudaBackend(libraries.Driver, libraries.Cublas, libraries.Cudnn, options, libraries);
        }
        catch
        {
            libraries.Dispose();
            throw;
        }
    }

    /// <summary>Opens a GPU.</summary>
    /// <param name="driver">The CUDA driver.</param>
    /// <param name="cublas">cuBLAS.</param>
    /// <param name="cudnn">cuDNN.</param>
    /// <param name="options">Which GPU, and how it computes.</param>
    /// <param name="libraries">Disposed after the backend; null when the libraries are the caller's.</param>
    /// <exception cref="DeviceException">The GPU is not there or has too little memory.</exception>
    public CudaBackend(ICudaDriver driver, ICublas cublas, ICudnn cudnn, CudaOptions options, IDisposable? libraries = null)
    {
        _options = options;
        _libraries = libraries;
        CudaContext.RequireDevice(driver, options.Device);
        Precision = CudaPrecision.Resolve(options.Precision, driver, options.Device);
        _context = new CudaContext(driver, cublas, cudnn, options.Device);
        Device = new DeviceInfo("cuda", $"{_context.Describe()}, {Precision}{(options.Deterministic ? ", deterministic" : "")}");
        _context.Choices = new DeviceChoices($"{Device.Name}: {Device.Description}");
        ElementType = Precision == Precision.BFloat16 ? ElementType.BFloat16 : ElementType.Float32;
        _staging = new HostStaging(_context);
        _scratch = new DeviceScratch(_context, "scratch");
        _sums = new DeviceScratch(_context, "sums");
        _algorithms = new ConvolutionAlgorithms(_context, options, Precision, ElementType, _staging);
        _library = new KernelLibrary(driver, options.Device, _context.Stream);
        _elementwise = new ElementwiseKernels(_library);
        _attack = new AttackKernels(_library);
        _parameters = new ParameterKernels(_library);
        _data = new DataKernels(_library);
        _filters = new FilterKernels(_library);
        _tables = new FilterTables(_context, _staging);
        _normalization = new NormalizationKernels(_library);
        _pooling = new PoolingKernels(_library);
        _loss = new LossKernels(_library);
        _reductions = new ReductionKernels(_library);
    }

    public DeviceInfo Device { get; }

    public Precision Precision { get; }

    public DeviceChoices Choices => _context.Choices;

    /// <summary>Elements of feature maps.</summary>
    private ElementType ElementType { get; }

    public RepeatedWork Repeat(Action work) => _options.Records ? new CudaWork(_context, work) : new CalledWork(work);

    /// <summary>The GPU, for tests of what does not show in results.</summary>
    internal CudaContext Context => _context;

    /// <summary>How convolutions are computed, for the same tests.</summary>
    internal ConvolutionAlgorithms Algorithms => _algorithms;

    public void Synchronize() => _context.Synchronize();

    /// <summary>The GPU's place in its machine, by which two processes see whether they have the same one.</summary>
    internal string BusPlace => string.Create(
        CultureInfo.InvariantCulture,
        $"{Attribute(DeviceAttribute.PciDomain):x4}:{Attribute(DeviceAttribute.PciBus):x2}:"
        + $"{Attribute(DeviceAttribute.PciDevice):x2}");

    /// <summary>Joins this GPU with those of other processes; all do so at once. What carries values then belongs to this
    /// backend.</summary>
    /// <param name="nccl">NCCL, of the same version everywhere.</param>
    /// <param name="group">The processes.</param>
    /// <param name="id">What they meet by.</param>
    /// <param name="patience">Time for them to meet.</param>
    internal IDeviceLine Join(INccl nccl, IRankGroup group, in NcclId id, TimeSpan patience) =>
        _line = new NcclLine(_context, nccl, group, id, patience);

    public void Dispose()
    {
        if (_context.IsAbandoned)
            return;
        _line?.Dispose();
        _context.EnterThread();
        _context.Driver.Synchronize(_context.Stream);
        foreach (CudaWork work in _context.Recordings.ToArray())
            work.Dispose();
        _library.Dispose();
        _tables.Dispose();
        _algorithms.Dispose();
        _scratch.Dispose();
        _sums.Dispose();
        _staging.Dispose();
        _context.Dispose();
        _libraries?.Dispose();
    }

    private int Attribute(DeviceAttribute attribute) => _context.Driver.Attribute(attribute, _options.Device);

    /// <summary>Where a tensor is. Every operation comes by here.</summary>
    private TensorView View(Tensor tensor)
    {
        _context.EnterThread();
        return CudaTensor.Of(tensor).View;
    }

    private TensorView? View(Tensor? tensor, TensorView like, string name)
    {
        if (tensor is null)
            return null;
        TensorView view = View(tensor);
        RequireSame(view, like);
        return view.Type == like.Type
            ? view
            : throw new ArgumentException($"The {name} is {view.Type}, what it goes with {like.Type}.");
    }

    private static void RequireSame(TensorView first, TensorView second)
    {
        if (first.Batch != second.Batch || first.Shape != second.Shape)
            throw new ArgumentException(
                $"The tensors {first.Batch}x{first.Shape} and {second.Batch}x{second.Shape} must have the same shape.");
    }

    private static void RequireShape(TensorView view, int batch, FeatureShape shape, string name)
    {
        if (view.Batch != batch || view.Shape != shape)
            throw new ArgumentException($"The {name} is {view.Batch}x{view.Shape} instead of {batch}x{shape}.");
    }

    private static void RequireNoShift(in ForwardEpilogue epilogue)
    {
        if (epilogue.Shift is not null)
            throw new ArgumentException("This operation takes no shift.", nameof(epilogue));
    }
}
