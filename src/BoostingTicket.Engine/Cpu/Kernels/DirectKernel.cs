using System.Runtime.CompilerServices;

namespace BoostingTicket.Engine.Cpu.Kernels;

/// <summary>What one call of <see cref="DirectKernel{TLanes,TVector}"/> computes: for each tile of output pixels and one
/// group of output channels, <c>output = finish(start + Σ weight * input)</c> over a list of taps.</summary>
internal unsafe struct DirectCall
{
    /// <summary>First input channel of the chunk, at the item's first block.</summary>
    public float* Input;

    /// <summary>First output channel of the group, at the item's first block.</summary>
    public float* Output;

    /// <summary>What sums start from, laid out as the output (which it may be); null for zero.</summary>
    public float* Start;

    /// <summary>A summand for each output channel of the group; null for none.</summary>
    public float* Shift;

    /// <summary>Laid out as the output: results become 0 where this is not positive; null for no mask.</summary>
    public float* Mask;

    /// <summary>Whether negative results become 0.</summary>
    public bool Relu;

    /// <summary>Whether results are stored past the caches.</summary>
    public bool Streams;

    /// <summary>Pairs: offset into the input from a pixel's base, offset into the weights.</summary>
    public int* Taps;

    /// <summary>Pairs in <see cref="Taps"/>; may be 0.</summary>
    public int TapCount;

    /// <summary>The group's weights; four output channels side by side.</summary>
    public float* Weights;

    /// <summary>Floats from an output channel to the next.</summary>
    public nint ChannelStride;

    /// <summary>For each tile the input offsets, then the output offsets, of its pixels.</summary>
    public int* Tiles;

    /// <summary>Tiles.</summary>
    public int TileCount;
}

