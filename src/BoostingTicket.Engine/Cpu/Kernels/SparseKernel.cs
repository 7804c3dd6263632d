using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using BoostingTicket.Engine.Backends;

namespace BoostingTicket.Engine.Cpu.Kernels;

/// <summary>A kept weight.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct SparseTap
{
    /// <summary>From a target pixel's place in the patch to the source value it is multiplied with, in pixels.</summary>
    public int Offset;

    /// <summary>The weight.</summary>
    public float Weight;
}

/// <summary>What one call of <see cref="SparseKernel{TLanes,TVector}"/> computes: for one tile of target pixels and some target
/// channels, <c>sum += Σ weight * source</c> over each channel's list of kept weights.</summary>
internal unsafe struct SparseCall
{
    /// <summary>The tile's first pixel in the patch.</summary>
    public float* Source;

    /// <summary>Floats from a row of the patch to the next.</summary>
    public nint RowStride;

    /// <summary>Bytes that a step of <see cref="SparseTap.Offset"/> is.</summary>
    public nint OffsetBytes;

    /// <summary>All kept weights.</summary>
    public SparseTap* Taps;

    /// <summary>For each target channel the first of its kept weights; they end where the next channel's begin.</summary>
    public int* Starts;

    /// <summary>First target channel.</summary>
    public int First;

    /// <summary>End of the target channels.</summary>
    public int End;

    /// <summary>Sums of target channel 0; sixteen floats for each pixel of the tile.</summary>
    public float* Sums;

    /// <summary>Floats from a channel's sums to the next one's; 0 where sums need not be remembered.</summary>
    public nint SumsStride;

    /// <summary>Whether sums begin here, or continue <see cref="Sums"/>.</summary>
    public bool Begins;

    /// <summary>Whether sums are complete after this call, and go to the target.</summary>
    public bool Ends;

    /// <summary>Target channel 0, or null.</summary>
    public float* Target;

    /// <summary>Floats from a target channel to the next.</summary>
    public nint ChannelStride;

    /// <summary>For each pixel of the tile that exists: offset in its sums, offset in the target.</summary>
    public int* Pixels;

    /// <summary>Pixels of the tile that exist.</summary>
    public int PixelCount;

    /// <summary>What happens to complete sums.</summary>
    public PassEpilogue Epilogue;
}

