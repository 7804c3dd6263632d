using System.Runtime.CompilerServices;

namespace BoostingTicket.Engine.Cpu.Kernels;

/// <summary>What one call of <see cref="FilterGradientKernel{TLanes,TVector}"/> computes: for some output channels and some
/// streams (an input channel seen through one column of the filter), <c>dw += Σ dy * x</c> over a rectangle of output
/// pixels in some blocks.</summary>
internal unsafe struct FilterGradientCall
{
    /// <summary>First output channel's gradient at the rectangle's first pixel in the first block.</summary>
    public float* Gradient;

    /// <summary>Where stream offsets start from, for the same pixel.</summary>
    public float* Input;

    /// <summary>Pairs: a stream's offset from <see cref="Input"/>, its offset in <see cref="Result"/>.</summary>
    public int* Streams;

    /// <summary>Weight gradients of the first output channel; added to.</summary>
    public float* Result;

    /// <summary>Floats from an output channel's weight gradients to the next one's.</summary>
    public nint ResultStride;

    /// <summary>Floats from an output channel to the next.</summary>
    public nint GradientChannelStride;

    /// <summary>Floats from an output row to the next.</summary>
    public nint GradientRowStride;

    /// <summary>Floats from a block to the next.</summary>
    public nint GradientBlockStride;

    /// <summary>Floats between the inputs of neighbouring output columns.</summary>
    public nint InputColumnStride;

    /// <summary>Floats between the inputs of neighbouring output rows.</summary>
    public nint InputRowStride;

    /// <summary>Floats from a block to the next.</summary>
    public nint InputBlockStride;

    /// <summary>Blocks of sixteen images.</summary>
    public int Blocks;

    /// <summary>Rows of the rectangle.</summary>
    public int Rows;

    /// <summary>Columns of the rectangle, at least 1.</summary>
    public int Columns;
}