/// <summary>The register tile of every direct convolution: some output channels by some output pixels, which need not be
/// neighbours (rows, columns, other images). Weights are broadcast, sixteen images lie in the lanes. A loop without calls,
/// for a vector that lives across a call would be spilled.</summary>
/// <typeparam name="TLanes">Instructions.</typeparam>
/// <typeparam name="TVector">Their vector.</typeparam>
internal static unsafe class DirectKernel<TLanes, TVector>
    where TLanes : struct, ILanes<TVector>
    where TVector : struct
{
    /// <summary>Output channels whose weights lie side by side; the most rows of a tile.</summary>
    public const int GroupSize = 4;

    /// <summary>Pixels of a full tile: sixteen accumulators where there are registers for them, twelve elsewhere.</summary>
    public static int TileWidth => TLanes.HasManyRegisters ? 4 : 3;

    /// <summary>Runs a call.</summary>
    /// <typeparam name="TRows">Output channels of the group that exist, 1 to 4.</typeparam>
    /// <typeparam name="TColumns">Pixels of each tile, 1 to 4.</typeparam>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run<TRows, TColumns>(in DirectCall call)
        where TRows : struct, ICount
        where TColumns : struct, ICount
    {
        int* tile = call.Tiles;
        for (int tiles = call.TileCount; tiles > 0; tiles--, tile += 2 * TColumns.Value)
        {
            for (int lane = 0; lane < Layout.Lanes; lane += TLanes.Width)
            {
                float* start = call.Start;
                float* shift = call.Shift;
                nint channelStride = call.ChannelStride;
                if (start != null)
                    start += lane;
                nint y0 = tile[TColumns.Value];
                nint y1 = TColumns.Value > 1 ? tile[TColumns.Value + 1] : 0;
                nint y2 = TColumns.Value > 2 ? tile[TColumns.Value + 2] : 0;
                nint y3 = TColumns.Value > 3 ? tile[TColumns.Value + 3] : 0;
                TVector a00 = Begin(start, y0, shift, 0);
                TVector a01 = TColumns.Value > 1 ? Begin(start, y1, shift, 0) : TLanes.Zero;
                TVector a02 = TColumns.Value > 2 ? Begin(start, y2, shift, 0) : TLanes.Zero;
                TVector a03 = TColumns.Value > 3 ? Begin(start, y3, shift, 0) : TLanes.Zero;
                TVector a10 = TRows.Value > 1 ? Begin(start, y0 + channelStride, shift, 1) : TLanes.Zero;
                TVector a11 = TRows.Value > 1 && TColumns.Value > 1 ? Begin(start, y1 + channelStride, shift, 1) : TLanes.Zero;
                TVector a12 = TRows.Value > 1 && TColumns.Value > 2 ? Begin(start, y2 + channelStride, shift, 1) : TLanes.Zero;
                TVector a13 = TRows.Value > 1 && TColumns.Value > 3 ? Begin(start, y3 + channelStride, shift, 1) : TLanes.Zero;
                TVector a20 = TRows.Value > 2 ? Begin(start, y0 + 2 * channelStride, shift, 2) : TLanes.Zero;
                TVector a21 = TRows.Value > 2 && TColumns.Value > 1
                    ? Begin(start, y1 + 2 * channelStride, shift, 2)
                    : TLanes.Zero;
                TVector a22 = TRows.Value > 2 && TColumns.Value > 2
                    ? Begin(start, y2 + 2 * channelStride, shift, 2)
                    : TLanes.Zero;
                TVector a23 = TRows.Value > 2 && TColumns.Value > 3
                    ? Begin(start, y3 + 2 * channelStride, shift, 2)
                    : TLanes.Zero;
                TVector a30 = TRows.Value > 3 ? Begin(start, y0 + 3 * channelStride, shift, 3) : TLanes.Zero;
                TVector a31 = TRows.Value > 3 && TColumns.Value > 1
                    ? Begin(start, y1 + 3 * channelStride, shift, 3)
                    : TLanes.Zero;
                TVector a32 = TRows.Value > 3 && TColumns.Value > 2
                    ? Begin(start, y2 + 3 * channelStride, shift, 3)
                    : TLanes.Zero;
                TVector a33 = TRows.Value > 3 && TColumns.Value > 3
                    ? Begin(start, y3 + 3 * channelStride, shift, 3)
                    : TLanes.Zero;

                float* x0 = call.Input + tile[0] + lane;
                float* x1 = TColumns.Value > 1 ? call.Input + tile[1] + lane : x0;
                float* x2 = TColumns.Value > 2 ? call.Input + tile[2] + lane : x0;
                float* x3 = TColumns.Value > 3 ? call.Input + tile[3] + lane : x0;
                float* weights = call.Weights;
                int* end = call.Taps + 2 * (nint)call.TapCount;
                for (int* tap = call.Taps; tap < end; tap += 2)
                {
                    nint offset = tap[0];
                    float* weight = weights + tap[1];
                    TVector v0 = TLanes.Load(x0 + offset);
                    TVector v1 = TColumns.Value > 1 ? TLanes.Load(x1 + offset) : TLanes.Zero;
                    TVector v2 = TColumns.Value > 2 ? TLanes.Load(x2 + offset) : TLanes.Zero;
                    TVector v3 = TColumns.Value > 3 ? TLanes.Load(x3 + offset) : TLanes.Zero;
                    TVector w0 = TLanes.Broadcast(weight);
                    a00 = TLanes.MultiplyAdd(w0, v0, a00);
                    if (TColumns.Value > 1)
                        a01 = TLanes.MultiplyAdd(w0, v1, a01);
                    if (TColumns.Value > 2)
                        a02 = TLanes.MultiplyAdd(w0, v2, a02);
                    if (TColumns.Value > 3)
                        a03 = TLanes.MultiplyAdd(w0, v3, a03);
                    if (TRows.Value > 1)
                    {
                        TVector w1 = TLanes.Broadcast(weight + 1);
                        a10 = TLanes.MultiplyAdd(w1, v0, a10);
                        if (TColumns.Value > 1)
                            a11 = TLanes.MultiplyAdd(w1, v1, a11);
                        if (TColumns.Value > 2)
                            a12 = TLanes.MultiplyAdd(w1, v2, a12);
                        if (TColumns.Value > 3)
                            a13 = TLanes.MultiplyAdd(w1, v3, a13);
                    }
                    if (TRows.Value > 2)
                    {
                        TVector w2 = TLanes.Broadcast(weight + 2);
                        a20 = TLanes.MultiplyAdd(w2, v0, a20);
                        if (TColumns.Value > 1)
                            a21 = TLanes.MultiplyAdd(w2, v1, a21);
                        if (TColumns.Value > 2)
                            a22 = TLanes.MultiplyAdd(w2, v2, a22);
                        if (TColumns.Value > 3)
                            a23 = TLanes.MultiplyAdd(w2, v3, a23);
                    }
                    if (TRows.Value > 3)
                    {
                        TVector w3 = TLanes.Broadcast(weight + 3);
                        a30 = TLanes.MultiplyAdd(w3, v0, a30);
                        if (TColumns.Value > 1)
                            a31 = TLanes.MultiplyAdd(w3, v1, a31);
                        if (TColumns.Value > 2)
                            a32 = TLanes.MultiplyAdd(w3, v2, a32);
                        if (TColumns.Value > 3)
                            a33 = TLanes.MultiplyAdd(w3, v3, a33);
                    }
                }

                // Read again, so that nothing but what the loop needs is kept in a register across it.
                channelStride = Volatile.Read(in call.ChannelStride);
                float* output = call.Output + lane;
                float* mask = call.Mask == null ? null : call.Mask + lane;
                bool relu = call.Relu, streams = call.Streams;
                y0 = Volatile.Read(ref tile[TColumns.Value]);
                y1 = TColumns.Value > 1 ? Volatile.Read(ref tile[TColumns.Value + 1]) : 0;
                y2 = TColumns.Value > 2 ? Volatile.Read(ref tile[TColumns.Value + 2]) : 0;
                y3 = TColumns.Value > 3 ? Volatile.Read(ref tile[TColumns.Value + 3]) : 0;
                End(output, y0, a00, relu, mask, streams);
                if (TColumns.Value > 1)
                    End(output, y1, a01, relu, mask, streams);
                if (TColumns.Value > 2)
                    End(output, y2, a02, relu, mask, streams);
                if (TColumns.Value > 3)
                    End(output, y3, a03, relu, mask, streams);
                if (TRows.Value > 1)
                {
                    End(output, y0 + channelStride, a10, relu, mask, streams);
                    if (TColumns.Value > 1)
                        End(output, y1 + channelStride, a11, relu, mask, streams);
                    if (TColumns.Value > 2)
                        End(output, y2 + channelStride, a12, relu, mask, streams);
                    if (TColumns.Value > 3)
                        End(output, y3 + channelStride, a13, relu, mask, streams);
                }
                if (TRows.Value > 2)
                {
                    End(output, y0 + 2 * channelStride, a20, relu, mask, streams);
                    if (TColumns.Value > 1)
                        End(output, y1 + 2 * channelStride, a21, relu, mask, streams);
                    if (TColumns.Value > 2)
                        End(output, y2 + 2 * channelStride, a22, relu, mask, streams);
                    if (TColumns.Value > 3)
                        End(output, y3 + 2 * channelStride, a23, relu, mask, streams);
                }
                if (TRows.Value > 3)
                {
                    End(output, y0 + 3 * channelStride, a30, relu, mask, streams);
                    if (TColumns.Value > 1)
                        End(output, y1 + 3 * channelStride, a31, relu, mask, streams);
                    if (TColumns.Value > 2)
                        End(output, y2 + 3 * channelStride, a32, relu, mask, streams);
                    if (TColumns.Value > 3)
                        End(output, y3 + 3 * channelStride, a33, relu, mask, streams);
                }
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Begin(float* start, nint offset, float* shift, int channel)
    {
        TVector value = TLanes.Zero;
        if (start != null)
            value = TLanes.Load(start + offset);
        if (shift != null)
            value = TLanes.Add(value, TLanes.Broadcast(shift + channel));
        return value;
    }

    // The operands' order matters: on x86 the second one of a maximum comes through when one is NaN.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void End(float* output, nint offset, TVector value, bool relu, float* mask, bool streams)
    {
        if (relu)
            value = TLanes.Max(TLanes.Zero, value);
        if (mask != null)
            value = TLanes.WherePositive(TLanes.Load(mask + offset), value);
        if (streams)
            TLanes.StoreStreaming(output + offset, value);
        else
            TLanes.Store(output + offset, value);
    }
}
