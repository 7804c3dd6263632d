using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace BoostingTicket.Engine.Cpu.Kernels;

/// <summary>The back transform of Winograd's F(3x3, 4x4) for filter gradients, at the points of
/// <see cref="WinogradTransforms"/>.</summary>
internal static unsafe class WinogradGradientTransforms
{
    private const int Inputs = WinogradTransforms.Inputs;
    private const int Kernel = 3;
    private const float A = WinogradTransforms.A;
    private const float B = WinogradTransforms.B;
    private const float A2 = A * A;
    private const float B2 = B * B;

    // Lagrange's factors of the points, left out of the gradients' transform; rounded once.
    private const float NZero = (float)(1 / ((double)A2 * B2));
    private const float NA = (float)(1 / (2 * (double)A2 * ((double)A2 - B2)));
    private const float NB = (float)(1 / (2 * (double)B2 * ((double)B2 - A2)));

    /// <summary>Transforms the sums of four filters, one in each lane, back: nine taps.</summary>
    /// <param name="sums">Four values of the first element.</param>
    /// <param name="stride">Floats from an element to the next.</param>
    /// <param name="taps">Receives four values of each tap, row after row.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Back(float* sums, nint stride, float* taps)
    {
        Vector128<float>* rows = stackalloc Vector128<float>[Kernel * Inputs];
        for (int column = 0; column < Inputs; column++)
        {
            float* from = sums + column * stride;
            nint next = Inputs * stride;
            Axis(
                Vector128.Load(from), Vector128.Load(from + next), Vector128.Load(from + 2 * next),
                Vector128.Load(from + 3 * next), Vector128.Load(from + 4 * next), Vector128.Load(from + 5 * next),
                out rows[column], out rows[Inputs + column], out rows[2 * Inputs + column]);
        }
        for (int row = 0; row < Kernel; row++)
        {
            Vector128<float>* m = rows + row * Inputs;
            Axis(
                m[0], m[1], m[2], m[3], m[4], m[5], out Vector128<float> y0, out Vector128<float> y1, out Vector128<float> y2);
            float* to = taps + row * Kernel * Vector128<float>.Count;
            y0.Store(to);
            y1.Store(to + Vector128<float>.Count);
            y2.Store(to + 2 * Vector128<float>.Count);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Axis(
        Vector128<float> m0, Vector128<float> m1, Vector128<float> m2, Vector128<float> m3, Vector128<float> m4,
        Vector128<float> m5, out Vector128<float> y0, out Vector128<float> y1, out Vector128<float> y2)
    {
        Vector128<float> sumA = (m1 + m2) * NA, differenceA = (m1 - m2) * NA;
        Vector128<float> sumB = (m3 + m4) * NB, differenceB = (m3 - m4) * NB;
        y0 = m0 * NZero + (sumA + sumB);
        y1 = differenceA * A + differenceB * B;
        y2 = sumA * A2 + sumB * B2 + m5;
    }
}

/// <summary>The transform of output gradients for filter gradients, sixteen images in the lanes.</summary>
/// <typeparam name="TLanes">Instructions.</typeparam>
/// <typeparam name="TVector">Their vector.</typeparam>
internal static unsafe class WinogradGradientTransforms<TLanes, TVector>
    where TLanes : struct, ILanes<TVector>
    where TVector : struct
{
    private const int Inputs = WinogradTransforms.Inputs;
    private const int Outputs = 4;
    private const float A = WinogradTransforms.A;
    private const float B = WinogradTransforms.B;

    /// <summary>Transforms some tiles of 4x4 output gradients of some channels: G d Gᵀ without Lagrange's factors.</summary>
    /// <param name="tiles">The tiles; <see cref="WinogradTile.Target"/> and its bounds count.</param>
    /// <param name="count">Tiles.</param>
    /// <param name="source">First value of the first channel.</param>
    /// <param name="rowStride">Floats from a row to the next.</param>
    /// <param name="channelStride">Floats from a channel to the next.</param>
    /// <param name="channels">Channels.</param>
    /// <param name="scratch">Room for 24 x 16 floats.</param>
    /// <param name="result">Receives the first element of the first channel's first tile.</param>
    /// <param name="resultChannelStride">Floats from a channel to the next; from a tile to the next it is a vector.</param>
    /// <param name="elementStride">Floats from an element to the next.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Gradient(
        WinogradTile* tiles, int count, float* source, nint rowStride, nint channelStride, int channels, float* scratch,
        float* result, nint resultChannelStride, nint elementStride)
    {
        const int Row = Outputs * Layout.Lanes;
        for (; channels > 0; channels--, source += channelStride, result += resultChannelStride)
        {
            float* results = result;
            for (WinogradTile* tile = tiles; tile < tiles + count; tile++, results += Layout.Lanes)
            {
                int rows = tile->Rows, columns = tile->Columns;
                for (int lane = 0; lane < Layout.Lanes; lane += TLanes.Width)
                {
                    float* from = source + tile->Target + lane, to = scratch + lane;
                    for (int column = 0; column < Outputs; column++, from += Layout.Lanes, to += Layout.Lanes)
                    {
                        bool inside = column < columns;
                        TVector d0 = inside ? TLanes.Load(from) : TLanes.Zero;
                        TVector d1 = inside && rows > 1 ? TLanes.Load(from + rowStride) : TLanes.Zero;
                        TVector d2 = inside && rows > 2 ? TLanes.Load(from + 2 * rowStride) : TLanes.Zero;
                        TVector d3 = inside && rows > 3 ? TLanes.Load(from + 3 * rowStride) : TLanes.Zero;
                        Prefetch.Line(from + channelStride);
                        Prefetch.Line(from + channelStride + rowStride);
                        Prefetch.Line(from + channelStride + 2 * rowStride);
                        Prefetch.Line(from + channelStride + 3 * rowStride);
                        Axis(d0, d1, d2, d3, to, Row);
                    }
                    from = scratch + lane;
                    to = results + lane;
                    for (int row = 0; row < Inputs; row++, from += Row, to += Inputs * elementStride)
                    {
                        Axis(
                            TLanes.Load(from), TLanes.Load(from + Layout.Lanes), TLanes.Load(from + 2 * Layout.Lanes),
                            TLanes.Load(from + 3 * Layout.Lanes), to, elementStride);
                    }
                }
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Axis(TVector d0, TVector d1, TVector d2, TVector d3, float* to, nint stride)
    {
        TVector a2 = TLanes.Create(A * A), b2 = TLanes.Create(B * B);
        TVector evenA = TLanes.MultiplyAdd(a2, d2, d0), evenB = TLanes.MultiplyAdd(b2, d2, d0);
        TVector oddA = TLanes.Multiply(TLanes.Create(A), TLanes.MultiplyAdd(a2, d3, d1));
        TVector oddB = TLanes.Multiply(TLanes.Create(B), TLanes.MultiplyAdd(b2, d3, d1));
        TLanes.Store(to, d0);
        TLanes.Store(to + stride, TLanes.Add(evenA, oddA));
        TLanes.Store(to + 2 * stride, TLanes.Subtract(evenA, oddA));
        TLanes.Store(to + 3 * stride, TLanes.Add(evenB, oddB));
        TLanes.Store(to + 4 * stride, TLanes.Subtract(evenB, oddB));
        TLanes.Store(to + 5 * stride, d3);
    }
}
