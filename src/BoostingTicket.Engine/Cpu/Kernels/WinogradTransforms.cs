using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace BoostingTicket.Engine.Cpu.Kernels;

/// <summary>The transforms of Winograd's minimal filtering (Lavin and Gray, "Fast algorithms for convolutional neural networks",
/// CVPR 2016) over tiles of 6x6 inputs: F(4x4, 3x3), 36 multiplications instead of 144 for 4x4 outputs. The interpolation points
/// are 0, ±5/8, ±3/2 and infinity: measured, half the rounding error of 0, ±1, ±2. The root mean square error grows from 9e-7
/// of the results at 64 channels to 2.5e-6 at 512.</summary>
internal static unsafe class WinogradTransforms
{
    /// <summary>Inputs of a tile along an axis.</summary>
    public const int Inputs = 6;

    /// <summary>Outputs of a tile along an axis.</summary>
    public const int Outputs = Inputs + 1 - Kernel;

    /// <summary>Inputs of a tile along an axis that give <see cref="Outputs"/> outputs, for so many taps.</summary>
    public static int InputsOf(int kernel) => Outputs + kernel - 1;

    /// <summary>Elements of a transformed tile.</summary>
    public const int Elements = Inputs * Inputs;

    /// <summary>Output channels whose weights lie side by side.</summary>
    public const int GroupSize = 4;

    /// <summary>The smaller point.</summary>
    public const float A = 0.625f;

    /// <summary>The larger point.</summary>
    public const float B = 1.5f;

    private const int Kernel = 3;
    private const double A2 = (double)A * A;
    private const double B2 = (double)B * B;


    /// <summary>Transforms four filters, one in each lane: <c>G g Gᵀ</c>.</summary>
    /// <param name="filter">The values, row after row.</param>
    /// <param name="result">Receives element after element.</param>
    /// <param name="stride">Floats from an element's four values to the next element's.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void TransformFilter(Vector256<double>* filter, float* result, nint stride)
    {
        Vector256<double>* columns = stackalloc Vector256<double>[Inputs * Kernel];
        for (int column = 0; column < Kernel; column++)
            Filter(filter + column, Kernel, columns + column, Kernel);
        Vector256<double>* row = stackalloc Vector256<double>[Inputs];
        for (int i = 0; i < Inputs; i++)
        {
            Filter(columns + Kernel * i, 1, row, 1);
            for (int j = 0; j < Inputs; j++, result += stride)
                Vector256.Narrow(row[j], row[j]).GetLower().Store(result);
        }
    }

    // The filter as a polynomial at the points, each with its factor of Lagrange's formula.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Filter(Vector256<double>* filter, int step, Vector256<double>* result, int stride)
    {
        const double NA = 1 / (2 * A2 * (A2 - B2)), NB = 1 / (2 * B2 * (B2 - A2));
        Vector256<double> g0 = filter[0], g1 = filter[step], g2 = filter[2 * step];
        Vector256<double> evenA = g0 + A2 * g2, oddA = g1 * A, evenB = g0 + B2 * g2, oddB = g1 * B;
        result[0] = g0 * (1 / (A2 * B2));
        result[stride] = (evenA + oddA) * NA;
        result[2 * stride] = (evenA - oddA) * NA;
        result[3 * stride] = (evenB + oddB) * NB;
        result[4 * stride] = (evenB - oddB) * NB;
        result[5 * stride] = g2;
    }
}

