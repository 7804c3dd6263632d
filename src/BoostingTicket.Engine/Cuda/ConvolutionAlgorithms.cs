using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cuda.Bindings;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Cuda;

/// <summary>Chooses how each pass of each convolution is computed, once a shape and batch size, and runs it. By measurement, or,
/// where results must be the same in every process, the first of cuDNN's algorithms that always gives the same bits. What is
/// taken was checked for right values; what was chosen is told to <see cref="DeviceChoices"/>, and what an earlier process chose
/// is taken from there. The choice is in the other part of this class.</summary>
internal sealed partial class ConvolutionAlgorithms : IDisposable
{
    /// <summary>Implicit GEMM with precomputed indices: the forward algorithm with which cuDNN fuses no activation.</summary>
    private const int PrecomputedGemm = 1;

    private readonly CudaContext _context;
    private readonly CudaOptions _options;
    private readonly ElementType _type;
    private readonly Precision _precision;
    private readonly HostStaging _staging;
    private readonly WorkTimer _timer;
    private readonly DeviceScratch _workspace;
    private readonly Dictionary<(ConvolutionDirection, ConvolutionShape, int), ConvolutionPlan> _plans = [];
    private readonly Stack<Action> _destroy = new();
    private readonly nint _relu;
    private readonly nint _identity;

    /// <summary>Nothing chosen yet.</summary>
    /// <param name="context">The GPU.</param>
    /// <param name="options">How it computes.</param>
    /// <param name="precision">Of the multiply-adds.</param>
    /// <param name="type">Elements of feature maps.</param>
    /// <param name="staging">The way to the GPU and back.</param>
    public ConvolutionAlgorithms(
        CudaContext context, CudaOptions options, Precision precision, ElementType type, HostStaging staging)
    {
        _context = context;
        _options = options;
        _precision = precision;
        _type = type;
        _staging = staging;
        _timer = new WorkTimer(context, options.Records);
        context.Choices.Restored += ForgetOtherChoices;
        context.Choices.ListWorks = () => [.. Plans.Select(Describe)];
        _workspace = new DeviceScratch(context, "cuDNN's workspace");
        _relu = Owned(context.Cudnn.CreateRelu(), context.Cudnn.DestroyActivation);
        _identity = Owned(context.Cudnn.CreateIdentity(), context.Cudnn.DestroyActivation);
    }

    private CudnnDataType DataType => _type == ElementType.BFloat16 ? CudnnDataType.BFloat16 : CudnnDataType.Float32;

    private CudaDataType MatrixType => _type == ElementType.BFloat16 ? CudaDataType.BFloat16 : CudaDataType.Float32;

    private CudnnMath Math => _precision switch
    {
        Precision.Float32 => CudnnMath.Fma,
        Precision.TensorFloat32 => CudnnMath.Default,
        _ => CudnnMath.TensorOp,
    };

    /// <summary>All passes that were asked for so far.</summary>
    public IEnumerable<ConvolutionPlan> Plans => _plans.Values;

    /// <summary>How a pass is computed; chosen at the first call, which must not be recorded.</summary>
    public ConvolutionPlan Find(ConvolutionDirection direction, ConvolutionShape shape, int batch)
    {
        if (_plans.TryGetValue((direction, shape, batch), out ConvolutionPlan? plan))
            return plan;
        _context.RequireNotRecording("choose a convolution's algorithm");
        plan = shape.IsLinear ? new ConvolutionPlan
        {
            Direction = direction,
            Shape = shape,
            Batch = batch,
        } : Describe(direction, shape, batch);
        if (shape.IsLinear)
            ChooseProduct(plan);
        else
            Choose(plan);
        _plans.Add((direction, shape, batch), plan);
        return plan;
    }