/// <summary>The register tile of the filter gradient: output channels by streams, summed over pixels in the lanes and over
/// the lanes at the end.</summary>
/// <typeparam name="TLanes">Instructions.</typeparam>
/// <typeparam name="TVector">Their vector.</typeparam>
internal static unsafe class FilterGradientKernel<TLanes, TVector>
    where TLanes : struct, ILanes<TVector>
    where TVector : struct
{
    /// <summary>Output channels of a full tile.</summary>
    public static int TileRows => TLanes.HasManyRegisters ? 4 : 3;

    /// <summary>Streams of a full tile.</summary>
    public static int TileStreams => TLanes.HasManyRegisters ? 6 : 4;

    /// <summary>Runs a call.</summary>
    /// <typeparam name="TRows">Output channels, 1 to 4.</typeparam>
    /// <typeparam name="TStreams">Streams, 1 to 6.</typeparam>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run<TRows, TStreams>(in FilterGradientCall call)
        where TRows : struct, ICount
        where TStreams : struct, ICount
    {
        TVector a00 = TLanes.Zero, a01 = TLanes.Zero, a02 = TLanes.Zero, a03 = TLanes.Zero, a04 = TLanes.Zero, a05 = TLanes.Zero;
        TVector a10 = TLanes.Zero, a11 = TLanes.Zero, a12 = TLanes.Zero, a13 = TLanes.Zero, a14 = TLanes.Zero, a15 = TLanes.Zero;
        TVector a20 = TLanes.Zero, a21 = TLanes.Zero, a22 = TLanes.Zero, a23 = TLanes.Zero, a24 = TLanes.Zero, a25 = TLanes.Zero;
        TVector a30 = TLanes.Zero, a31 = TLanes.Zero, a32 = TLanes.Zero, a33 = TLanes.Zero, a34 = TLanes.Zero, a35 = TLanes.Zero;
        float* x0 = call.Input + call.Streams[0];
        float* x1 = TStreams.Value > 1 ? call.Input + call.Streams[2] : x0;
        float* x2 = TStreams.Value > 2 ? call.Input + call.Streams[4] : x0;
        float* x3 = TStreams.Value > 3 ? call.Input + call.Streams[6] : x0;
        float* x4 = TStreams.Value > 4 ? call.Input + call.Streams[8] : x0;
        float* x5 = TStreams.Value > 5 ? call.Input + call.Streams[10] : x0;
        nint channel = call.GradientChannelStride, column = call.InputColumnStride;
        for (int block = 0; block < call.Blocks; block++)
        {
            for (int row = 0; row < call.Rows; row++)
            {
                float* dy = call.Gradient + block * call.GradientBlockStride + row * call.GradientRowStride;
                nint x = block * call.InputBlockStride + row * call.InputRowStride;
                for (int left = call.Columns; left > 0; left--)
                {
                    for (int lane = 0; lane < Layout.Lanes; lane += TLanes.Width)
                    {
                        TVector d0 = TLanes.Load(dy + lane);
                        TVector d1 = TRows.Value > 1 ? TLanes.Load(dy + lane + channel) : TLanes.Zero;
                        TVector d2 = TRows.Value > 2 ? TLanes.Load(dy + lane + 2 * channel) : TLanes.Zero;
                        TVector d3 = TRows.Value > 3 ? TLanes.Load(dy + lane + 3 * channel) : TLanes.Zero;
                        TVector v0 = TLanes.Load(x0 + x + lane);
                        a00 = TLanes.MultiplyAdd(d0, v0, a00);
                        if (TRows.Value > 1)
                            a10 = TLanes.MultiplyAdd(d1, v0, a10);
                        if (TRows.Value > 2)
                            a20 = TLanes.MultiplyAdd(d2, v0, a20);
                        if (TRows.Value > 3)
                            a30 = TLanes.MultiplyAdd(d3, v0, a30);
                        if (TStreams.Value > 1)
                        {
                            TVector v1 = TLanes.Load(x1 + x + lane);
                            a01 = TLanes.MultiplyAdd(d0, v1, a01);
                            if (TRows.Value > 1)
                                a11 = TLanes.MultiplyAdd(d1, v1, a11);
                            if (TRows.Value > 2)
                                a21 = TLanes.MultiplyAdd(d2, v1, a21);
                            if (TRows.Value > 3)
                                a31 = TLanes.MultiplyAdd(d3, v1, a31);
                        }
                        if (TStreams.Value > 2)
                        {
                            TVector v2 = TLanes.Load(x2 + x + lane);
                            a02 = TLanes.MultiplyAdd(d0, v2, a02);
                            if (TRows.Value > 1)
                                a12 = TLanes.MultiplyAdd(d1, v2, a12);
                            if (TRows.Value > 2)
                                a22 = TLanes.MultiplyAdd(d2, v2, a22);
                            if (TRows.Value > 3)
                                a32 = TLanes.MultiplyAdd(d3, v2, a32);
                        }
                        if (TStreams.Value > 3)
                        {
                            TVector v3 = TLanes.Load(x3 + x + lane);
                            a03 = TLanes.MultiplyAdd(d0, v3, a03);
                            if (TRows.Value > 1)
                                a13 = TLanes.MultiplyAdd(d1, v3, a13);
                            if (TRows.Value > 2)
                                a23 = TLanes.MultiplyAdd(d2, v3, a23);
                            if (TRows.Value > 3)
                                a33 = TLanes.MultiplyAdd(d3, v3, a33);
                        }
                        if (TStreams.Value > 4)
                        {
                            TVector v4 = TLanes.Load(x4 + x + lane);
                            a04 = TLanes.MultiplyAdd(d0, v4, a04);
                            if (TRows.Value > 1)
                                a14 = TLanes.MultiplyAdd(d1, v4, a14);
                            if (TRows.Value > 2)
                                a24 = TLanes.MultiplyAdd(d2, v4, a24);
                            if (TRows.Value > 3)
                                a34 = TLanes.MultiplyAdd(d3, v4, a34);
                        }
                        if (TStreams.Value > 5)
                        {
                            TVector v5 = TLanes.Load(x5 + x + lane);
                            a05 = TLanes.MultiplyAdd(d0, v5, a05);
                            if (TRows.Value > 1)
                                a15 = TLanes.MultiplyAdd(d1, v5, a15);
                            if (TRows.Value > 2)
                                a25 = TLanes.MultiplyAdd(d2, v5, a25);
                            if (TRows.Value > 3)
                                a35 = TLanes.MultiplyAdd(d3, v5, a35);
                        }
                    }
                    dy += Layout.Lanes;
                    x += column;
                }
            }
        }

        float* result0 = call.Result;
        result0[call.Streams[1]] += TLanes.Sum(a00);
        if (TStreams.Value > 1)
            result0[call.Streams[3]] += TLanes.Sum(a01);
        if (TStreams.Value > 2)
            result0[call.Streams[5]] += TLanes.Sum(a02);
        if (TStreams.Value > 3)
            result0[call.Streams[7]] += TLanes.Sum(a03);
        if (TStreams.Value > 4)
            result0[call.Streams[9]] += TLanes.Sum(a04);
        if (TStreams.Value > 5)
            result0[call.Streams[11]] += TLanes.Sum(a05);
        if (TRows.Value > 1)
        {
            float* result1 = call.Result + call.ResultStride;
            result1[call.Streams[1]] += TLanes.Sum(a10);
            if (TStreams.Value > 1)
                result1[call.Streams[3]] += TLanes.Sum(a11);
            if (TStreams.Value > 2)
                result1[call.Streams[5]] += TLanes.Sum(a12);
            if (TStreams.Value > 3)
                result1[call.Streams[7]] += TLanes.Sum(a13);
            if (TStreams.Value > 4)
                result1[call.Streams[9]] += TLanes.Sum(a14);
            if (TStreams.Value > 5)
                result1[call.Streams[11]] += TLanes.Sum(a15);
        }
        if (TRows.Value > 2)
        {
            float* result2 = call.Result + 2 * call.ResultStride;
            result2[call.Streams[1]] += TLanes.Sum(a20);
            if (TStreams.Value > 1)
                result2[call.Streams[3]] += TLanes.Sum(a21);
            if (TStreams.Value > 2)
                result2[call.Streams[5]] += TLanes.Sum(a22);
            if (TStreams.Value > 3)
                result2[call.Streams[7]] += TLanes.Sum(a23);
            if (TStreams.Value > 4)
                result2[call.Streams[9]] += TLanes.Sum(a24);
            if (TStreams.Value > 5)
                result2[call.Streams[11]] += TLanes.Sum(a25);
        }
        if (TRows.Value > 3)
        {
            float* result3 = call.Result + 3 * call.ResultStride;
            result3[call.Streams[1]] += TLanes.Sum(a30);
            if (TStreams.Value > 1)
                result3[call.Streams[3]] += TLanes.Sum(a31);
            if (TStreams.Value > 2)
                result3[call.Streams[5]] += TLanes.Sum(a32);
            if (TStreams.Value > 3)
                result3[call.Streams[7]] += TLanes.Sum(a33);
            if (TStreams.Value > 4)
                result3[call.Streams[9]] += TLanes.Sum(a34);
            if (TStreams.Value > 5)
                result3[call.Streams[11]] += TLanes.Sum(a35);
        }
    }
}
