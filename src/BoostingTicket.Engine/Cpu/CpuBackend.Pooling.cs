using System.Runtime.CompilerServices;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Cpu;

internal sealed unsafe partial class CpuBackend<TLanes, TVector>
{
    public void PoolForward(PoolShape pool, Tensor x, Tensor y)
    {
        CpuTensor from = CpuTensor.Of(x), to = CpuTensor.Of(y);
        RequirePooled(pool, from, to);
        var job = new PoolForwardJob { Planes = new PooledPlanes(pool, from, to), X = from.Data, Y = to.Data };
        _pool.Run(ref job, job.Planes.Grid.Items);
    }

    public void PoolBackward(PoolShape pool, Tensor x, Tensor y, Tensor dy, Tensor dx, in GradientEpilogue epilogue)
    {
        CpuTensor input = CpuTensor.Of(x), output = CpuTensor.Of(y), from = CpuTensor.Of(dy), to = CpuTensor.Of(dx);
        RequirePooled(pool, input, output);
        RequireSame(output, from);
        RequireSame(input, to);
        var job = new PoolBackwardJob
        {
            Planes = new PooledPlanes(pool, input, output),
            X = input.Data,
            Y = output.Data,
            Dy = from.Data,
            Dx = to.Data,
            Addend = DataOrNull(epilogue.Addend, to),
            End = new DerivativeEnd(epilogue, to),
        };
        _pool.Run(ref job, job.Planes.Grid.Items);
    }

    private static void RequirePooled(PoolShape pool, CpuTensor x, CpuTensor y)
    {
        if (pool.Window < 1 || pool.Stride < 1 || pool.Window > x.Shape.Height || pool.Window > x.Shape.Width)
            throw new ArgumentException($"A window of {pool.Window} with stride {pool.Stride} does not fit the tensor {x}.");
        if (pool.Kind == PoolKind.Average && pool.Stride < pool.Window)
            throw new ArgumentException(
                $"Average pooling needs a stride of at least its window, but the stride is {pool.Stride} and the window "
                + $"{pool.Window}.");
        if (x.Batch != y.Batch || pool.Output(x.Shape) != y.Shape)
            throw new ArgumentException($"The tensor {x} is not pooled to {y} but to {x.Batch}x{pool.Output(x.Shape)}.");
    }

    /// <summary>The geometry of a pooling, in floats.</summary>
    private readonly struct PooledPlanes(PoolShape pool, CpuTensor x, CpuTensor y)
    {
        public readonly PlaneGrid Grid = new(x);
        public readonly bool IsMax = pool.Kind == PoolKind.Max;
        public readonly int Window = pool.Window;
        public readonly bool IsTiledByTwo = pool is { Kind: PoolKind.Max, Window: 2, Stride: 2 }
            && x.Shape.Height % 2 == 0 && x.Shape.Width % 2 == 0;
        public readonly int Rows = y.Shape.Height;
        public readonly int Columns = y.Shape.Width;
        public readonly nint XBlock = x.BlockStride;
        public readonly nint XChannel = x.ChannelStride;
        public readonly nint XRow = (nint)x.Shape.Width * Layout.Lanes;
        public readonly nint XStep = (nint)pool.Stride * Layout.Lanes;
        public readonly nint XRowStep = (nint)pool.Stride * x.Shape.Width * Layout.Lanes;
        public readonly nint YBlock = y.BlockStride;
        public readonly nint YChannel = y.ChannelStride;
        public readonly nint YRow = (nint)y.Shape.Width * Layout.Lanes;
    }

    private struct PoolForwardJob : IParallelJob
    {
        public PooledPlanes Planes;
        public float* X, Y;

        public readonly void Run(int item, int worker)
        {
            Planes.Grid.Locate(item, out int block, out int first, out int end);
            for (int channel = first; channel < end; channel++)
            {
                float* x = X + block * Planes.XBlock + channel * Planes.XChannel;
                float* y = Y + block * Planes.YBlock + channel * Planes.YChannel;
                for (int row = 0; row < Planes.Rows; row++, x += Planes.XRowStep, y += Planes.YRow)
                {
                    if (!Planes.IsMax)
                        AverageRow(x, Planes.XRow, Planes.XStep, Planes.Window, y, Planes.YRow);
                    else if (Planes.Window == 2)
                        MaxRowOfTwo(x, Planes.XRow, Planes.XStep, y, Planes.YRow);
                    else
                        MaxRow(x, Planes.XRow, Planes.XStep, Planes.Window, y, Planes.YRow);
                }
            }
        }
    }

