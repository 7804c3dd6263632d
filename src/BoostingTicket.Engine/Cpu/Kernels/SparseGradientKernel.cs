using System.Runtime.CompilerServices;

namespace BoostingTicket.Engine.Cpu.Kernels;

/// <summary>What one call of <see cref="SparseGradientKernel{TLanes,TVector}"/> computes: for one tile of output pixels and some
/// output channels, <c>sum += Σ dy * x</c> for each channel's list of kept weights.</summary>
internal unsafe struct SparseGradientCall
{
    /// <summary>The tile's first pixel in the patch.</summary>
    public float* Source;

    /// <summary>Floats from a row of the patch to the next.</summary>
    public nint RowStride;

    /// <summary>Bytes that a step of <see cref="SparseTap.Offset"/> is.</summary>
    public nint OffsetBytes;

    /// <summary>All kept weights.</summary>
    public SparseTap* Taps;

    /// <summary>For each output channel the first of its kept weights; they end where the next channel's begin.</summary>
    public int* Starts;

    /// <summary>First output channel.</summary>
    public int First;

    /// <summary>End of the output channels.</summary>
    public int End;

    /// <summary>Sums of the kept weights from the first channel's first on, sixteen floats each.</summary>
    public float* Sums;

    /// <summary>Gradient of output channel 0.</summary>
    public float* Gradient;

    /// <summary>Floats from an output channel to the next.</summary>
    public nint ChannelStride;

    /// <summary>Offset of each of the tile's pixels in an output channel; negative for a pixel that does not exist.</summary>
    public int* Pixels;
}

