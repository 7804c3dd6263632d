using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cuda.Bindings;

namespace BoostingTicket.Engine.Cuda.Kernels;

/// <summary>Pooling (<c>kernels/pooling.cu</c>). Tensors of one call have one element type; means are taken in
/// float32.</summary>
internal sealed class PoolingKernels
{
    private const string Family = "pooling";

    /// <summary>Threads of a block: few, so that small outputs spread over the GPU.</summary>
    private const int BlockThreads = 128;

    /// <summary>The window and stride that have kernels of their own.</summary>
    private const int FixedWindow = 2;

    private readonly KernelLibrary _library;
    private readonly TypedFunction _maxFixed;
    private readonly TypedFunction _maxAny;
    private readonly TypedFunction _average;
    private readonly TypedFunction _maxBackwardFixed;
    private readonly TypedFunction _maxBackwardCells;
    private readonly TypedFunction _maxBackwardOverlap;
    private readonly TypedFunction _averageBackward;

    /// <summary>Loads the kernels.</summary>
    public PoolingKernels(KernelLibrary library)
    {
        _library = library;
        _maxFixed = new TypedFunction(library, Family, "max_pool_fixed");
        _maxAny = new TypedFunction(library, Family, "max_pool_any");
        _average = new TypedFunction(library, Family, "average_pool");
        _maxBackwardFixed = new TypedFunction(library, Family, "max_pool_backward_fixed");
        _maxBackwardCells = new TypedFunction(library, Family, "max_pool_backward_cells");
        _maxBackwardOverlap = new TypedFunction(library, Family, "max_pool_backward_overlap");
        _averageBackward = new TypedFunction(library, Family, "average_pool_backward");
    }

    /// <summary>Pools <paramref name="x"/> into <paramref name="y"/>.</summary>
    /// <exception cref="ArgumentException">The tensors do not fit the pooling.</exception>
    public void Forward(PoolShape pool, TensorView x, TensorView y)
    {
        RequirePooled(pool, x, y);
        TypedFunction function = pool.Kind == PoolKind.Average ? _average : IsFixed(pool) ? _maxFixed : _maxAny;
        uint count = VectorCount(y.Pixels, y);
        _library.Launch(
            function.For(x), KernelLibrary.OneEach(count, BlockThreads), x.Data, x.Shape.Height, x.Shape.Width, y.Shape.Height,
            y.Shape.Width, pool.Window, pool.Stride, Vectors(x), count, y.Data);
    }

    /// <summary>Gradient of pooling: <c>dx = (gradient + addend) * activation'(through)</c>, with a gradient of zero
    /// outside every window.</summary>
    /// <param name="pool">The pooling.</param>
    /// <param name="x">The forward pass's input. Average pooling takes its shape only.</param>
    /// <param name="y">The forward pass's output. Average pooling takes its shape only.</param>
    /// <param name="dy">Gradient of the output.</param>
    /// <param name="dx">Gradient of the input; may be the addend, nothing else.</param>
    /// <param name="addend">A gradient to add, or null.</param>
    /// <param name="through">What the activation's derivative is taken from, or null.</param>
    /// <param name="activation">The activation that the gradient goes back through.</param>
    /// <exception cref="ArgumentException">The tensors do not fit the pooling.</exception>
    public void Backward(
        PoolShape pool, TensorView x, TensorView y, TensorView dy, TensorView dx, TensorView? addend, TensorView? through,
        Activation activation)
    {
        RequirePooled(pool, x, y);
        TensorChecks.RequireAlike(y, dy, nameof(dy));
        TensorChecks.RequireAlike(x, dx, nameof(dx));
        TensorChecks.RequireAlike(x, addend, nameof(addend));
        TensorChecks.RequireAlike(x, through, nameof(through));
        DevicePointer summand = TensorChecks.DataOrNull(addend), points = TensorChecks.DataOrNull(through);
        int function = (int)activation.Kind;
        float slope = activation.Slope;
        int height = x.Shape.Height, width = x.Shape.Width, outHeight = y.Shape.Height, outWidth = y.Shape.Width;
        int vectors = Vectors(x);
        if (pool.Kind == PoolKind.Average)
        {
            uint count = VectorCount(x.Pixels, x);
            _library.Launch(
                _averageBackward.For(x), KernelLibrary.OneEach(count, BlockThreads), dy.Data, summand, points, function, slope,
                height, width, outHeight, outWidth, pool.Window, pool.Stride, vectors, count, dx.Data);
        }
        else if (pool.Stride < pool.Window)
        {
            uint count = VectorCount(x.Pixels, x);
            _library.Launch(
                _maxBackwardOverlap.For(x), KernelLibrary.OneEach(count, BlockThreads), x.Data, y.Data, dy.Data, summand, points,
                function, slope, height, width, outHeight, outWidth, pool.Window, pool.Stride, vectors, count, dx.Data);
        }
        else
        {
            int rows = (height + pool.Stride - 1) / pool.Stride, columns = (width + pool.Stride - 1) / pool.Stride;
            uint count = VectorCount((long)x.Batch * rows * columns, x);
            if (IsFixed(pool))
            {
                _library.Launch(
                    _maxBackwardFixed.For(x), KernelLibrary.OneEach(count, BlockThreads), x.Data, dy.Data, summand, points,
                    function, slope, height, width, outHeight, outWidth, pool.Window, pool.Stride, vectors, rows, columns, count,
                    dx.Data);
            }
            else
            {
                _library.Launch(
                    _maxBackwardCells.For(x), KernelLibrary.OneEach(count, BlockThreads), x.Data, y.Data, dy.Data, summand,
                    points, function, slope, height, width, outHeight, outWidth, pool.Window, pool.Stride,
                    vectors, rows, columns, count,
                    dx.Data);
            }
        }
    }

    private static bool IsFixed(PoolShape pool) => pool is { Window: FixedWindow, Stride: FixedWindow };

    private static int Vectors(in TensorView tensor) => tensor.PhysicalChannels / tensor.VectorLength;

    /// <summary>Vectors of some pixels, which kernels number by 32 bits.</summary>
    private static uint VectorCount(long pixels, in TensorView tensor)
    {
        long count = pixels * Vectors(tensor);
        if (count > int.MaxValue)
        {
            throw new ArgumentException(
                $"A tensor of {tensor.Batch}x{tensor.Shape} is more than the pooling kernels can number; use a smaller batch.");
        }
        return (uint)count;
    }

    private static void RequirePooled(PoolShape pool, in TensorView x, in TensorView y)
    {
        if (pool.Window < 1 || pool.Stride < 1 || pool.Window > x.Shape.Height || pool.Window > x.Shape.Width)
        {
            throw new ArgumentException(
                $"A window of {pool.Window} with stride {pool.Stride} does not fit a tensor of {x.Batch}x{x.Shape}.");
        }
        if (pool.Kind == PoolKind.Average && pool.Stride < pool.Window)
        {
            throw new ArgumentException(
                $"Average pooling needs a stride of at least its window, but the stride is {pool.Stride} and the window "
                + $"{pool.Window}.");
        }
        TensorChecks.RequireAlike(x with { Shape = pool.Output(x.Shape) }, y, nameof(y));
    }
}