    private struct PoolBackwardJob : IParallelJob
    {
        public PooledPlanes Planes;
        public float* X, Y, Dy, Dx, Addend;
        public DerivativeEnd End;

        // Where windows of two tile the plane, each result is written once. Otherwise three sweeps of a plane, which stays in the
        // cache: begin with the addend, add the windows, apply the mask.
        public readonly void Run(int item, int worker)
        {
            Planes.Grid.Locate(item, out int block, out int first, out int end);
            for (int channel = first; channel < end; channel++)
            {
                nint at = block * Planes.XBlock + channel * Planes.XChannel;
                float* dx = Dx + at;
                if (Planes.IsTiledByTwo)
                {
                    SetWindows(at, block * Planes.YBlock + channel * Planes.YChannel);
                    End.Finish(Dx, at, Planes.XChannel);
                    continue;
                }
                long bytes = Planes.XChannel * sizeof(float);
                if (Addend == null)
                    new Span<byte>(dx, (int)bytes).Clear();
                else if (Addend != Dx)
                    Buffer.MemoryCopy(Addend + at, dx, bytes, bytes);
                AddWindows(X + at, block * Planes.YBlock + channel * Planes.YChannel, dx);
                if (End.ReluOutput != null)
                    ScaleGradient(dx, 1, null, End.ReluOutput + at, dx, (int)Planes.XChannel);
                End.Finish(Dx, at, Planes.XChannel);
            }
        }

        private readonly void SetWindows(nint at, nint pooled)
        {
            for (int row = 0; row < Planes.Rows; row++, at += Planes.XRowStep, pooled += Planes.YRow)
            {
                MaxRowOfTwoBackward(
                    X + at, Y + pooled, Dy + pooled, Planes.XRow, Addend == null ? null : Addend + at,
                    End.ReluOutputAt(at), Dx + at, Planes.YRow);
            }
        }

        private readonly void AddWindows(float* x, nint pooled, float* dx)
        {
            float* y = Y + pooled, dy = Dy + pooled;
            for (int row = 0; row < Planes.Rows; row++)
            {
                if (!Planes.IsMax)
                    AverageRowBackward(dy, Planes.XRow, Planes.XStep, Planes.Window, dx, Planes.YRow);
                else
                    MaxRowBackward(x, y, dy, Planes.XRow, Planes.XStep, Planes.Window, dx, Planes.YRow);
                x += Planes.XRowStep;
                dx += Planes.XRowStep;
                y += Planes.YRow;
                dy += Planes.YRow;
            }
        }
    }

