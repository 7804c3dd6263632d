using BoostingTicket.TorchSharpSupport;
using static TorchSharp.torch;

namespace BoostingTicket.GoldenData;

/// <summary>A network whose golden values are recorded, and the attack on it.</summary>
/// <param name="Name">Name of the model and of its file.</param>
/// <param name="Build">Creates the TorchSharp network.</param>
/// <param name="Channels">Channels of an image.</param>
/// <param name="Side">Height and width of an image in pixels.</param>
/// <param name="Epsilon">Radius of the attack's L∞ ball, in pixel units of [0, 1].</param>
/// <param name="StepSize">Step of PGD, in the same units.</param>
/// <param name="LearningRate">Rate of the training steps: 0.05, or less where the narrow network then goes chaotic.</param>
/// <param name="Seed">Seed of weights, images, labels, mask and start point.</param>
/// <param name="Masked">Whether the training steps under a mask are recorded too.</param>
internal sealed record GoldenCase(
    string Name, Func<nn.Module<Tensor, Tensor>> Build, int Channels, int Side, double Epsilon, double StepSize,
    double LearningRate, ulong Seed, bool Masked)
{
    /// <summary>The recorded networks: each family once, as narrow as it can be without degenerating.</summary>
    public static IReadOnlyList<GoldenCase> All { get; } =
    [
        new("lenet-4-8-32", () => new LeNet(4, 8, 32), 1, 28, 0.3, 0.075, 0.05, 1, true),
        new("resnet18-w4", () => new ResNet18(4), 3, 32, 8.0 / 255, 2.0 / 255, 0.05, 64, true),
        new("vgg16-w4", () => new Vgg16(4), 3, 32, 8.0 / 255, 2.0 / 255, 0.01, 99, false),
        new("wrn-10-1", () => new WideResNet(10, 1), 3, 32, 8.0 / 255, 2.0 / 255, 0.05, 17, false),
        new("wrn-10-1-silu", () => new WideResNet(10, 1, silu: true), 3, 32, 8.0 / 255, 2.0 / 255, 0.05, 3, false),
        new("preact-resnet18-w4", () => new PreActResNet18(4), 3, 32, 8.0 / 255, 2.0 / 255, 0.05, 2, false),
    ];
}
