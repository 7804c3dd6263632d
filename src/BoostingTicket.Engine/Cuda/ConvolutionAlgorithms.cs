using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cuda.Bindings;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Cuda;

/// <summary>Chooses how each pass of each convolution is computed, once a shape and batch size, and runs it. By measurement, or, where
/// results must be the same in every process, the first of cuDNN's algorithms that always gives the same bits.</summary>
internal sealed class ConvolutionAlgorithms : IDisposable
{
    /// <summary>Workspace that measured algorithms may use.</summary>
    private const long MeasuringWorkspace = 512L << 20;

    /// <summary>Runs of a comparison, of which the fastest counts.</summary>
    private const int Comparisons = 3;

    /// <summary>Algorithms that always give the same bits, tensor cores first: implicit GEMM with precomputed indices (forward), algorithm 1
    /// of either gradient; then the others.</summary>
    private static readonly Dictionary<ConvolutionDirection, int[]> DeterministicAlgorithms = new()
    {
        [ConvolutionDirection.Forward] = [1, 0, 7, 6, 2],
        [ConvolutionDirection.BackwardData] = [1, 5, 4],
        [ConvolutionDirection.BackwardFilter] = [1, 5, 4],
    };

    /// <summary>Implicit GEMM with precomputed indices: the forward algorithm with which cuDNN fuses no activation.</summary>
    private const int PrecomputedGemm = 1;

    private readonly CudaContext _context;
    private readonly CudaOptions _options;
    private readonly ElementType _type;
    private readonly DeviceScratch _workspace;
    private readonly Dictionary<(ConvolutionDirection, ConvolutionShape, int), ConvolutionPlan> _plans = [];
    private readonly Stack<Action> _destroy = new();
    private readonly nint _relu;
    private readonly nint _identity;

    public ConvolutionAlgorithms(CudaContext context, CudaOptions options, ElementType type)
    {
        _context = context;
        _options = options;
        _type = type;
        _workspace = new DeviceScratch(context, "cuDNN's workspace");
        _relu = Owned(context.Cudnn.CreateRelu(), context.Cudnn.DestroyActivation);
        _identity = Owned(context.Cudnn.CreateIdentity(), context.Cudnn.DestroyActivation);
    }

    private CudnnDataType DataType => _type == ElementType.BFloat16 ? CudnnDataType.BFloat16 : CudnnDataType.Float32;

    private CudaDataType MatrixType => _type == ElementType.BFloat16 ? CudaDataType.BFloat16 : CudaDataType.Float32;

