using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace BoostingTicket.Engine.Cpu.Kernels;

/// <summary>The transforms of a stride-2 3x3 convolution's phases. Along an axis, four outputs take five pixels of the pair phase
/// (two taps, F(4, 2)) and four of the single phase (one tap, not transformed). The interpolation points are ±7/16, ±5/4 and
/// infinity: of those tried, the least rounding error (root mean square, relative: 4.4e-7 at 64 channels for F(4x4, 2x2), where
/// 0, ±1, 2 gives 1.1e-6 and F(4x4, 3x3) of <see cref="WinogradTransforms"/> 7.6e-7). Elements of a transformed tile: pair by
/// pair (row, column), pair rows by single columns (row, column), single rows by pair columns (column, row), single by single
/// (row, column), so that elements with the same weights are neighbours.</summary>
internal static unsafe class PolyphaseTransforms
{
    /// <summary>Outputs of a phase along an axis.</summary>
    public const int Outputs = 4;

    /// <summary>Elements of the pair phase along an axis.</summary>
    public const int Pairs = 5;

    /// <summary>Elements of the single phase along an axis.</summary>
    public const int Singles = 4;

    /// <summary>First element of pair rows by single columns.</summary>
    public const int PairSingle = Pairs * Pairs;

    /// <summary>First element of single rows by pair columns.</summary>
    public const int SinglePair = PairSingle + Pairs * Singles;

    /// <summary>First element of single by single.</summary>
    public const int SingleSingle = SinglePair + Singles * Pairs;

    /// <summary>Elements of a transformed tile.</summary>
    public const int Elements = SingleSingle + Singles * Singles;

    /// <summary>The smaller point.</summary>
    public const float A = 0.4375f;

    /// <summary>The larger point.</summary>
    public const float B = 1.25f;

    private const int Kernel = 3;
    private const double A2 = (double)A * A;
    private const double B2 = (double)B * B;

    /// <summary>For each element the one of the transformed filter that multiplies it.</summary>
    public static int[] WeightOf { get; } = [
        .. Enumerable.Range(0, PairSingle),
        .. Enumerable.Range(0, Pairs * Singles).Select(i => PairSingle + i / Singles),
        .. Enumerable.Range(0, Pairs * Singles).Select(i => PairSingle + Pairs + i / Singles),
        .. Enumerable.Repeat(PairSingle + 2 * Pairs, Singles * Singles),
    ];

    /// <summary>Transforms four 3x3 filters, one in each lane.</summary>
    /// <param name="filter">The values, row after row.</param>
    /// <param name="result">Receives element after element: pair by pair, pair rows, pair columns, single.</param>
    /// <param name="stride">Floats from an element's four values to the next element's.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void TransformFilter(Vector256<double>* filter, float* result, nint stride)
    {
        Vector256<double>* rows = stackalloc Vector256<double>[Pairs * Kernel];
        Vector256<double>* values = stackalloc Vector256<double>[Pairs];
        for (int column = 0; column < Kernel; column++)
            Pair(filter[column], filter[2 * Kernel + column], rows + column, Kernel);
        for (int i = 0; i < Pairs; i++)
        {
            Pair(rows[i * Kernel], rows[i * Kernel + 2], values, 1);
            for (int j = 0; j < Pairs; j++)
                Store(values[j], result + (i * Pairs + j) * stride);
            Store(rows[i * Kernel + 1], result + (PairSingle + i) * stride);
        }
        Pair(filter[Kernel], filter[Kernel + 2], values, 1);
        for (int j = 0; j < Pairs; j++)
            Store(values[j], result + (PairSingle + Pairs + j) * stride);
        Store(filter[Kernel + 1], result + (PairSingle + 2 * Pairs) * stride);
    }