/// <summary>The transforms of tiles, sixteen images in the lanes. A channel's part of some tiles is too short a stretch of
/// memory for the hardware to foresee the next channel's, so both transforms ask for it (a third of the run time of a layer of
/// 16 channels, a tenth at 64).</summary>
/// <typeparam name="TLanes">Instructions.</typeparam>
/// <typeparam name="TVector">Their vector.</typeparam>
internal static unsafe class WinogradTransforms<TLanes, TVector>
    where TLanes : struct, ILanes<TVector>
    where TVector : struct
{
    private const int Inputs = WinogradTransforms.Inputs;
    private const float A = WinogradTransforms.A;
    private const float B = WinogradTransforms.B;

    /// <summary>Transforms some tiles of every input channel: <c>Bᵀ d B</c>. Channel after channel, so that tiles of a row
    /// of tiles are read as one stretch of memory.</summary>
    /// <param name="tiles">The tiles.</param>
    /// <param name="count">Tiles.</param>
    /// <param name="source">First value of the tensor.</param>
    /// <param name="rowStride">Floats from a row to the next.</param>
    /// <param name="channelStride">Floats from a channel to the next.</param>
    /// <param name="channels">Channels.</param>
    /// <param name="scratch">Room for 36 x 16 floats.</param>
    /// <param name="result">Receives the first element of the first channel's first tile.</param>
    /// <param name="resultChannelStride">Floats from a channel to the next; from a tile to the next it is a vector.</param>
    /// <param name="elementStride">Floats from an element to the next.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Input(
        WinogradTile* tiles, int count, float* source, nint rowStride, nint channelStride, int channels, float* scratch,
        float* result, nint resultChannelStride, nint elementStride)
    {
        const int Row = Inputs * Layout.Lanes;
        const float Product = A * A * B * B, Sum = A * A + B * B;
        TVector product = TLanes.Create(Product), minusSum = TLanes.Create(-Sum);
        TVector a = TLanes.Create(A), b = TLanes.Create(B), minusA2 = TLanes.Create(-A * A), minusB2 = TLanes.Create(-B * B);
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
                        Prefetch.Line(next);
                        Prefetch.Line(next + rowStride);
                        Prefetch.Line(next + 2 * rowStride);
                        Prefetch.Line(next + 3 * rowStride);
                        Prefetch.Line(next + 4 * rowStride);
                        Prefetch.Line(next + 5 * rowStride);
                        TVector d0 = top <= 0 ? TLanes.Load(from) : TLanes.Zero;
                        TVector d1 = top <= 1 && bottom > 1 ? TLanes.Load(from + rowStride) : TLanes.Zero;
                        TVector d2 = bottom > 2 ? TLanes.Load(from + 2 * rowStride) : TLanes.Zero;
                        TVector d3 = bottom > 3 ? TLanes.Load(from + 3 * rowStride) : TLanes.Zero;
                        TVector d4 = bottom > 4 ? TLanes.Load(from + 4 * rowStride) : TLanes.Zero;
                        TVector d5 = bottom > 5 ? TLanes.Load(from + 5 * rowStride) : TLanes.Zero;
                        TVector evenA = TLanes.MultiplyAdd(minusB2, d2, d4);
                        TVector oddA = TLanes.Multiply(a, TLanes.MultiplyAdd(minusB2, d1, d3));
                        TVector evenB = TLanes.MultiplyAdd(minusA2, d2, d4);
                        TVector oddB = TLanes.Multiply(b, TLanes.MultiplyAdd(minusA2, d1, d3));
                        TLanes.Store(to, TLanes.MultiplyAdd(product, d0, TLanes.MultiplyAdd(minusSum, d2, d4)));
                        TLanes.Store(to + Row, TLanes.Add(evenA, oddA));
                        TLanes.Store(to + 2 * Row, TLanes.Subtract(evenA, oddA));
                        TLanes.Store(to + 3 * Row, TLanes.Add(evenB, oddB));
                        TLanes.Store(to + 4 * Row, TLanes.Subtract(evenB, oddB));
                        TLanes.Store(to + 5 * Row, TLanes.MultiplyAdd(product, d1, TLanes.MultiplyAdd(minusSum, d3, d5)));
                    }
                    for (int column = right; column < Inputs; column++, to += Layout.Lanes)
                        Clear(to);
                    from = scratch + lane;
                    to = results + lane;
                    for (int row = 0; row < Inputs; row++, from += Row, to += Inputs * elementStride)
                    {
                        TVector d0 = TLanes.Load(from);
                        TVector d1 = TLanes.Load(from + Layout.Lanes);
                        TVector d2 = TLanes.Load(from + 2 * Layout.Lanes);
                        TVector d3 = TLanes.Load(from + 3 * Layout.Lanes);
                        TVector d4 = TLanes.Load(from + 4 * Layout.Lanes);
                        TVector d5 = TLanes.Load(from + 5 * Layout.Lanes);
                        float* ahead = to + resultChannelStride;
                        Prefetch.Line(ahead);
                        Prefetch.Line(ahead + elementStride);
                        Prefetch.Line(ahead + 2 * elementStride);
                        Prefetch.Line(ahead + 3 * elementStride);
                        Prefetch.Line(ahead + 4 * elementStride);
                        Prefetch.Line(ahead + 5 * elementStride);
                        TVector evenA = TLanes.MultiplyAdd(minusB2, d2, d4);
                        TVector oddA = TLanes.Multiply(a, TLanes.MultiplyAdd(minusB2, d1, d3));
                        TVector evenB = TLanes.MultiplyAdd(minusA2, d2, d4);
                        TVector oddB = TLanes.Multiply(b, TLanes.MultiplyAdd(minusA2, d1, d3));
                        TLanes.Store(to, TLanes.MultiplyAdd(product, d0, TLanes.MultiplyAdd(minusSum, d2, d4)));
                        TLanes.Store(to + elementStride, TLanes.Add(evenA, oddA));
                        TLanes.Store(to + 2 * elementStride, TLanes.Subtract(evenA, oddA));
                        TLanes.Store(to + 3 * elementStride, TLanes.Add(evenB, oddB));
                        TLanes.Store(to + 4 * elementStride, TLanes.Subtract(evenB, oddB));
                        TLanes.Store(
                            to + 5 * elementStride, TLanes.MultiplyAdd(product, d1, TLanes.MultiplyAdd(minusSum, d3, d5)));
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
    /// <param name="scratch">Room for 24 x 16 floats.</param>
    /// <param name="target">The first of the channels in the target.</param>
    /// <param name="rowStride">Floats from a row of the target to the next.</param>
    /// <param name="channelStride">Floats from a channel of the target to the next.</param>
    /// <param name="epilogue">Operands, from the same channel on.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Output(
        WinogradTile* tiles, int count, float* source, nint sourceChannelStride, nint elementStride, int channels,
        float* scratch, float* target, nint rowStride, nint channelStride, in PassEpilogue epilogue)
    {
        const int Row = Inputs * Layout.Lanes;
        const float A2 = A * A, A3 = A * A * A, B2 = B * B, B3 = B * B * B;
        float* shift = epilogue.Shift;
        TVector a = TLanes.Create(A), a2 = TLanes.Create(A2), a3 = TLanes.Create(A3);
        TVector b = TLanes.Create(B), b2 = TLanes.Create(B2), b3 = TLanes.Create(B3);
        nint first = 0;
        for (int channel = 0; channel < channels; channel++, source += sourceChannelStride, first += channelStride)
        {
            TVector summand = shift == null ? TLanes.Zero : TLanes.Broadcast(shift + channel);
            float* products = source;
            for (WinogradTile* tile = tiles; tile < tiles + count; tile++, products += Layout.Lanes)
            {
                for (int lane = 0; lane < Layout.Lanes; lane += TLanes.Width)
                {
                    float* from = products + lane, to = scratch + lane;
                    for (int column = 0; column < Inputs; column++, from += elementStride, to += Layout.Lanes)
                    {
                        TVector m0 = TLanes.Load(from);
                        TVector m1 = TLanes.Load(from + Inputs * elementStride);
                        TVector m2 = TLanes.Load(from + 2 * Inputs * elementStride);
                        TVector m3 = TLanes.Load(from + 3 * Inputs * elementStride);
                        TVector m4 = TLanes.Load(from + 4 * Inputs * elementStride);
                        TVector m5 = TLanes.Load(from + 5 * Inputs * elementStride);
                        TVector sumA = TLanes.Add(m1, m2), differenceA = TLanes.Subtract(m1, m2);
                        TVector sumB = TLanes.Add(m3, m4), differenceB = TLanes.Subtract(m3, m4);
                        TLanes.Store(to, TLanes.Add(m0, TLanes.Add(sumA, sumB)));
                        TLanes.Store(to + Row, TLanes.MultiplyAdd(a, differenceA, TLanes.Multiply(b, differenceB)));
                        TLanes.Store(to + 2 * Row, TLanes.MultiplyAdd(a2, sumA, TLanes.Multiply(b2, sumB)));
                        TLanes.Store(
                            to + 3 * Row, TLanes.MultiplyAdd(a3, differenceA, TLanes.MultiplyAdd(b3, differenceB, m5)));
                    }
                    from = scratch + lane;
                    nint at = first + tile->Target + lane;
                    for (int row = 0; row < tile->Rows; row++, from += Row, at += rowStride)
                    {
                        if (!epilogue.Streams)
                            Ask(target + at + channelStride);
                        if (epilogue.Addend != null && epilogue.Addend != target)
                            Ask(epilogue.Addend + at + channelStride);
                        if (epilogue.Mask != null)
                            Ask(epilogue.Mask + at + channelStride);
                        TVector m0 = TLanes.Load(from);
                        TVector m1 = TLanes.Load(from + Layout.Lanes);
                        TVector m2 = TLanes.Load(from + 2 * Layout.Lanes);
                        TVector m3 = TLanes.Load(from + 3 * Layout.Lanes);
                        TVector m4 = TLanes.Load(from + 4 * Layout.Lanes);
                        TVector m5 = TLanes.Load(from + 5 * Layout.Lanes);
                        TVector sumA = TLanes.Add(m1, m2), differenceA = TLanes.Subtract(m1, m2);
                        TVector sumB = TLanes.Add(m3, m4), differenceB = TLanes.Subtract(m3, m4);
                        Finish(target, at, TLanes.Add(summand, TLanes.Add(m0, TLanes.Add(sumA, sumB))), epilogue);
                        if (tile->Columns > 1)
                        {
                            TVector value = TLanes.MultiplyAdd(b, differenceB, summand);
                            Finish(target, at + Layout.Lanes, TLanes.MultiplyAdd(a, differenceA, value), epilogue);
                        }
                        if (tile->Columns > 2)
                        {
                            TVector value = TLanes.MultiplyAdd(b2, sumB, summand);
                            Finish(target, at + 2 * Layout.Lanes, TLanes.MultiplyAdd(a2, sumA, value), epilogue);
                        }
                        if (tile->Columns > 3)
                        {
                            TVector value = TLanes.MultiplyAdd(b3, differenceB, TLanes.Add(m5, summand));
                            Finish(target, at + 3 * Layout.Lanes, TLanes.MultiplyAdd(a3, differenceA, value), epilogue);
                        }
                    }
                }
            }
        }
    }

    /// <summary>Asks for the memory of a row of four outputs.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Ask(float* row)
    {
        Prefetch.Line(row);
        Prefetch.Line(row + Layout.Lanes);
        Prefetch.Line(row + 2 * Layout.Lanes);
        Prefetch.Line(row + 3 * Layout.Lanes);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Clear(float* to)
    {
        const int Row = Inputs * Layout.Lanes;
        TLanes.Store(to, TLanes.Zero);
        TLanes.Store(to + Row, TLanes.Zero);
        TLanes.Store(to + 2 * Row, TLanes.Zero);
        TLanes.Store(to + 3 * Row, TLanes.Zero);
        TLanes.Store(to + 4 * Row, TLanes.Zero);
        TLanes.Store(to + 5 * Row, TLanes.Zero);
    }

    /// <summary>Finishes a value and writes it at <c>target + at</c>; what comes after writing is the caller's.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Finish(float* target, nint at, TVector value, in PassEpilogue epilogue)
    {
        if (epilogue.Addend != null)
            value = TLanes.Add(value, TLanes.Load(epilogue.Addend + at));
        if (epilogue.Relu)
            value = TLanes.Max(TLanes.Zero, value);
        if (epilogue.Mask != null)
            value = TLanes.WherePositive(TLanes.Load(epilogue.Mask + at), value);
        if (epilogue.Streams)
            TLanes.StoreStreaming(target + at, value);
        else
            TLanes.Store(target + at, value);
    }
}

/// <summary>A tile of outputs and the inputs that it needs, of which rows <c>Top … Bottom - 1</c> and columns
/// <c>Left … Right - 1</c> lie inside the image; the others are zero.</summary>
internal struct WinogradTile
{
    /// <summary>Floats from the source's first channel to the inputs; the first of them may lie outside the image.</summary>
    public nint Source;

    /// <summary>Floats from the target's first channel to the outputs.</summary>
    public nint Target;

    /// <summary>Bounds of the inputs that exist.</summary>
    public int Top, Bottom, Left, Right;

    /// <summary>Outputs that exist along each axis, at least 1.</summary>
    public int Rows, Columns;
}