    private CudnnMath Math => _options.Precision switch
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
        plan = shape.IsLinear ? new ConvolutionPlan { Direction = direction, Shape = shape, Batch = batch } : Describe(direction, shape, batch);
        if (!shape.IsLinear)
            Choose(plan);
        _plans.Add((direction, shape, batch), plan);
        return plan;
    }

    /// <summary>Runs a pass, which overwrites its result: x, w, y are the operands' places or their gradients'. The first run proves the
    /// algorithm: cuDNN may refuse what it said the size of a workspace for, and then the next one is taken.</summary>
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
        while (!plan.IsProven)
        {
            try
            {
                Convolve(plan, x, w, y, 0);
                plan.IsProven = true;
                return;
            }
            catch (CudaException refusal) when (refusal.IsRefusal && !_context.IsRecording)
            {
                Note(plan, refusal);
                TakeNext(plan);
            }
        }
        Convolve(plan, x, w, y, 0);
    }

    /// <summary>Runs a pass that adds to what its destination holds; returns false, and leaves it as it was, where cuDNN does not do
    /// that.</summary>
    public bool TryAccumulate(ConvolutionPlan plan, DevicePointer x, DevicePointer w, DevicePointer y)
    {
        if (plan.Shape.IsLinear)
        {
            Multiply(plan, x, w, y, 1);
            return true;
        }
        if (plan.Accumulates == false)
            return false;
        try
        {
            Convolve(plan, x, w, y, 1);
            plan.Accumulates = true;
        }
        catch (CudaException refusal) when (refusal.IsRefusal && plan.Accumulates is null && !_context.IsRecording)
        {
            Note(plan, refusal);
            plan.Accumulates = false;
        }
        return plan.Accumulates.Value;
    }

    /// <summary>Whether one call that does a whole forward epilogue is possible for a pass: cuDNN knows ReLU with every algorithm
    /// and identity with implicit GEMM with precomputed indices.</summary>
    public bool CanFuse(ConvolutionPlan plan, ActivationKind activation) => !plan.Shape.IsLinear && plan.BiasTensor != 0
        && (activation == ActivationKind.Relu || (activation == ActivationKind.None && plan.Algorithm == PrecomputedGemm));

    /// <summary>Runs <c>y = activation(x * w + shift + residual)</c> as one call; returns false where that is
    /// impossible.</summary>
    public bool TryRunFused(
        ConvolutionPlan plan, DevicePointer x, DevicePointer w, DevicePointer y, DevicePointer shift, DevicePointer residual,
        ActivationKind activation)
    {
        try
        {
            _context.Cudnn.ConvolveBiasRelu(
                _context.CudnnHandle, plan.Operands with { X = x, W = w, Y = y }, plan.Algorithm, Workspace(plan), plan.WorkspaceBytes,
                residual.IsNull ? 0 : 1, residual.IsNull ? y : residual, plan.BiasTensor, shift,
                activation == ActivationKind.Relu ? _relu : _identity);
            return true;
        }
        catch (CudaException refusal) when (refusal.IsRefusal && !_context.IsRecording)
        {
            Note(plan, refusal);
            return false;
        }
    }

    /// <summary>Compares two ways to do the same, both of which overwrite the same destination; true if the first is faster. Must not be
    /// recorded.</summary>
    public bool IsFaster(Action first, Action second)
    {
        nint start = _context.Driver.CreateEvent(), end = _context.Driver.CreateEvent();
        float fastestFirst = float.PositiveInfinity, fastestSecond = float.PositiveInfinity;
        for (int i = 0; i < Comparisons; i++)
        {
            fastestFirst = MathF.Min(fastestFirst, Measure(first));
            fastestSecond = MathF.Min(fastestSecond, Measure(second));
        }
        _context.Driver.DestroyEvent(start);
        _context.Driver.DestroyEvent(end);
        return fastestFirst < fastestSecond;

        float Measure(Action action)
        {
            _context.Driver.Record(start, _context.Stream);
            action();
            _context.Driver.Record(end, _context.Stream);
            _context.Driver.SynchronizeEvent(end);
            return _context.Driver.Milliseconds(start, end);
        }
    }

    public void Dispose()
    {
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

    private void Convolve(ConvolutionPlan plan, DevicePointer x, DevicePointer w, DevicePointer y, float beta) =>
        _context.Cudnn.Convolve(
            _context.CudnnHandle, plan.Direction, 1, plan.Operands with { X = x, W = w, Y = y }, plan.Algorithm,
            Workspace(plan), plan.WorkspaceBytes, beta);

    private DevicePointer Workspace(ConvolutionPlan plan) =>
        plan.WorkspaceBytes == 0 ? DevicePointer.Null : _workspace.Reserve((long)plan.WorkspaceBytes);

    // Row-major matrices are the transposes of cuBLAS's: x is D x N, w is D x K, y is K x N for D values of an input, K features, N
    // samples.
    private void Multiply(ConvolutionPlan plan, DevicePointer x, DevicePointer w, DevicePointer y, float beta)
    {
        int values = plan.Shape.Input.Pixels * TensorView.Pad(plan.Shape.Input.Channels, _type);
        int features = TensorView.Pad(plan.Shape.OutputChannels, _type);
        CublasMatrix input = new(x, MatrixType, values), weights = new(w, MatrixType, values), output = new(y, MatrixType, features);
        CublasCompute compute = _options.Precision == Precision.TensorFloat32
            ? CublasCompute.Float32FastTensorFloat32
            : CublasCompute.Float32;
        switch (plan.Direction)
        {
            case ConvolutionDirection.Forward:
                Gemm(CublasOperation.Transpose, CublasOperation.None, features, plan.Batch, values, weights, input, output);
                break;
            case ConvolutionDirection.BackwardData:
                Gemm(CublasOperation.None, CublasOperation.None, values, plan.Batch, features, weights, output, input);
                break;
            default:
                Gemm(CublasOperation.None, CublasOperation.Transpose, values, features, plan.Batch, input, output, weights);
                break;
        }

        void Gemm(
            CublasOperation operationA, CublasOperation operationB, int m, int n, int k, CublasMatrix a, CublasMatrix b, CublasMatrix c) =>
            _context.Cublas.Gemm(_context.CublasHandle, operationA, operationB, m, n, k, 1, a, b, beta, c, compute);
    }

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

    private void Choose(ConvolutionPlan plan)
    {
        IEnumerable<CudnnAlgorithm> candidates = _options.Deterministic
            ? DeterministicAlgorithms[plan.Direction].Select(algorithm => new CudnnAlgorithm(algorithm, 0, 0, true, Math))
            : Usable(Measure(plan));
        foreach (CudnnAlgorithm candidate in candidates)
            plan.Candidates.Enqueue(candidate);
        TakeNext(plan);
    }

    // The size of the workspace is asked for also where measuring told it: it belongs to the kind of multiply-adds.
    private void TakeNext(ConvolutionPlan plan)
    {
        while (plan.Candidates.TryDequeue(out CudnnAlgorithm candidate))
        {
            try
            {
                _context.Cudnn.SetMath(plan.Operands.Convolution, candidate.Math);
                plan.WorkspaceBytes = _context.Cudnn.WorkspaceBytes(
                    _context.CudnnHandle, plan.Direction, plan.Operands, candidate.Algorithm);
                plan.Algorithm = candidate.Algorithm;
                return;
            }
            catch (CudaException refusal) when (refusal.IsRefusal)
            {
                plan.Refusal = refusal;
            }
        }
        string what = _options.Deterministic ? "that always gives the same bits for" : "for";
        string message = $"cuDNN {CudaInventory.CudnnVersion(_context.Cudnn.Version)} has no algorithm {what} the {plan.Direction} pass of "
            + $"{plan.Shape} at batch {plan.Batch} in {_options.Precision}; try another --precision or a newer cuDNN.";
        throw plan.Refusal is { } last ? new DeviceException($"{message} {last.Message}.", last) : new DeviceException(message);
    }

    // Where float32 was asked for, what is faster because it rounds to TF32 is not a candidate; default math may do so too, so that what
    // was measured with it comes after what was measured without, and runs without.
    private IEnumerable<CudnnAlgorithm> Usable(CudnnAlgorithm[] measured) => _options.Precision != Precision.Float32
        ? measured
        : measured.Where(candidate => candidate.Math == CudnnMath.Fma)
            .Concat(measured.Where(candidate => candidate.Math == CudnnMath.Default)
                .Select(candidate => candidate with { Math = CudnnMath.Fma }));

    // Measured on memory of its own, since measuring overwrites the output and the operands may not be written yet.
    private CudnnAlgorithm[] Measure(ConvolutionPlan plan)
    {
        long x = Bytes(plan.Shape.Input), y = Bytes(plan.Shape.Output);
        long w = Aligned(Kernels.FilterKernels.PackedBytes(plan.Shape, _type));
        (ulong free, _) = _context.Driver.MemoryInfo();
        long workspace = System.Math.Min(MeasuringWorkspace, Aligned((long)free / 4));
        using var memory = new DeviceBlock(_context, x + w + y + workspace, "the choice of convolution algorithms");
        _context.Driver.Fill(memory.Pointer, 0, (nuint)(x + w + y) / sizeof(uint), _context.Stream);
        CudnnConvolution operands = plan.Operands with
        {
            X = memory.Pointer,
            W = memory.Pointer + x,
            Y = memory.Pointer + x + w,
        };
        return _context.Cudnn.FindAlgorithms(
            _context.CudnnHandle, plan.Direction, operands, memory.Pointer + x + w + y, (nuint)workspace);

        long Bytes(FeatureShape shape) => Aligned(new TensorView(DevicePointer.Null, _type, plan.Batch, shape).Bytes);
    }

    private static long Aligned(long bytes) => (bytes + CudaTensor.Alignment - 1) / CudaTensor.Alignment * CudaTensor.Alignment;
}