    /// <summary>Runs a pass, which overwrites its result: x, w, y are the operands' places or their gradients'. Where cuDNN
    /// refuses an algorithm that it did before, the next one is taken.</summary>
    /// <param name="plan">From <see cref="Find"/>.</param>
    /// <param name="x">Input or its gradient.</param>
    /// <param name="w">Packed weights or their gradient.</param>
    /// <param name="y">Output or its gradient.</param>
    /// <exception cref="DeviceException">No algorithm works.</exception>
    public void Run(ConvolutionPlan plan, DevicePointer x, DevicePointer w, DevicePointer y)
    {
        if (plan.Shape.IsLinear)
        {
            Multiply(plan, x, w, y, 0);
            return;
        }
        try
        {
            Convolve(plan, x, w, y, 0);
            return;
        }
        catch (CudaException refusal) when (refusal.IsRefusal && !_context.IsRecording)
        {
            Note(plan, refusal);
        }
        RunInAnotherWay(plan, x, w, y);
    }

    /// <summary>Runs a pass that adds to what its destination holds, where <see cref="ConvolutionPlan.Accumulates"/> says so;
    /// returns false, and leaves it as it was, where the library refuses, and then it is not asked for again.</summary>
    public bool TryAccumulate(ConvolutionPlan plan, DevicePointer x, DevicePointer w, DevicePointer y, bool finishes)
    {
        try
        {
            Compute(plan, x, w, y, 1);
            return true;
        }
        catch (CudaException refusal) when (refusal.IsRefusal && !_context.IsRecording)
        {
            Note(plan, refusal);
            plan.Accumulates[ConvolutionPlan.SumOf(finishes)] = false;
            ChooseApart(plan, SumWork(plan, finishes), refusal);
            return false;
        }
    }

    /// <summary>Chooses whether a pass that adds to what its destination holds is one call: where the library does that, rightly,
    /// and faster than the pass beside its destination and a sum behind it. Must not be recorded.</summary>
    /// <param name="plan">The pass.</param>
    /// <param name="finishes">Whether a kernel follows in either way.</param>
    /// <param name="finish">What follows the pass, from where the pass is and what is added (null: it is in there already) to the
    /// destination.</param>
    public bool ChooseSum(
        ConvolutionPlan plan, bool finishes, Action<DevicePointer, DevicePointer, DevicePointer> finish)
    {
        bool one = Decide(
            SumWork(plan, finishes), () => SumsRightly(plan, finishes), () => SumsFaster(plan, finishes, finish));
        plan.Accumulates[ConvolutionPlan.SumOf(finishes)] = one;
        return one;
    }

    /// <summary>Whether one call that does a whole forward epilogue is possible for a pass: cuDNN knows ReLU with every algorithm
    /// and identity with implicit GEMM with precomputed indices.</summary>
    public bool CanFuse(ConvolutionPlan plan, ActivationKind activation) => !plan.Shape.IsLinear && plan.BiasTensor != 0
        && (activation == ActivationKind.Relu || (activation == ActivationKind.None && plan.Algorithm == PrecomputedGemm));

    /// <summary>Chooses whether one call that does a whole forward epilogue is taken. Must not be recorded.</summary>
    /// <param name="plan">The pass.</param>
    /// <param name="withResidual">Whether the epilogue has a residual.</param>
    /// <param name="activation">Its activation.</param>
    /// <param name="tryFused">Does it in one call; returns false where that is refused.</param>
    /// <param name="apart">Does the same in two.</param>
    public bool ChooseFusion(
        ConvolutionPlan plan, bool withResidual, ActivationKind activation, Func<bool> tryFused, Action apart) => Decide(
        FusedWork(plan, withResidual, activation), () => FusesRightly(plan, withResidual, activation) && tryFused(),
        () => IsFaster(() => tryFused(), apart));

