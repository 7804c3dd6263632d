using System.Runtime.CompilerServices;

namespace BoostingTicket.Engine.Cpu.Kernels;

/// <summary>The small matrix products of Winograd's algorithm: for one element of the transformed tiles, output channels
/// by tiles, summed over input channels.</summary>
/// <typeparam name="TLanes">Instructions.</typeparam>
/// <typeparam name="TVector">Their vector.</typeparam>
internal static unsafe class WinogradProduct<TLanes, TVector>
    where TLanes : struct, ILanes<TVector>
    where TVector : struct
{
    /// <summary>Output channels whose weights lie side by side.</summary>
    public const int GroupSize = WinogradTransforms.GroupSize;

    /// <summary>Tiles of a full register tile: sixteen accumulators where there are registers for them, twelve
    /// elsewhere.</summary>
    public static int TileWidth => TLanes.HasManyRegisters ? 4 : 3;

    /// <summary>Overwrites <paramref name="products"/> with the products of some groups of output channels.</summary>
    /// <typeparam name="TColumns">Tiles, 1 to 4.</typeparam>
    /// <param name="weights">Group, input channel, four output channels.</param>
    /// <param name="inputs">Input channel, tile, lane.</param>
    /// <param name="products">Output channel, tile, lane.</param>
    /// <param name="channels">Input channels.</param>
    /// <param name="groups">Groups of output channels.</param>
    /// <param name="stride">Floats from a channel's tiles to the next channel's, in inputs and in products.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run<TColumns>(
        float* weights, float* inputs, float* products, int channels, int groups, nint stride)
        where TColumns : struct, ICount
    {
        for (; groups > 0; groups--, products += GroupSize * stride)
        {
            float* groupWeights = weights;
            for (int lane = 0; lane < Layout.Lanes; lane += TLanes.Width)
            {
                weights = groupWeights;
                float* input = inputs + lane;
                TVector a00 = TLanes.Zero, a01 = TLanes.Zero, a02 = TLanes.Zero, a03 = TLanes.Zero;
                TVector a10 = TLanes.Zero, a11 = TLanes.Zero, a12 = TLanes.Zero, a13 = TLanes.Zero;
                TVector a20 = TLanes.Zero, a21 = TLanes.Zero, a22 = TLanes.Zero, a23 = TLanes.Zero;
                TVector a30 = TLanes.Zero, a31 = TLanes.Zero, a32 = TLanes.Zero, a33 = TLanes.Zero;
                for (int channel = channels; channel > 0; channel--)
                {
                    TVector v0 = TLanes.Load(input);
                    TVector v1 = TColumns.Value > 1 ? TLanes.Load(input + Layout.Lanes) : TLanes.Zero;
                    TVector v2 = TColumns.Value > 2 ? TLanes.Load(input + 2 * Layout.Lanes) : TLanes.Zero;
                    TVector v3 = TColumns.Value > 3 ? TLanes.Load(input + 3 * Layout.Lanes) : TLanes.Zero;
                    TVector w0 = TLanes.Broadcast(weights);
                    a00 = TLanes.MultiplyAdd(w0, v0, a00);
                    if (TColumns.Value > 1)
                        a01 = TLanes.MultiplyAdd(w0, v1, a01);
                    if (TColumns.Value > 2)
                        a02 = TLanes.MultiplyAdd(w0, v2, a02);
                    if (TColumns.Value > 3)
                        a03 = TLanes.MultiplyAdd(w0, v3, a03);
                    TVector w1 = TLanes.Broadcast(weights + 1);
                    a10 = TLanes.MultiplyAdd(w1, v0, a10);
                    if (TColumns.Value > 1)
                        a11 = TLanes.MultiplyAdd(w1, v1, a11);
                    if (TColumns.Value > 2)
                        a12 = TLanes.MultiplyAdd(w1, v2, a12);
                    if (TColumns.Value > 3)
                        a13 = TLanes.MultiplyAdd(w1, v3, a13);
                    TVector w2 = TLanes.Broadcast(weights + 2);
                    a20 = TLanes.MultiplyAdd(w2, v0, a20);
                    if (TColumns.Value > 1)
                        a21 = TLanes.MultiplyAdd(w2, v1, a21);
                    if (TColumns.Value > 2)
                        a22 = TLanes.MultiplyAdd(w2, v2, a22);
                    if (TColumns.Value > 3)
                        a23 = TLanes.MultiplyAdd(w2, v3, a23);
                    TVector w3 = TLanes.Broadcast(weights + 3);
                    a30 = TLanes.MultiplyAdd(w3, v0, a30);
                    if (TColumns.Value > 1)
                        a31 = TLanes.MultiplyAdd(w3, v1, a31);
                    if (TColumns.Value > 2)
                        a32 = TLanes.MultiplyAdd(w3, v2, a32);
                    if (TColumns.Value > 3)
                        a33 = TLanes.MultiplyAdd(w3, v3, a33);
                    weights += GroupSize;
                    input += stride;
                }
                float* product = products + lane;
                TLanes.Store(product, a00);
                if (TColumns.Value > 1)
                    TLanes.Store(product + Layout.Lanes, a01);
                if (TColumns.Value > 2)
                    TLanes.Store(product + 2 * Layout.Lanes, a02);
                if (TColumns.Value > 3)
                    TLanes.Store(product + 3 * Layout.Lanes, a03);
                TLanes.Store(product + stride, a10);
                if (TColumns.Value > 1)
                    TLanes.Store(product + stride + Layout.Lanes, a11);
                if (TColumns.Value > 2)
                    TLanes.Store(product + stride + 2 * Layout.Lanes, a12);
                if (TColumns.Value > 3)
                    TLanes.Store(product + stride + 3 * Layout.Lanes, a13);
                TLanes.Store(product + 2 * stride, a20);
                if (TColumns.Value > 1)
                    TLanes.Store(product + 2 * stride + Layout.Lanes, a21);
                if (TColumns.Value > 2)
                    TLanes.Store(product + 2 * stride + 2 * Layout.Lanes, a22);
                if (TColumns.Value > 3)
                    TLanes.Store(product + 2 * stride + 3 * Layout.Lanes, a23);
                TLanes.Store(product + 3 * stride, a30);
                if (TColumns.Value > 1)
                    TLanes.Store(product + 3 * stride + Layout.Lanes, a31);
                if (TColumns.Value > 2)
                    TLanes.Store(product + 3 * stride + 2 * Layout.Lanes, a32);
                if (TColumns.Value > 3)
                    TLanes.Store(product + 3 * stride + 3 * Layout.Lanes, a33);
            }
        }
    }
}