    // Two taps as a polynomial at the points, each with its factor of Lagrange's formula.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Pair(Vector256<double> first, Vector256<double> second, Vector256<double>* result, int stride)
    {
        const double NA = 1 / (2 * A * (A2 - B2)), NB = 1 / (2 * B * (B2 - A2));
        result[0] = (first + second * A) * NA;
        result[stride] = (second * A - first) * NA;
        result[2 * stride] = (first + second * B) * NB;
        result[3 * stride] = (second * B - first) * NB;
        result[4 * stride] = second;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(Vector256<double> value, float* to) => Vector256.Narrow(value, value).GetLower().Store(to);
}

/// <summary>The transforms of tiles, sixteen images in the lanes.</summary>
/// <typeparam name="TLanes">Instructions.</typeparam>
/// <typeparam name="TVector">Their vector.</typeparam>
internal static unsafe class PolyphaseTransforms<TLanes, TVector>
    where TLanes : struct, ILanes<TVector>
    where TVector : struct
{
    private const int Outputs = PolyphaseTransforms.Outputs;
    private const int Pairs = PolyphaseTransforms.Pairs;
    private const int Singles = PolyphaseTransforms.Singles;
    private const int PairSingle = PolyphaseTransforms.PairSingle;
    private const int SinglePair = PolyphaseTransforms.SinglePair;
    private const int SingleSingle = PolyphaseTransforms.SingleSingle;
    private const float A = PolyphaseTransforms.A;
    private const float B = PolyphaseTransforms.B;
    private const float A2 = A * A;
    private const float B2 = B * B;

    // Columns of scratch: 5 of the pair phase and 4 of the single one.
    private const int Row = (Pairs + Singles) * Layout.Lanes;

    /// <summary>Transforms some tiles of every source channel.</summary>
    /// <typeparam name="TStep">2 where the phases alternate in the source (forward), 1 where both read all of it.</typeparam>
    /// <param name="tiles">The tiles: 9x9 or 5x5 sources.</param>
    /// <param name="count">Tiles.</param>
    /// <param name="source">First value of the tensor.</param>
    /// <param name="rowStride">Floats from a row to the next.</param>
    /// <param name="channelStride">Floats from a channel to the next.</param>
    /// <param name="channels">Channels.</param>
    /// <param name="scratch">Room for 81 x 16 floats.</param>
    /// <param name="result">Receives the first element of the first channel's first tile.</param>
    /// <param name="resultChannelStride">Floats from a channel to the next; from a tile to the next it is a vector.</param>
    /// <param name="elementStride">Floats from an element to the next.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Input<TStep>(
        WinogradTile* tiles, int count, float* source, nint rowStride, nint channelStride, int channels, float* scratch,
        float* result, nint resultChannelStride, nint elementStride)
        where TStep : struct, ICount
    {
        int step = TStep.Value, columns = Outputs * TStep.Value + 1;
        for (; channels > 0; channels--, source += channelStride, result += resultChannelStride)
        {
            float* results = result;
            for (WinogradTile* tile = tiles; tile < tiles + count; tile++, results += Layout.Lanes)
            {
                int left = tile->Left, right = tile->Right;
                for (int lane = 0; lane < Layout.Lanes; lane += TLanes.Width)
                {
                    float* from = source + tile->Source + lane;
                    for (int column = 0; column < columns; column++)
                    {
                        float* to = scratch + lane + column * Layout.Lanes;
                        if (column < left || column >= right)
                            Clear(to);
                        else
                            Down<TStep>(from + column * Layout.Lanes, rowStride, channelStride, *tile, to);
                    }
                    float* row = scratch + lane;
                    float* element = results + lane;
                    for (int i = 0; i < Pairs; i++, row += Row)
                    {
                        Across<TStep>(row, element + i * Pairs * elementStride, elementStride);
                        float* single = element + (PairSingle + i * Singles) * elementStride;
                        for (int j = 0; j < Singles; j++)
                            TLanes.Store(single + j * elementStride, TLanes.Load(row + (step * j + step - 1) * Layout.Lanes));
                    }
                    for (int i = 0; i < Singles; i++, row += Row)
                    {
                        Across<TStep>(row, element + (SinglePair + i) * elementStride, Singles * elementStride);
                        float* single = element + (SingleSingle + i * Singles) * elementStride;
                        for (int j = 0; j < Singles; j++)
                            TLanes.Store(single + j * elementStride, TLanes.Load(row + (step * j + step - 1) * Layout.Lanes));
                    }
                }
            }
        }
    }