    /// <summary>Runs <c>y = activation(x * w + shift + residual)</c> as one call; returns false where that is refused, and then
    /// it is not asked for again.</summary>
    public bool TryRunFused(
        ConvolutionPlan plan, DevicePointer x, DevicePointer w, DevicePointer y, DevicePointer shift, DevicePointer residual,
        ActivationKind activation)
    {
        try
        {
            _context.Cudnn.ConvolveBiasRelu(
                _context.CudnnHandle, plan.Operands with { X = x, W = w, Y = y }, plan.Algorithm, Workspace(plan),
                plan.WorkspaceBytes,
                residual.IsNull ? 0 : 1, residual.IsNull ? y : residual, plan.BiasTensor, shift,
                activation == ActivationKind.Relu ? _relu : _identity);
            return true;
        }
        catch (CudaException refusal) when (refusal.IsRefusal && !_context.IsRecording)
        {
            Note(plan, refusal);
            int way = ConvolutionPlan.EpilogueOf(!residual.IsNull, activation);
            if (plan.Fuses[way] == true)
            {
                plan.Fuses[way] = false;
                ChooseApart(plan, FusedWork(plan, !residual.IsNull, activation), refusal);
            }
            return false;
        }
    }

    /// <summary>Compares two ways to do the same, both of which were called before and overwrite the same destination; true if
    /// the first takes the GPU less time. Must not be recorded.</summary>
    public bool IsFaster(Action first, Action second) => _timer.IsFaster(first, second);

    /// <inheritdoc/>
    public void Dispose()
    {
        _context.Choices.Restored -= ForgetOtherChoices;
        while (_destroy.TryPop(out Action? destroy))
            destroy();
        _workspace.Dispose();
    }

    // A kernel that failed before, perhaps not cuDNN's, makes it refuse everything: then this throws what happened.
    private void Note(ConvolutionPlan plan, CudaException refusal)
    {
        plan.Refusal = refusal;
        _context.Driver.Synchronize(_context.Stream);
    }

    private void Compute(ConvolutionPlan plan, DevicePointer x, DevicePointer w, DevicePointer y, float beta)
    {
        if (plan.Shape.IsLinear)
            Multiply(plan, x, w, y, beta);
        else
            Convolve(plan, x, w, y, beta);
    }

    private void Convolve(ConvolutionPlan plan, DevicePointer x, DevicePointer w, DevicePointer y, float beta) =>
        _context.Cudnn.Convolve(
            _context.CudnnHandle, plan.Direction, 1, plan.Operands with { X = x, W = w, Y = y }, plan.Algorithm,
            Workspace(plan), plan.WorkspaceBytes, beta);

    private DevicePointer Workspace(ConvolutionPlan plan) =>
        plan.WorkspaceBytes == 0 ? DevicePointer.Null : _workspace.Reserve((long)plan.WorkspaceBytes);

    private ConvolutionPlan Describe(ConvolutionDirection direction, ConvolutionShape shape, int batch)
    {
        ICudnn cudnn = _context.Cudnn;
        FeatureShape input = shape.Input, output = shape.Output;
        int channels = TensorView.Pad(input.Channels, _type), filters = TensorView.Pad(output.Channels, _type);
        bool hasBias = direction == ConvolutionDirection.Forward && filters == output.Channels;
        return new ConvolutionPlan
        {
            Direction = direction,
            Shape = shape,
            Batch = batch,
            Operands = new CudnnConvolution
            {
                XTensor = Owned(cudnn.CreateTensor(DataType, batch, channels, input.Height, input.Width), cudnn.DestroyTensor),
                WFilter = Owned(
                    cudnn.CreateFilter(DataType, filters, channels, shape.KernelHeight, shape.KernelWidth), cudnn.DestroyFilter),
                YTensor = Owned(cudnn.CreateTensor(DataType, batch, filters, output.Height, output.Width), cudnn.DestroyTensor),
                Convolution = Owned(cudnn.CreateConvolution(shape.Padding, shape.Stride, Math), cudnn.DestroyConvolution),
            },
            BiasTensor = hasBias ? Owned(cudnn.CreateTensor(DataType, 1, filters, 1, 1), cudnn.DestroyTensor) : 0,
        };
    }

    private nint Owned(nint handle, Action<nint> destroy)
    {
        _destroy.Push(() => destroy(handle));
        return handle;
    }
}