    /// <summary>The larger, NaN if either is.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector MaxOrNaN(TVector a, TVector b) => TLanes.WhereEqual(a, a, TLanes.Max(a, b), a);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void MaxRow(float* x, nint xRow, nint xStep, int window, float* y, nint yRow)
    {
        for (int group = 0; group < Layout.Lanes; group += TLanes.Width)
        {
            float* corner = x + group;
            for (nint i = group; i < yRow; i += Layout.Lanes, corner += xStep)
            {
                TVector largest = TLanes.Load(corner);
                float* line = corner;
                for (int v = 0; v < window; v++, line += xRow)
                {
                    for (int u = 0; u < window; u++)
                        largest = MaxOrNaN(largest, TLanes.Load(line + u * Layout.Lanes));
                }
                TLanes.Store(y + i, largest);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void MaxRowOfTwo(float* x, nint xRow, nint xStep, float* y, nint yRow)
    {
        for (int group = 0; group < Layout.Lanes; group += TLanes.Width)
        {
            float* corner = x + group;
            for (nint i = group; i < yRow; i += Layout.Lanes, corner += xStep)
            {
                TVector above = MaxOrNaN(TLanes.Load(corner), TLanes.Load(corner + Layout.Lanes));
                TVector below = MaxOrNaN(TLanes.Load(corner + xRow), TLanes.Load(corner + xRow + Layout.Lanes));
                TLanes.Store(y + i, MaxOrNaN(above, below));
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AverageRow(float* x, nint xRow, nint xStep, int window, float* y, nint yRow)
    {
        TVector count = TLanes.Create((float)window * window);
        for (int group = 0; group < Layout.Lanes; group += TLanes.Width)
        {
            float* corner = x + group;
            for (nint i = group; i < yRow; i += Layout.Lanes, corner += xStep)
            {
                TVector sum = TLanes.Zero;
                float* line = corner;
                for (int v = 0; v < window; v++, line += xRow)
                {
                    TVector lineSum = TLanes.Load(line);
                    for (int u = 1; u < window; u++)
                        lineSum = TLanes.Add(lineSum, TLanes.Load(line + u * Layout.Lanes));
                    sum = TLanes.Add(sum, lineSum);
                }
                TLanes.Store(y + i, TLanes.Divide(sum, count));
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void MaxRowBackward(
        float* x, float* y, float* dy, nint xRow, nint xStep, int window, float* dx, nint yRow)
    {
        TVector zero = TLanes.Zero;
        for (int group = 0; group < Layout.Lanes; group += TLanes.Width)
        {
            nint corner = group;
            for (nint i = group; i < yRow; i += Layout.Lanes, corner += xStep)
            {
                TVector largest = TLanes.Load(y + i), left = TLanes.Load(dy + i);
                nint line = corner;
                for (int v = 0; v < window; v++, line += xRow)
                {
                    nint end = line + window * Layout.Lanes;
                    for (nint at = line; at < end; at += Layout.Lanes)
                    {
                        TVector value = TLanes.Load(x + at);
                        TVector mine = TLanes.WhereEqual(value, largest, left, zero);
                        left = TLanes.WhereEqual(value, largest, zero, left);
                        TLanes.Store(dx + at, TLanes.Add(TLanes.Load(dx + at), mine));
                    }
                }
            }
        }
    }

    /// <summary>Windows of two that do not overlap: their gradient, the addend and the ReLU's mask in one go.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void MaxRowOfTwoBackward(
        float* x, float* y, float* dy, nint xRow, float* addend, float* reluOutput, float* dx, nint yRow)
    {
        TVector zero = TLanes.Zero;
        for (int group = 0; group < Layout.Lanes; group += TLanes.Width)
        {
            nint at = group;
            for (nint i = group; i < yRow; i += Layout.Lanes, at += 2 * Layout.Lanes)
            {
                TVector largest = TLanes.Load(y + i), left = TLanes.Load(dy + i);
                TVector a = TLanes.Load(x + at), b = TLanes.Load(x + at + Layout.Lanes);
                TVector c = TLanes.Load(x + at + xRow), d = TLanes.Load(x + at + xRow + Layout.Lanes);
                TVector ofA = TLanes.WhereEqual(a, largest, left, zero);
                left = TLanes.WhereEqual(a, largest, zero, left);
                TVector ofB = TLanes.WhereEqual(b, largest, left, zero);
                left = TLanes.WhereEqual(b, largest, zero, left);
                TVector ofC = TLanes.WhereEqual(c, largest, left, zero);
                left = TLanes.WhereEqual(c, largest, zero, left);
                TVector ofD = TLanes.WhereEqual(d, largest, left, zero);
                Set(dx, at, ofA, addend, reluOutput);
                Set(dx, at + Layout.Lanes, ofB, addend, reluOutput);
                Set(dx, at + xRow, ofC, addend, reluOutput);
                Set(dx, at + xRow + Layout.Lanes, ofD, addend, reluOutput);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Set(float* dx, nint at, TVector value, float* addend, float* reluOutput)
    {
        if (addend != null)
            value = TLanes.Add(value, TLanes.Load(addend + at));
        if (reluOutput != null)
            value = TLanes.WherePositive(TLanes.Load(reluOutput + at), value);
        TLanes.Store(dx + at, value);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AverageRowBackward(float* dy, nint xRow, nint xStep, int window, float* dx, nint yRow)
    {
        TVector count = TLanes.Create((float)window * window);
        for (int group = 0; group < Layout.Lanes; group += TLanes.Width)
        {
            nint corner = group;
            for (nint i = group; i < yRow; i += Layout.Lanes, corner += xStep)
            {
                TVector share = TLanes.Divide(TLanes.Load(dy + i), count);
                nint line = corner;
                for (int v = 0; v < window; v++, line += xRow)
                {
                    nint end = line + window * Layout.Lanes;
                    for (nint at = line; at < end; at += Layout.Lanes)
                        AddTo(dx + at, share);
                }
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddTo(float* destination, TVector value) =>
        TLanes.Store(destination, TLanes.Add(TLanes.Load(destination), value));
}
