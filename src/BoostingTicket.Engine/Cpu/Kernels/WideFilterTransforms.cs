using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace BoostingTicket.Engine.Cpu.Kernels;

/// <summary>Winograd's F(4x4, 5x5) over tiles of 8x8 inputs: 64 multiplications instead of 400 for 4x4 outputs. The interpolation
/// points are 0, ±1/2, ±1, ±2 and infinity. The root mean square error is 3.3e-6 of the results at 64 channels, a little more
/// than that of F(4x4, 3x3) at 512 (<see cref="WinogradTransforms"/>).</summary>
internal static unsafe class WideFilterTransforms
{
    /// <summary>Rows and columns of a filter.</summary>
    public const int Kernel = 5;

    /// <summary>Inputs of a tile along an axis.</summary>
    public const int Inputs = 8;

    /// <summary>Outputs of a tile along an axis.</summary>
    public const int Outputs = Inputs + 1 - Kernel;

    /// <summary>The points but for infinity, opposite ones side by side.</summary>
    private static readonly double[] Points = [0, 0.5, -0.5, 1, -1, 2, -2];

    // For each element along an axis, what a filter's taps are multiplied by: the powers of its point, divided by the factor of
    // Lagrange's formula.
    private static readonly double[][] Rows = [
        .. Points.Select(point => Powers(point, 1 / Points.Where(other => other != point).Aggregate(
            1.0, (product, other) => product * (point - other)))),
        [0, 0, 0, 0, 1],
    ];

    /// <summary>Transforms four filters, one in each lane: <c>G g Gᵀ</c>.</summary>
    /// <param name="filter">The values, row after row.</param>
    /// <param name="result">Receives element after element.</param>
    /// <param name="stride">Floats from an element's four values to the next element's.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void TransformFilter(Vector256<double>* filter, float* result, nint stride)
    {
        Vector256<double>* row = stackalloc Vector256<double>[Kernel];
        foreach (double[] down in Rows)
        {
            for (int column = 0; column < Kernel; column++)
            {
                row[column] = Vector256<double>.Zero;
                for (int tap = 0; tap < Kernel; tap++)
                    row[column] += filter[tap * Kernel + column] * down[tap];
            }
            foreach (double[] across in Rows)
            {
                Vector256<double> value = Vector256<double>.Zero;
                for (int tap = 0; tap < Kernel; tap++)
                    value += row[tap] * across[tap];
                Vector256.Narrow(value, value).GetLower().Store(result);
                result += stride;
            }
        }
    }

    private static double[] Powers(double point, double factor) =>
        [.. Enumerable.Range(0, Kernel).Select(tap => Math.Pow(point, tap) * factor)];
}