/// <summary>The register tile of the filter gradient of kept weights: the gradients of one output channel at rows x columns of
/// pixels stay in registers, while each kept weight adds up its products; lanes are summed at the very end.</summary>
/// <typeparam name="TLanes">Instructions.</typeparam>
/// <typeparam name="TVector">Their vector.</typeparam>
internal static unsafe class SparseGradientKernel<TLanes, TVector>
    where TLanes : struct, ILanes<TVector>
    where TVector : struct
{
    /// <summary>Runs a call.</summary>
    /// <typeparam name="TRows">Rows of the tile: 1, 2 or 4.</typeparam>
    /// <typeparam name="TColumns">Columns of the tile; rows x columns are at most sixteen.</typeparam>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run<TRows, TColumns>(in SparseGradientCall call)
        where TRows : struct, ICount
        where TColumns : struct, ICount
    {
        nint rowStride = call.RowStride, offsetBytes = call.OffsetBytes;
        float* firstSums = call.Sums - (nint)call.Starts[call.First] * Layout.Lanes;
        for (int channel = call.First; channel < call.End; channel++)
        {
            SparseTap* first = call.Taps + call.Starts[channel], end = call.Taps + call.Starts[channel + 1];
            float* gradient = call.Gradient + channel * call.ChannelStride;
            if (first == end)
                continue;
            for (int pixel = 0; pixel < TRows.Value * TColumns.Value; pixel++)
                Prefetch.Line(gradient + call.ChannelStride + call.Pixels[pixel]);
            for (int lane = 0; lane < Layout.Lanes; lane += TLanes.Width)
            {
                float* dy = gradient + lane;
                TVector d0 = At(dy, call.Pixels[0]);
                TVector d1 = TRows.Value * TColumns.Value > 1 ? At(dy, call.Pixels[1]) : TLanes.Zero;
                TVector d2 = TRows.Value * TColumns.Value > 2 ? At(dy, call.Pixels[2]) : TLanes.Zero;
                TVector d3 = TRows.Value * TColumns.Value > 3 ? At(dy, call.Pixels[3]) : TLanes.Zero;
                TVector d4 = TRows.Value * TColumns.Value > 4 ? At(dy, call.Pixels[4]) : TLanes.Zero;
                TVector d5 = TRows.Value * TColumns.Value > 5 ? At(dy, call.Pixels[5]) : TLanes.Zero;
                TVector d6 = TRows.Value * TColumns.Value > 6 ? At(dy, call.Pixels[6]) : TLanes.Zero;
                TVector d7 = TRows.Value * TColumns.Value > 7 ? At(dy, call.Pixels[7]) : TLanes.Zero;
                TVector d8 = TRows.Value * TColumns.Value > 8 ? At(dy, call.Pixels[8]) : TLanes.Zero;
                TVector d9 = TRows.Value * TColumns.Value > 9 ? At(dy, call.Pixels[9]) : TLanes.Zero;
                TVector d10 = TRows.Value * TColumns.Value > 10 ? At(dy, call.Pixels[10]) : TLanes.Zero;
                TVector d11 = TRows.Value * TColumns.Value > 11 ? At(dy, call.Pixels[11]) : TLanes.Zero;
                TVector d12 = TRows.Value * TColumns.Value > 12 ? At(dy, call.Pixels[12]) : TLanes.Zero;
                TVector d13 = TRows.Value * TColumns.Value > 13 ? At(dy, call.Pixels[13]) : TLanes.Zero;
                TVector d14 = TRows.Value * TColumns.Value > 14 ? At(dy, call.Pixels[14]) : TLanes.Zero;
                TVector d15 = TRows.Value * TColumns.Value > 15 ? At(dy, call.Pixels[15]) : TLanes.Zero;
                byte* source = (byte*)(call.Source + lane);
                float* sums = firstSums + (nint)call.Starts[channel] * Layout.Lanes + lane;
                for (SparseTap* tap = first; tap < end; tap++, sums += Layout.Lanes)
                {
                    float* x0 = (float*)(source + tap->Offset * offsetBytes);
                    float* x1 = TRows.Value > 1 ? x0 + rowStride : x0;
                    float* x2 = TRows.Value > 2 ? x1 + rowStride : x0;
                    float* x3 = TRows.Value > 3 ? x2 + rowStride : x0;
                    TVector s0 = TLanes.MultiplyAdd(d0, TLanes.Load(x0), TLanes.Load(sums));
                    TVector s1 = TRows.Value * TColumns.Value > 1
                        ? TLanes.Multiply(d1, TLanes.Load(SparseTile.At<TColumns>(1, x0, x1, x2, x3)))
                        : TLanes.Zero;
                    TVector s2 = TRows.Value * TColumns.Value > 2
                        ? TLanes.Multiply(d2, TLanes.Load(SparseTile.At<TColumns>(2, x0, x1, x2, x3)))
                        : TLanes.Zero;
                    TVector s3 = TRows.Value * TColumns.Value > 3
                        ? TLanes.Multiply(d3, TLanes.Load(SparseTile.At<TColumns>(3, x0, x1, x2, x3)))
                        : TLanes.Zero;
                    if (TRows.Value * TColumns.Value > 4)
                        s0 = TLanes.MultiplyAdd(d4, TLanes.Load(SparseTile.At<TColumns>(4, x0, x1, x2, x3)), s0);
                    if (TRows.Value * TColumns.Value > 5)
                        s1 = TLanes.MultiplyAdd(d5, TLanes.Load(SparseTile.At<TColumns>(5, x0, x1, x2, x3)), s1);
                    if (TRows.Value * TColumns.Value > 6)
                        s2 = TLanes.MultiplyAdd(d6, TLanes.Load(SparseTile.At<TColumns>(6, x0, x1, x2, x3)), s2);
                    if (TRows.Value * TColumns.Value > 7)
                        s3 = TLanes.MultiplyAdd(d7, TLanes.Load(SparseTile.At<TColumns>(7, x0, x1, x2, x3)), s3);
                    if (TRows.Value * TColumns.Value > 8)
                        s0 = TLanes.MultiplyAdd(d8, TLanes.Load(SparseTile.At<TColumns>(8, x0, x1, x2, x3)), s0);
                    if (TRows.Value * TColumns.Value > 9)
                        s1 = TLanes.MultiplyAdd(d9, TLanes.Load(SparseTile.At<TColumns>(9, x0, x1, x2, x3)), s1);
                    if (TRows.Value * TColumns.Value > 10)
                        s2 = TLanes.MultiplyAdd(d10, TLanes.Load(SparseTile.At<TColumns>(10, x0, x1, x2, x3)), s2);
                    if (TRows.Value * TColumns.Value > 11)
                        s3 = TLanes.MultiplyAdd(d11, TLanes.Load(SparseTile.At<TColumns>(11, x0, x1, x2, x3)), s3);
                    if (TRows.Value * TColumns.Value > 12)
                        s0 = TLanes.MultiplyAdd(d12, TLanes.Load(SparseTile.At<TColumns>(12, x0, x1, x2, x3)), s0);
                    if (TRows.Value * TColumns.Value > 13)
                        s1 = TLanes.MultiplyAdd(d13, TLanes.Load(SparseTile.At<TColumns>(13, x0, x1, x2, x3)), s1);
                    if (TRows.Value * TColumns.Value > 14)
                        s2 = TLanes.MultiplyAdd(d14, TLanes.Load(SparseTile.At<TColumns>(14, x0, x1, x2, x3)), s2);
                    if (TRows.Value * TColumns.Value > 15)
                        s3 = TLanes.MultiplyAdd(d15, TLanes.Load(SparseTile.At<TColumns>(15, x0, x1, x2, x3)), s3);
                    TLanes.Store(sums, TLanes.Add(TLanes.Add(s0, s1), TLanes.Add(s2, s3)));
                }
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector At(float* dy, int offset) => offset < 0 ? TLanes.Zero : TLanes.Load(dy + offset);
}
