using System.Runtime.Intrinsics;
using BoostingTicket.Engine.Backends;

namespace BoostingTicket.Engine.Cpu.Kernels;

/// <summary>A 3x3 or 5x5 convolution of stride 1 by Winograd's F(4x4, 3x3) or F(2x2, 5x5).</summary>
/// <typeparam name="TLanes">Instructions.</typeparam>
/// <typeparam name="TVector">Their vector.</typeparam>
internal sealed unsafe class WinogradPass<TLanes, TVector> : TilePass<TLanes, TVector>
    where TLanes : struct, ILanes<TVector>
    where TVector : struct
{
    private const int Inputs = WinogradTransforms.Inputs;
    private const int ChannelsTogether = 32;

    private static readonly int[] WeightOf = [.. Enumerable.Range(0, WinogradTransforms.Elements)];

    private readonly int _kernel;
    private readonly int _outputs;
    private readonly int _padding;

    public WinogradPass(ConvolutionShape shape, bool forward, WorkerScratch scratch)
        : base(shape, forward, WinogradTransforms.Outputs(shape.KernelHeight), WeightOf, ChannelsTogether, scratch)
    {
        _kernel = Shape.KernelHeight;
        _outputs = WinogradTransforms.Outputs(_kernel);
        _padding = forward ? Shape.Padding : _kernel - 1 - Shape.Padding;
    }

    protected override void TransformFilter(Vector256<double>* filter, float* result, nint stride)
    {
        Vector256<double>* scratch = stackalloc Vector256<double>[Inputs * _kernel];
        WinogradTransforms.TransformFilter(_kernel, filter, scratch, result, stride);
    }

    protected override WinogradTile Place(int block, int row, int column)
    {
        row *= _outputs;
        column *= _outputs;
        int sourceRow = row - _padding, sourceColumn = column - _padding;
        return new WinogradTile
        {
            Source = ((nint)block * Source.Length + (nint)sourceRow * Source.Width + sourceColumn) * Layout.Lanes,
            Target = ((nint)block * Target.Length + (nint)row * Target.Width + column) * Layout.Lanes,
            Top = Math.Max(0, -sourceRow),
            Bottom = Math.Min(Inputs, Source.Height - sourceRow),
            Left = Math.Max(0, -sourceColumn),
            Right = Math.Min(Inputs, Source.Width - sourceColumn),
            Rows = Math.Min(_outputs, Target.Height - row),
            Columns = Math.Min(_outputs, Target.Width - column),
        };
    }

    protected override void TransformInputs(
        WinogradTile* places, int tiles, float* source, float* scratch, float* inputs, nint tileStride, nint elementStride) =>
        WinogradTransforms<TLanes, TVector>.Input(
            places, tiles, source, (nint)Source.Width * Layout.Lanes, (nint)Source.Pixels * Layout.Lanes, Source.Channels,
            scratch, inputs, tileStride, elementStride);

    protected override void TransformOutputs(
        WinogradTile* places, int tiles, float* products, nint tileStride, nint elementStride, int channels, float* scratch,
        float* target, in PassEpilogue epilogue)
    {
        nint targetRow = (nint)Target.Width * Layout.Lanes, targetChannel = (nint)Target.Pixels * Layout.Lanes;
        if (_outputs == 4)
        {
            WinogradTransforms<TLanes, TVector>.Output<Four>(
                places, tiles, products, tileStride, elementStride, channels, scratch, target, targetRow, targetChannel,
                epilogue);
        }
        else
        {
            WinogradTransforms<TLanes, TVector>.Output<Two>(
                places, tiles, products, tileStride, elementStride, channels, scratch, target, targetRow, targetChannel,
                epilogue);
        }
    }
}
