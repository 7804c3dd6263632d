using System.Runtime.Intrinsics;
using BoostingTicket.Engine.Backends;

namespace BoostingTicket.Engine.Cpu.Kernels;

/// <summary>A 3x3 convolution of stride 2 and padding 1 by its phases: along each axis the first and the last tap read (or, in an
/// input gradient, write) every other pixel, the middle tap the pixels between. Where both axes are those of two taps, it is
/// computed by F(4x4, 2x2), where one is, by F(4, 2), else directly: 81 products instead of 144 for 4x4 outputs.</summary>
/// <typeparam name="TLanes">Instructions.</typeparam>
/// <typeparam name="TVector">Their vector.</typeparam>
internal sealed unsafe class PolyphasePass<TLanes, TVector> : TilePass<TLanes, TVector>
    where TLanes : struct, ILanes<TVector>
    where TVector : struct
{
    private const int Outputs = PolyphaseTransforms.Outputs;
    // Half of what stride 1 takes: there are more than twice as many elements, and sources of wide layers need the room too.
    private const int ChannelsTogether = 16;

    private readonly int _sourceStep;
    private readonly int _targetStep;

    public PolyphasePass(ConvolutionShape shape, bool forward, WorkerScratch scratch)
        : base(
            shape, forward, forward ? Outputs : 2 * Outputs, PolyphaseTransforms.WeightOf, ChannelsTogether, scratch)
    {
        _sourceStep = forward ? 2 : 1;
        _targetStep = forward ? 1 : 2;
    }

    protected override void TransformFilter(Vector256<double>* filter, float* result, nint stride) =>
        PolyphaseTransforms.TransformFilter(filter, result, stride);

    protected override WinogradTile Place(int block, int row, int column)
    {
        int inputs = Outputs * _sourceStep + 1, targets = Outputs * _targetStep;
        int padding = Forward ? 1 : 0;
        int sourceRow = row * Outputs * _sourceStep - padding, sourceColumn = column * Outputs * _sourceStep - padding;
        row *= targets;
        column *= targets;
        return new WinogradTile
        {
            Source = ((nint)block * Source.Length + (nint)sourceRow * Source.Width + sourceColumn) * Layout.Lanes,
            Target = ((nint)block * Target.Length + (nint)row * Target.Width + column) * Layout.Lanes,
            Top = Math.Max(0, -sourceRow),
            Bottom = Math.Min(inputs, Source.Height - sourceRow),
            Left = Math.Max(0, -sourceColumn),
            Right = Math.Min(inputs, Source.Width - sourceColumn),
            Rows = Math.Min(targets, Target.Height - row),
            Columns = Math.Min(targets, Target.Width - column),
        };
    }

    protected override void TransformInputs(
        WinogradTile* places, int tiles, float* source, float* scratch, float* inputs, nint tileStride, nint elementStride)
    {
        nint row = (nint)Source.Width * Layout.Lanes, channel = (nint)Source.Pixels * Layout.Lanes;
        if (Forward)
        {
            PolyphaseTransforms<TLanes, TVector>.Input<Two>(
                places, tiles, source, row, channel, Source.Channels, scratch, inputs, tileStride, elementStride);
        }
        else
        {
            PolyphaseTransforms<TLanes, TVector>.Input<One>(
                places, tiles, source, row, channel, Source.Channels, scratch, inputs, tileStride, elementStride);
        }
    }

    protected override void TransformOutputs(
        WinogradTile* places, int tiles, float* products, nint tileStride, nint elementStride, int channels, float* scratch,
        float* target, in PassEpilogue epilogue)
    {
        nint row = (nint)Target.Width * Layout.Lanes, channel = (nint)Target.Pixels * Layout.Lanes;
        if (Forward)
        {
            PolyphaseTransforms<TLanes, TVector>.Output(
                places, tiles, products, tileStride, elementStride, channels, scratch, target, row, channel, epilogue);
        }
        else
        {
            PolyphaseTransforms<TLanes, TVector>.Spread(
                places, tiles, products, tileStride, elementStride, channels, scratch, target, row, channel, epilogue);
        }
    }
}