/// <summary>The transforms of tiles, sixteen images in the lanes. As in <see cref="WinogradTransforms{TLanes,TVector}"/> both ask
/// for the next channel's memory.</summary>
/// <typeparam name="TLanes">Instructions.</typeparam>
/// <typeparam name="TVector">Their vector.</typeparam>
internal static unsafe class WideFilterTransforms<TLanes, TVector>
    where TLanes : struct, ILanes<TVector>
    where TVector : struct
{
    private const int Inputs = WideFilterTransforms.Inputs;
    private const int Row = Inputs * Layout.Lanes;

    /// <summary>Transforms some tiles of every input channel: <c>Bᵀ d B</c>.</summary>
    /// <param name="tiles">The tiles.</param>
    /// <param name="count">Tiles.</param>
    /// <param name="source">First value of the tensor.</param>
    /// <param name="rowStride">Floats from a row to the next.</param>
    /// <param name="channelStride">Floats from a channel to the next.</param>
    /// <param name="channels">Channels.</param>
    /// <param name="scratch">Room for 64 x 16 floats.</param>
    /// <param name="result">Receives the first element of the first channel's first tile.</param>
    /// <param name="resultChannelStride">Floats from a channel to the next; from a tile to the next it is a vector.</param>
    /// <param name="elementStride">Floats from an element to the next.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Input(
        WinogradTile* tiles, int count, float* source, nint rowStride, nint channelStride, int channels, float* scratch,
        float* result, nint resultChannelStride, nint elementStride)
    {
        for (; channels > 0; channels--, source += channelStride, result += resultChannelStride)
        {
            float* results = result;
            for (WinogradTile* tile = tiles; tile < tiles + count; tile++, results += Layout.Lanes)
            {
                int top = tile->Top, bottom = tile->Bottom, left = tile->Left, right = tile->Right;
                for (int lane = 0; lane < Layout.Lanes; lane += TLanes.Width)
                {
                    float* to = scratch + lane;
                    for (int column = 0; column < left; column++, to += Layout.Lanes)
                        Clear(to);
                    float* from = source + tile->Source + left * Layout.Lanes + lane;
                    for (int column = left; column < right; column++, from += Layout.Lanes, to += Layout.Lanes)
                    {
                        float* next = from + channelStride;
                        for (int row = 0; row < Inputs; row++, next += rowStride)
                            Prefetch.Line(next);
                        There(
                            top <= 0 ? TLanes.Load(from) : TLanes.Zero,
                            top <= 1 && bottom > 1 ? TLanes.Load(from + rowStride) : TLanes.Zero,
                            bottom > 2 ? TLanes.Load(from + 2 * rowStride) : TLanes.Zero,
                            bottom > 3 ? TLanes.Load(from + 3 * rowStride) : TLanes.Zero,
                            bottom > 4 ? TLanes.Load(from + 4 * rowStride) : TLanes.Zero,
                            bottom > 5 ? TLanes.Load(from + 5 * rowStride) : TLanes.Zero,
                            bottom > 6 ? TLanes.Load(from + 6 * rowStride) : TLanes.Zero,
                            bottom > 7 ? TLanes.Load(from + 7 * rowStride) : TLanes.Zero, to, Row);
                    }
                    for (int column = right; column < Inputs; column++, to += Layout.Lanes)
                        Clear(to);
                    from = scratch + lane;
                    to = results + lane;
                    for (int row = 0; row < Inputs; row++, from += Row, to += Inputs * elementStride)
                    {
                        float* ahead = to + resultChannelStride;
                        for (int element = 0; element < Inputs; element++, ahead += elementStride)
                            Prefetch.Line(ahead);
                        There(
                            TLanes.Load(from), TLanes.Load(from + Layout.Lanes), TLanes.Load(from + 2 * Layout.Lanes),
                            TLanes.Load(from + 3 * Layout.Lanes), TLanes.Load(from + 4 * Layout.Lanes),
                            TLanes.Load(from + 5 * Layout.Lanes), TLanes.Load(from + 6 * Layout.Lanes),
                            TLanes.Load(from + 7 * Layout.Lanes), to, elementStride);
                    }
                }
            }
        }
    }

    /// <summary>Transforms some tiles of some output channels back, <c>Aᵀ m A</c>, and finishes them.</summary>
    /// <param name="tiles">The tiles.</param>
    /// <param name="count">Tiles.</param>
    /// <param name="source">First element of the first channel's first tile.</param>
    /// <param name="sourceChannelStride">Floats from a channel to the next; from a tile to the next it is a vector.</param>
    /// <param name="elementStride">Floats from an element to the next.</param>
    /// <param name="channels">Channels.</param>
    /// <param name="scratch">Room for 32 x 16 floats.</param>
    /// <param name="target">The first of the channels in the target.</param>
    /// <param name="rowStride">Floats from a row of the target to the next.</param>
    /// <param name="channelStride">Floats from a channel of the target to the next.</param>
    /// <param name="epilogue">Operands, from the same channel on.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Output(
        WinogradTile* tiles, int count, float* source, nint sourceChannelStride, nint elementStride, int channels,
        float* scratch, float* target, nint rowStride, nint channelStride, in PassEpilogue epilogue)
    {
        nint first = 0;
        for (int channel = 0; channel < channels; channel++, source += sourceChannelStride, first += channelStride)
        {
            TVector summand = epilogue.Shift == null ? TLanes.Zero : TLanes.Broadcast(epilogue.Shift + channel);
            float* products = source;
            for (WinogradTile* tile = tiles; tile < tiles + count; tile++, products += Layout.Lanes)
            {
                for (int lane = 0; lane < Layout.Lanes; lane += TLanes.Width)
                {
                    float* from = products + lane, to = scratch + lane;
                    for (int column = 0; column < Inputs; column++, from += elementStride, to += Layout.Lanes)
                    {
                        Back(
                            from, Inputs * elementStride, TLanes.Zero, out TVector y0, out TVector y1, out TVector y2,
                            out TVector y3);
                        TLanes.Store(to, y0);
                        TLanes.Store(to + Row, y1);
                        TLanes.Store(to + 2 * Row, y2);
                        TLanes.Store(to + 3 * Row, y3);
                    }
                    from = scratch + lane;
                    nint at = first + tile->Target + lane;
                    for (int row = 0; row < tile->Rows; row++, from += Row, at += rowStride)
                    {
                        if (!epilogue.Streams)
                            WinogradTransforms<TLanes, TVector>.Ask(target + at + channelStride);
                        if (epilogue.Addend != null && epilogue.Addend != target)
                            WinogradTransforms<TLanes, TVector>.Ask(epilogue.Addend + at + channelStride);
                        if (epilogue.Mask != null)
                            WinogradTransforms<TLanes, TVector>.Ask(epilogue.Mask + at + channelStride);
                        Back(
                            from, Layout.Lanes, summand, out TVector y0, out TVector y1, out TVector y2, out TVector y3);
                        WinogradTransforms<TLanes, TVector>.Finish(target, at, y0, epilogue);
                        if (tile->Columns > 1)
                            WinogradTransforms<TLanes, TVector>.Finish(target, at + Layout.Lanes, y1, epilogue);
                        if (tile->Columns > 2)
                            WinogradTransforms<TLanes, TVector>.Finish(target, at + 2 * Layout.Lanes, y2, epilogue);
                        if (tile->Columns > 3)
                            WinogradTransforms<TLanes, TVector>.Finish(target, at + 3 * Layout.Lanes, y3, epilogue);
                    }
                }
            }
        }
    }

    // Inputs along an axis at the points: the even and the odd powers apart, since opposite points share them.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void There(
        TVector d0, TVector d1, TVector d2, TVector d3, TVector d4, TVector d5, TVector d6, TVector d7, float* to, nint stride)
    {
        TVector ends = TLanes.Create(5.25f), middle = TLanes.Create(-4.25f), half = TLanes.Create(0.5f);
        TVector two = TLanes.Create(2f), odds = TLanes.Create(-2.5f);
        TLanes.Store(to, TLanes.MultiplyAdd(ends, TLanes.Subtract(d2, d4), TLanes.Subtract(d6, d0)));
        Pair(
            TLanes.MultiplyAdd(TLanes.Create(4f), d2, TLanes.MultiplyAdd(TLanes.Create(-5f), d4, d6)),
            TLanes.MultiplyAdd(two, d1, TLanes.MultiplyAdd(odds, d3, TLanes.Multiply(half, d5))), to + stride, stride);
        Pair(
            TLanes.MultiplyAdd(middle, d4, TLanes.Add(d2, d6)), TLanes.MultiplyAdd(middle, d3, TLanes.Add(d1, d5)),
            to + 3 * stride, stride);
        Pair(
            TLanes.MultiplyAdd(TLanes.Create(0.25f), d2, TLanes.MultiplyAdd(TLanes.Create(-1.25f), d4, d6)),
            TLanes.MultiplyAdd(half, d1, TLanes.MultiplyAdd(odds, d3, TLanes.Multiply(two, d5))), to + 5 * stride, stride);
        TLanes.Store(to + 7 * stride, TLanes.MultiplyAdd(ends, TLanes.Subtract(d3, d5), TLanes.Subtract(d7, d1)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Pair(TVector even, TVector odd, float* to, nint stride)
    {
        TLanes.Store(to, TLanes.Add(even, odd));
        TLanes.Store(to + stride, TLanes.Subtract(even, odd));
    }

    // Products along an axis, as outputs to which something is added.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Back(
        float* from, nint stride, TVector summand, out TVector y0, out TVector y1, out TVector y2, out TVector y3)
    {
        TVector a = TLanes.Load(from + stride), b = TLanes.Load(from + 2 * stride);
        TVector sumHalf = TLanes.Add(a, b), differenceHalf = TLanes.Subtract(a, b);
        a = TLanes.Load(from + 3 * stride);
        b = TLanes.Load(from + 4 * stride);
        TVector sumOne = TLanes.Add(summand, TLanes.Add(a, b)), differenceOne = TLanes.Add(summand, TLanes.Subtract(a, b));
        a = TLanes.Load(from + 5 * stride);
        b = TLanes.Load(from + 6 * stride);
        TVector sumTwo = TLanes.Add(a, b), differenceTwo = TLanes.Subtract(a, b);
        y0 = TLanes.Add(TLanes.Add(TLanes.Load(from), sumOne), TLanes.Add(sumHalf, sumTwo));
        y1 = Weighted(0.5f, differenceHalf, 2, differenceTwo, differenceOne);
        y2 = Weighted(0.25f, sumHalf, 4, sumTwo, sumOne);
        y3 = Weighted(
            0.125f, differenceHalf, 8, differenceTwo, TLanes.Add(differenceOne, TLanes.Load(from + 7 * stride)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Weighted(float a, TVector x, float b, TVector y, TVector z) =>
        TLanes.MultiplyAdd(TLanes.Create(a), x, TLanes.MultiplyAdd(TLanes.Create(b), y, z));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Clear(float* to)
    {
        for (int row = 0; row < Inputs; row++, to += Row)
            TLanes.Store(to, TLanes.Zero);
    }
}
