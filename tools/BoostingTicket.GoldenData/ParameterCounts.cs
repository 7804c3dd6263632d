using BoostingTicket.TorchSharpSupport;
using static TorchSharp.torch;

namespace BoostingTicket.GoldenData;

/// <summary>The published parameter counts: the networks here have the structures that they are named after.</summary>
internal static class ParameterCounts
{
    private static readonly (string Name, Func<nn.Module<Tensor, Tensor>> Build, long Count)[] Expected =
    [
        ("lenet-20-50-500", () => new LeNet(20, 50, 500), 431_080),
        ("lenet-32-64-1024", () => new LeNet(32, 64, 1024, 2), 3_274_634),
        ("vgg16", () => new Vgg16(64), 14_987_722),
        ("resnet18", () => new ResNet18(64), 11_173_962),
        ("preact-resnet18", () => new PreActResNet18(64), 11_172_170),
        ("wrn-34-10", () => new WideResNet(34, 10), 46_160_474),
        ("wrn-28-10", () => new WideResNet(28, 10), 36_479_194),
        ("wrn-22-10", () => new WideResNet(22, 10), 26_797_914),
        ("wrn-16-10", () => new WideResNet(16, 10), 17_116_634),
        ("wrn-10-10", () => new WideResNet(10, 10), 7_435_354),
        ("wrn-34-5", () => new WideResNet(34, 5), 11_554_074),
        ("wrn-34-2", () => new WideResNet(34, 2), 1_855_578),
        ("wrn-34-1", () => new WideResNet(34, 1), 466_714),
    ];

    /// <summary>Prints the counts.</summary>
    /// <exception cref="InvalidOperationException">A network has another number of parameters than published.</exception>
    public static void Check()
    {
        foreach ((string name, Func<nn.Module<Tensor, Tensor>> build, long expected) in Expected)
        {
            using nn.Module<Tensor, Tensor> model = build();
            long count = model.parameters().Sum(p => p.numel());
            Console.WriteLine($"{name,-18}{count,12:N0} parameters");
            if (count != expected)
                throw new InvalidOperationException($"{name} should have {expected:N0} parameters.");
        }
    }
}