    /// <summary>Transforms some tiles of a forward pass back, 4x4 outputs each, and finishes them.</summary>
    /// <param name="tiles">The tiles.</param>
    /// <param name="count">Tiles.</param>
    /// <param name="source">First element of the first channel's first tile.</param>
    /// <param name="sourceChannelStride">Floats from a channel to the next; from a tile to the next it is a vector.</param>
    /// <param name="elementStride">Floats from an element to the next.</param>
    /// <param name="channels">Channels.</param>
    /// <param name="scratch">Room for 36 x 16 floats.</param>
    /// <param name="target">The first of the channels in the target.</param>
    /// <param name="rowStride">Floats from a row of the target to the next.</param>
    /// <param name="channelStride">Floats from a channel of the target to the next.</param>
    /// <param name="epilogue">Operands, from the same channel on.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Output(
        WinogradTile* tiles, int count, float* source, nint sourceChannelStride, nint elementStride, int channels,
        float* scratch, float* target, nint rowStride, nint channelStride, in PassEpilogue epilogue)
    {
        float* shift = epilogue.Shift;
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
                    for (int j = 0; j < Pairs; j++, to += Layout.Lanes)
                    {
                        float* single = from + (SinglePair + j * Singles) * elementStride;
                        Back(from + j * elementStride, Pairs * elementStride, out TVector y0, out TVector y1, out TVector y2,
                            out TVector y3);
                        TLanes.Store(to, TLanes.Add(y0, TLanes.Load(single)));
                        TLanes.Store(to + Row, TLanes.Add(y1, TLanes.Load(single + elementStride)));
                        TLanes.Store(to + 2 * Row, TLanes.Add(y2, TLanes.Load(single + 2 * elementStride)));
                        TLanes.Store(to + 3 * Row, TLanes.Add(y3, TLanes.Load(single + 3 * elementStride)));
                    }
                    for (int j = 0; j < Singles; j++, to += Layout.Lanes)
                    {
                        float* single = from + (SingleSingle + j) * elementStride;
                        nint next = Singles * elementStride;
                        Back(from + (PairSingle + j) * elementStride, next, out TVector y0, out TVector y1, out TVector y2,
                            out TVector y3);
                        TLanes.Store(to, TLanes.Add(y0, TLanes.Load(single)));
                        TLanes.Store(to + Row, TLanes.Add(y1, TLanes.Load(single + next)));
                        TLanes.Store(to + 2 * Row, TLanes.Add(y2, TLanes.Load(single + 2 * next)));
                        TLanes.Store(to + 3 * Row, TLanes.Add(y3, TLanes.Load(single + 3 * next)));
                    }
                    float* row = scratch + lane;
                    nint at = first + tile->Target + lane;
                    for (int i = 0; i < tile->Rows; i++, row += Row, at += rowStride)
                    {
                        Ask(target, at + channelStride, Outputs, epilogue);
                        Back(row, Layout.Lanes, out TVector y0, out TVector y1, out TVector y2, out TVector y3);
                        Write(target, at, TLanes.Add(summand, TLanes.Add(y0, Load(row, 5))), epilogue);
                        if (tile->Columns > 1)
                            Write(target, at + Layout.Lanes, TLanes.Add(summand, TLanes.Add(y1, Load(row, 6))), epilogue);
                        if (tile->Columns > 2)
                            Write(target, at + 2 * Layout.Lanes, TLanes.Add(summand, TLanes.Add(y2, Load(row, 7))), epilogue);
                        if (tile->Columns > 3)
                            Write(target, at + 3 * Layout.Lanes, TLanes.Add(summand, TLanes.Add(y3, Load(row, 8))), epilogue);
                    }
                }
            }
        }
    }

    /// <summary>Transforms some tiles of an input gradient back, 8x8 targets each, and finishes them; parameters as of
    /// <see cref="Output"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Spread(
        WinogradTile* tiles, int count, float* source, nint sourceChannelStride, nint elementStride, int channels,
        float* scratch, float* target, nint rowStride, nint channelStride, in PassEpilogue epilogue)
    {
        float* shift = epilogue.Shift;
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
                    for (int j = 0; j < Pairs + Singles; j++, to += Layout.Lanes)
                    {
                        bool pair = j < Pairs;
                        Back(
                            from + (pair ? j : PairSingle + j - Pairs) * elementStride,
                            (pair ? Pairs : Singles) * elementStride, out TVector y0, out TVector y1, out TVector y2,
                            out TVector y3);
                        TLanes.Store(to, y0);
                        TLanes.Store(to + Row, y1);
                        TLanes.Store(to + 2 * Row, y2);
                        TLanes.Store(to + 3 * Row, y3);
                    }
                    nint at = first + tile->Target + lane;
                    for (int i = 0; i < tile->Rows; i++, at += rowStride)
                    {
                        int half = i / 2;
                        bool single = i % 2 == 0;
                        float* pairs = single
                            ? from + (SinglePair + half) * elementStride
                            : scratch + lane + half * Row;
                        float* singles = single
                            ? from + (SingleSingle + half * Singles) * elementStride
                            : scratch + lane + half * Row + Pairs * Layout.Lanes;
                        nint pairStride = single ? Singles * elementStride : Layout.Lanes;
                        nint singleStride = single ? elementStride : Layout.Lanes;
                        Ask(target, at + channelStride, 2 * Outputs, epilogue);
                        Back(pairs, pairStride, out TVector y0, out TVector y1, out TVector y2, out TVector y3);
                        int columns = tile->Columns;
                        Write(target, at, TLanes.Add(summand, TLanes.Load(singles)), epilogue);
                        if (columns > 1)
                            Write(target, at + Layout.Lanes, TLanes.Add(summand, y0), epilogue);
                        if (columns > 2)
                            Write(target, at + 2 * Layout.Lanes, Sum(summand, singles + singleStride), epilogue);
                        if (columns > 3)
                            Write(target, at + 3 * Layout.Lanes, TLanes.Add(summand, y1), epilogue);
                        if (columns > 4)
                            Write(target, at + 4 * Layout.Lanes, Sum(summand, singles + 2 * singleStride), epilogue);
                        if (columns > 5)
                            Write(target, at + 5 * Layout.Lanes, TLanes.Add(summand, y2), epilogue);
                        if (columns > 6)
                            Write(target, at + 6 * Layout.Lanes, Sum(summand, singles + 3 * singleStride), epilogue);
                        if (columns > 7)
                            Write(target, at + 7 * Layout.Lanes, TLanes.Add(summand, y3), epilogue);
                    }
                }
            }
        }
    }

    // One column of a tile: five transformed values of the pair phase, then four of the single one.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Down<TStep>(float* from, nint rowStride, nint channelStride, in WinogradTile tile, float* to)
        where TStep : struct, ICount
    {
        int step = TStep.Value, top = tile.Top, bottom = tile.Bottom;
        float* next = from + channelStride;
        for (int row = 0; row <= Outputs * TStep.Value; row++)
            Prefetch.Line(next + row * rowStride);
        TVector d0 = top <= 0 ? TLanes.Load(from) : TLanes.Zero;
        TVector d1 = bottom > step ? TLanes.Load(from + step * rowStride) : TLanes.Zero;
        TVector d2 = bottom > 2 * step ? TLanes.Load(from + 2 * step * rowStride) : TLanes.Zero;
        TVector d3 = bottom > 3 * step ? TLanes.Load(from + 3 * step * rowStride) : TLanes.Zero;
        TVector d4 = bottom > 4 * step ? TLanes.Load(from + 4 * step * rowStride) : TLanes.Zero;
        Transform(d0, d1, d2, d3, d4, to, Row);
        to += Pairs * Row;
        if (TStep.Value == 2)
        {
            d0 = bottom > 1 ? TLanes.Load(from + rowStride) : TLanes.Zero;
            d1 = bottom > 3 ? TLanes.Load(from + 3 * rowStride) : TLanes.Zero;
            d2 = bottom > 5 ? TLanes.Load(from + 5 * rowStride) : TLanes.Zero;
            d3 = bottom > 7 ? TLanes.Load(from + 7 * rowStride) : TLanes.Zero;
        }
        TLanes.Store(to, d0);
        TLanes.Store(to + Row, d1);
        TLanes.Store(to + 2 * Row, d2);
        TLanes.Store(to + 3 * Row, d3);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Across<TStep>(float* row, float* to, nint stride)
        where TStep : struct, ICount => Transform(
            TLanes.Load(row), Load(row, TStep.Value), Load(row, 2 * TStep.Value), Load(row, 3 * TStep.Value),
            Load(row, 4 * TStep.Value), to, stride);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Transform(
        TVector d0, TVector d1, TVector d2, TVector d3, TVector d4, float* to, nint stride)
    {
        TVector minusA2 = TLanes.Create(-A2), minusB2 = TLanes.Create(-B2);
        TVector oddA = TLanes.MultiplyAdd(minusB2, d1, d3), oddB = TLanes.MultiplyAdd(minusA2, d1, d3);
        TVector evenA = TLanes.Multiply(TLanes.Create(A), TLanes.MultiplyAdd(minusB2, d0, d2));
        TVector evenB = TLanes.Multiply(TLanes.Create(B), TLanes.MultiplyAdd(minusA2, d0, d2));
        TLanes.Store(to, TLanes.Add(oddA, evenA));
        TLanes.Store(to + stride, TLanes.Subtract(oddA, evenA));
        TLanes.Store(to + 2 * stride, TLanes.Add(oddB, evenB));
        TLanes.Store(to + 3 * stride, TLanes.Subtract(oddB, evenB));
        TLanes.Store(
            to + 4 * stride,
            TLanes.MultiplyAdd(TLanes.Create(A2 * B2), d0, TLanes.MultiplyAdd(TLanes.Create(-A2 - B2), d2, d4)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Back(float* from, nint stride, out TVector y0, out TVector y1, out TVector y2, out TVector y3)
    {
        TVector m0 = TLanes.Load(from), m1 = TLanes.Load(from + stride), m2 = TLanes.Load(from + 2 * stride);
        TVector m3 = TLanes.Load(from + 3 * stride), m4 = TLanes.Load(from + 4 * stride);
        TVector sumA = TLanes.Add(m0, m1), differenceA = TLanes.Subtract(m0, m1);
        TVector sumB = TLanes.Add(m2, m3), differenceB = TLanes.Subtract(m2, m3);
        y0 = TLanes.Add(sumA, sumB);
        y1 = TLanes.MultiplyAdd(TLanes.Create(A), differenceA, TLanes.Multiply(TLanes.Create(B), differenceB));
        y2 = TLanes.MultiplyAdd(TLanes.Create(A2), sumA, TLanes.Multiply(TLanes.Create(B2), sumB));
        y3 = TLanes.MultiplyAdd(
            TLanes.Create(A2 * A), differenceA, TLanes.MultiplyAdd(TLanes.Create(B2 * B), differenceB, m4));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Clear(float* to)
    {
        for (int row = 0; row < Pairs + Singles; row++)
            TLanes.Store(to + row * Row, TLanes.Zero);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Ask(float* target, nint at, int columns, in PassEpilogue epilogue)
    {
        for (int column = 0; column < columns; column++, at += Layout.Lanes)
        {
            if (!epilogue.Streams)
                Prefetch.Line(target + at);
            if (epilogue.Addend != null && epilogue.Addend != target)
                Prefetch.Line(epilogue.Addend + at);
            if (epilogue.Mask != null)
                Prefetch.Line(epilogue.Mask + at);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Load(float* row, int column) => TLanes.Load(row + column * Layout.Lanes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Sum(TVector summand, float* value) => TLanes.Add(summand, TLanes.Load(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Write(float* target, nint at, TVector value, in PassEpilogue epilogue) =>
        WinogradTransforms<TLanes, TVector>.Finish(target, at, value, epilogue);
}