/// <summary>The register tile of sparse convolutions: one target channel by rows x columns of pixels, over a list of kept
/// weights. A multiply-add reads its own sixteen source values, so that it is the loads that bound it: everything around it
/// keeps them in the first-level cache.</summary>
/// <typeparam name="TLanes">Instructions.</typeparam>
/// <typeparam name="TVector">Their vector.</typeparam>
internal static unsafe class SparseKernel<TLanes, TVector>
    where TLanes : struct, ILanes<TVector>
    where TVector : struct
{
    /// <summary>Most pixels of a tile: as many accumulators as leave a register for the weight.</summary>
    public static int MaximalPixels => TLanes.HasManyRegisters ? 16 : 8;

    /// <summary>Runs a call.</summary>
    /// <typeparam name="TRows">Rows of the tile: 1, 2 or 4.</typeparam>
    /// <typeparam name="TColumns">Columns of the tile; rows x columns are at most sixteen.</typeparam>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run<TRows, TColumns>(in SparseCall call)
        where TRows : struct, ICount
        where TColumns : struct, ICount
    {
        nint rowStride = call.RowStride, offsetBytes = call.OffsetBytes;
        for (int channel = call.First; channel < call.End; channel++)
        {
            SparseTap* first = call.Taps + call.Starts[channel], end = call.Taps + call.Starts[channel + 1];
            if (first == end && !call.Begins && !call.Ends)
                continue;
            float* sums = call.Sums + channel * call.SumsStride;
            if (call.Ends)
                FetchTarget(call, channel + 1);
            for (int lane = 0; lane < Layout.Lanes; lane += TLanes.Width)
            {
                TVector a0;
                TVector a1 = TLanes.Zero, a2 = TLanes.Zero, a3 = TLanes.Zero;
                TVector a4 = TLanes.Zero, a5 = TLanes.Zero, a6 = TLanes.Zero, a7 = TLanes.Zero;
                TVector a8 = TLanes.Zero, a9 = TLanes.Zero, a10 = TLanes.Zero, a11 = TLanes.Zero;
                TVector a12 = TLanes.Zero, a13 = TLanes.Zero, a14 = TLanes.Zero, a15 = TLanes.Zero;
                if (call.Begins)
                {
                    a0 = call.Epilogue.Shift == null ? TLanes.Zero : TLanes.Broadcast(call.Epilogue.Shift + channel);
                    a1 = a0;
                    a2 = a0;
                    a3 = a0;
                    a4 = a0;
                    a5 = a0;
                    a6 = a0;
                    a7 = a0;
                    a8 = a0;
                    a9 = a0;
                    a10 = a0;
                    a11 = a0;
                    a12 = a0;
                    a13 = a0;
                    a14 = a0;
                    a15 = a0;
                }
                else
                {
                    a0 = TLanes.Load(sums + lane);
                    if (TRows.Value * TColumns.Value > 1)
                        a1 = TLanes.Load(sums + lane + 1 * Layout.Lanes);
                    if (TRows.Value * TColumns.Value > 2)
                        a2 = TLanes.Load(sums + lane + 2 * Layout.Lanes);
                    if (TRows.Value * TColumns.Value > 3)
                        a3 = TLanes.Load(sums + lane + 3 * Layout.Lanes);
                    if (TRows.Value * TColumns.Value > 4)
                        a4 = TLanes.Load(sums + lane + 4 * Layout.Lanes);
                    if (TRows.Value * TColumns.Value > 5)
                        a5 = TLanes.Load(sums + lane + 5 * Layout.Lanes);
                    if (TRows.Value * TColumns.Value > 6)
                        a6 = TLanes.Load(sums + lane + 6 * Layout.Lanes);
                    if (TRows.Value * TColumns.Value > 7)
                        a7 = TLanes.Load(sums + lane + 7 * Layout.Lanes);
                    if (TRows.Value * TColumns.Value > 8)
                        a8 = TLanes.Load(sums + lane + 8 * Layout.Lanes);
                    if (TRows.Value * TColumns.Value > 9)
                        a9 = TLanes.Load(sums + lane + 9 * Layout.Lanes);
                    if (TRows.Value * TColumns.Value > 10)
                        a10 = TLanes.Load(sums + lane + 10 * Layout.Lanes);
                    if (TRows.Value * TColumns.Value > 11)
                        a11 = TLanes.Load(sums + lane + 11 * Layout.Lanes);
                    if (TRows.Value * TColumns.Value > 12)
                        a12 = TLanes.Load(sums + lane + 12 * Layout.Lanes);
                    if (TRows.Value * TColumns.Value > 13)
                        a13 = TLanes.Load(sums + lane + 13 * Layout.Lanes);
                    if (TRows.Value * TColumns.Value > 14)
                        a14 = TLanes.Load(sums + lane + 14 * Layout.Lanes);
                    if (TRows.Value * TColumns.Value > 15)
                        a15 = TLanes.Load(sums + lane + 15 * Layout.Lanes);
                }
                byte* source = (byte*)(call.Source + lane);
                for (SparseTap* tap = first; tap < end; tap++)
                {
                    float* x0 = (float*)(source + tap->Offset * offsetBytes);
                    float* x1 = TRows.Value > 1 ? x0 + rowStride : x0;
                    float* x2 = TRows.Value > 2 ? x1 + rowStride : x0;
                    float* x3 = TRows.Value > 3 ? x2 + rowStride : x0;
                    TVector w = TLanes.Broadcast(&tap->Weight);
                    a0 = TLanes.MultiplyAdd(w, TLanes.Load(x0), a0);
                    if (TRows.Value * TColumns.Value > 1)
                        a1 = TLanes.MultiplyAdd(w, TLanes.Load(SparseTile.At<TColumns>(1, x0, x1, x2, x3)), a1);
                    if (TRows.Value * TColumns.Value > 2)
                        a2 = TLanes.MultiplyAdd(w, TLanes.Load(SparseTile.At<TColumns>(2, x0, x1, x2, x3)), a2);
                    if (TRows.Value * TColumns.Value > 3)
                        a3 = TLanes.MultiplyAdd(w, TLanes.Load(SparseTile.At<TColumns>(3, x0, x1, x2, x3)), a3);
                    if (TRows.Value * TColumns.Value > 4)
                        a4 = TLanes.MultiplyAdd(w, TLanes.Load(SparseTile.At<TColumns>(4, x0, x1, x2, x3)), a4);
                    if (TRows.Value * TColumns.Value > 5)
                        a5 = TLanes.MultiplyAdd(w, TLanes.Load(SparseTile.At<TColumns>(5, x0, x1, x2, x3)), a5);
                    if (TRows.Value * TColumns.Value > 6)
                        a6 = TLanes.MultiplyAdd(w, TLanes.Load(SparseTile.At<TColumns>(6, x0, x1, x2, x3)), a6);
                    if (TRows.Value * TColumns.Value > 7)
                        a7 = TLanes.MultiplyAdd(w, TLanes.Load(SparseTile.At<TColumns>(7, x0, x1, x2, x3)), a7);
                    if (TRows.Value * TColumns.Value > 8)
                        a8 = TLanes.MultiplyAdd(w, TLanes.Load(SparseTile.At<TColumns>(8, x0, x1, x2, x3)), a8);
                    if (TRows.Value * TColumns.Value > 9)
                        a9 = TLanes.MultiplyAdd(w, TLanes.Load(SparseTile.At<TColumns>(9, x0, x1, x2, x3)), a9);
                    if (TRows.Value * TColumns.Value > 10)
                        a10 = TLanes.MultiplyAdd(w, TLanes.Load(SparseTile.At<TColumns>(10, x0, x1, x2, x3)), a10);
                    if (TRows.Value * TColumns.Value > 11)
                        a11 = TLanes.MultiplyAdd(w, TLanes.Load(SparseTile.At<TColumns>(11, x0, x1, x2, x3)), a11);
                    if (TRows.Value * TColumns.Value > 12)
                        a12 = TLanes.MultiplyAdd(w, TLanes.Load(SparseTile.At<TColumns>(12, x0, x1, x2, x3)), a12);
                    if (TRows.Value * TColumns.Value > 13)
                        a13 = TLanes.MultiplyAdd(w, TLanes.Load(SparseTile.At<TColumns>(13, x0, x1, x2, x3)), a13);
                    if (TRows.Value * TColumns.Value > 14)
                        a14 = TLanes.MultiplyAdd(w, TLanes.Load(SparseTile.At<TColumns>(14, x0, x1, x2, x3)), a14);
                    if (TRows.Value * TColumns.Value > 15)
                        a15 = TLanes.MultiplyAdd(w, TLanes.Load(SparseTile.At<TColumns>(15, x0, x1, x2, x3)), a15);
                }
                TLanes.Store(sums + lane, a0);
                if (TRows.Value * TColumns.Value > 1)
                    TLanes.Store(sums + lane + 1 * Layout.Lanes, a1);
                if (TRows.Value * TColumns.Value > 2)
                    TLanes.Store(sums + lane + 2 * Layout.Lanes, a2);
                if (TRows.Value * TColumns.Value > 3)
                    TLanes.Store(sums + lane + 3 * Layout.Lanes, a3);
                if (TRows.Value * TColumns.Value > 4)
                    TLanes.Store(sums + lane + 4 * Layout.Lanes, a4);
                if (TRows.Value * TColumns.Value > 5)
                    TLanes.Store(sums + lane + 5 * Layout.Lanes, a5);
                if (TRows.Value * TColumns.Value > 6)
                    TLanes.Store(sums + lane + 6 * Layout.Lanes, a6);
                if (TRows.Value * TColumns.Value > 7)
                    TLanes.Store(sums + lane + 7 * Layout.Lanes, a7);
                if (TRows.Value * TColumns.Value > 8)
                    TLanes.Store(sums + lane + 8 * Layout.Lanes, a8);
                if (TRows.Value * TColumns.Value > 9)
                    TLanes.Store(sums + lane + 9 * Layout.Lanes, a9);
                if (TRows.Value * TColumns.Value > 10)
                    TLanes.Store(sums + lane + 10 * Layout.Lanes, a10);
                if (TRows.Value * TColumns.Value > 11)
                    TLanes.Store(sums + lane + 11 * Layout.Lanes, a11);
                if (TRows.Value * TColumns.Value > 12)
                    TLanes.Store(sums + lane + 12 * Layout.Lanes, a12);
                if (TRows.Value * TColumns.Value > 13)
                    TLanes.Store(sums + lane + 13 * Layout.Lanes, a13);
                if (TRows.Value * TColumns.Value > 14)
                    TLanes.Store(sums + lane + 14 * Layout.Lanes, a14);
                if (TRows.Value * TColumns.Value > 15)
                    TLanes.Store(sums + lane + 15 * Layout.Lanes, a15);
            }
            if (!call.Ends)
                continue;
            Finish(call, channel, sums);
            if (call.Epilogue.Late != Activation.None)
                FinishLate(call, channel);
        }
    }

    // A store waits for its cache line, and those behind it wait too: the next channel's are asked for a channel ahead.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void FetchTarget(in SparseCall call, int channel)
    {
        nint start = channel * call.ChannelStride;
        int* end = call.Pixels + 2 * call.PixelCount;
        for (int* pixel = call.Pixels; pixel < end; pixel += 2)
        {
            nint at = start + pixel[1];
            if (!call.Epilogue.Streams)
                Prefetch.Line(call.Target + at);
            if (call.Epilogue.Addend != null)
                Prefetch.Line(call.Epilogue.Addend + at);
            if (call.Epilogue.Mask != null)
                Prefetch.Line(call.Epilogue.Mask + at);
        }
    }

    private static void FinishLate(in SparseCall call, int channel)
    {
        nint start = channel * call.ChannelStride;
        int* end = call.Pixels + 2 * call.PixelCount;
        for (int* pixel = call.Pixels; pixel < end; pixel += 2)
            ActivationKernel<TLanes, TVector>.Finish(call.Epilogue, call.Target, start + pixel[1], Layout.Lanes);
    }

    // The operands' order matters: on x86 the second one of a maximum comes through when one is NaN.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Finish(in SparseCall call, int channel, float* sums)
    {
        nint start = channel * call.ChannelStride;
        float* target = call.Target + start;
        float* addend = call.Epilogue.Addend == null ? null : call.Epilogue.Addend + start;
        float* mask = call.Epilogue.Mask == null ? null : call.Epilogue.Mask + start;
        bool relu = call.Epilogue.Relu, streams = call.Epilogue.Streams;
        int* end = call.Pixels + 2 * call.PixelCount;
        for (int* pixel = call.Pixels; pixel < end; pixel += 2)
        {
            float* from = sums + pixel[0];
            nint at = pixel[1];
            for (int lane = 0; lane < Layout.Lanes; lane += TLanes.Width)
            {
                TVector value = TLanes.Load(from + lane);
                if (addend != null)
                    value = TLanes.Add(value, TLanes.Load(addend + at + lane));
                if (relu)
                    value = TLanes.Max(TLanes.Zero, value);
                if (mask != null)
                    value = TLanes.WherePositive(TLanes.Load(mask + at + lane), value);
                if (streams)
                    TLanes.StoreStreaming(target + at + lane, value);
                else
                    TLanes.Store(target + at + lane, value);
            }
        }
    }
}
