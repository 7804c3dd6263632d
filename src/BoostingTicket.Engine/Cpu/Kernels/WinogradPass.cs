using System.Runtime.Intrinsics;
using BoostingTicket.Engine.Backends;

namespace BoostingTicket.Engine.Cpu.Kernels;

/// <summary>A 3x3 or 5x5 convolution of stride 1 by Winograd's F(4x4, 3x3) or F(4x4, 5x5).</summary>
/// <typeparam name="TLanes">Instructions.</typeparam>
/// <typeparam name="TVector">Their vector.</typeparam>
internal sealed unsafe class WinogradPass<TLanes, TVector> : TilePass<TLanes, TVector>
    where TLanes : struct, ILanes<TVector>
    where TVector : struct
{
    private const int Outputs = WinogradTransforms.Outputs;
    private const int ChannelsTogether = 32;

    private readonly bool _isWide;
    private readonly int _inputs;
    private readonly int _padding;

    public WinogradPass(ConvolutionShape shape, bool forward, WorkerScratch scratch)
        : base(shape, forward, Outputs, [.. Enumerable.Range(0, Inputs(shape) * Inputs(shape))], ChannelsTogether, scratch)
    {
        _inputs = Inputs(shape);
        _isWide = shape.KernelHeight == WideFilterTransforms.Kernel;
        _padding = forward ? Shape.Padding : Shape.KernelHeight - 1 - Shape.Padding;
    }

    private static int Inputs(ConvolutionShape shape) => WinogradTransforms.InputsOf(shape.KernelHeight);

    protected override void TransformFilter(Vector256<double>* filter, float* result, nint stride)
    {
        if (_isWide)
            WideFilterTransforms.TransformFilter(filter, result, stride);
        else
            WinogradTransforms.TransformFilter(filter, result, stride);
    }

    protected override WinogradTile Place(int block, int row, int column)
    {
        row *= Outputs;
        column *= Outputs;
        int sourceRow = row - _padding, sourceColumn = column - _padding;
        return new WinogradTile
        {
            Source = ((nint)block * Source.Length + (nint)sourceRow * Source.Width + sourceColumn) * Layout.Lanes,
            Target = ((nint)block * Target.Length + (nint)row * Target.Width + column) * Layout.Lanes,
            Top = Math.Max(0, -sourceRow),
            Bottom = Math.Min(_inputs, Source.Height - sourceRow),
            Left = Math.Max(0, -sourceColumn),
            Right = Math.Min(_inputs, Source.Width - sourceColumn),
            Rows = Math.Min(Outputs, Target.Height - row),
            Columns = Math.Min(Outputs, Target.Width - column),
        };
    }

    protected override void TransformInputs(
        WinogradTile* places, int tiles, float* source, float* scratch, float* inputs, nint tileStride, nint elementStride)
    {
        nint row = (nint)Source.Width * Layout.Lanes, channel = (nint)Source.Pixels * Layout.Lanes;
        if (_isWide)
        {
            WideFilterTransforms<TLanes, TVector>.Input(
                places, tiles, source, row, channel, Source.Channels, scratch, inputs, tileStride, elementStride);
        }
        else
        {
            WinogradTransforms<TLanes, TVector>.Input(
                places, tiles, source, row, channel, Source.Channels, scratch, inputs, tileStride, elementStride);
        }
    }

    protected override void TransformOutputs(
        WinogradTile* places, int tiles, float* products, nint tileStride, nint elementStride, int channels, float* scratch,
        float* target, in PassEpilogue epilogue)
    {
        nint row = (nint)Target.Width * Layout.Lanes, channel = (nint)Target.Pixels * Layout.Lanes;
        if (_isWide)
        {
            WideFilterTransforms<TLanes, TVector>.Output(
                places, tiles, products, tileStride, elementStride, channels, scratch, target, row, channel, epilogue);
        }
        else
        {
            WinogradTransforms<TLanes, TVector>.Output(
                places, tiles, products, tileStride, elementStride, channels, scratch, target, row, channel, epilogue);
        }
    }
}
