using BoostingTicket.Engine.Backends;

namespace BoostingTicket.Engine.Testing.Operations;

/// <summary>Convolutions and linear layers of the networks: what benchmarks and the calibration time, and what tests compare with
/// the reference. A shape added here is timed and tested.</summary>
internal static class LayerShapes
{
    /// <summary>All of them, by name: channels, map, kernel and stride, as in <c>64>128 32x32 3x3/2</c>.</summary>
    public static IReadOnlyDictionary<string, ConvolutionShape> All { get; } = new ConvolutionShape[]
    {
        new(new(64, 32, 32), 64, 3, 3, 1, 1),
        new(new(128, 16, 16), 128, 3, 3, 1, 1),
        new(new(256, 8, 8), 256, 3, 3, 1, 1),
        new(new(512, 4, 4), 512, 3, 3, 1, 1),
        new(new(512, 2, 2), 512, 3, 3, 1, 1),
        new(new(16, 32, 32), 16, 3, 3, 1, 1),
        new(new(32, 16, 16), 32, 3, 3, 1, 1),
        new(new(64, 8, 8), 64, 3, 3, 1, 1),
        new(new(128, 4, 4), 128, 3, 3, 1, 1),
        new(new(64, 32, 32), 128, 3, 3, 2, 1),
        new(new(256, 8, 8), 512, 3, 3, 2, 1),
        new(new(32, 16, 16), 64, 3, 3, 2, 1),
        new(new(64, 32, 32), 128, 1, 1, 2, 0),
        new(new(16, 32, 32), 64, 1, 1, 1, 0),
        new(new(3, 32, 32), 64, 3, 3, 1, 1),
        new(new(3, 32, 32), 16, 3, 3, 1, 1),
        new(new(1, 28, 28), 32, 5, 5, 1, 2),
        new(new(32, 14, 14), 64, 5, 5, 1, 2),
        new(new(6, 14, 14), 16, 5, 5, 1, 2),
        new(new(64, 32, 32), 16, 3, 3, 1, 1),
        new(new(8, 32, 32), 8, 3, 3, 1, 1),
        ConvolutionShape.Linear(new(64, 7, 7), 1024),
        ConvolutionShape.Linear(new(512), 10),
    }.ToDictionary(Name);

    private static string Name(ConvolutionShape shape) => shape.IsLinear
        ? $"linear {shape.Input.Length}>{shape.OutputChannels}"
        : $"{shape.Input.Channels}>{shape.OutputChannels} {shape.Input.Height}x{shape.Input.Width} "
            + $"{shape.KernelHeight}x{shape.KernelWidth}{(shape.Stride == 1 ? "" : $"/{shape.Stride}")}";
}
