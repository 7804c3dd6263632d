using BoostingTicket.Engine.Graph;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.TorchSharpSupport;
using BoostingTicket.Training.Models;
using BoostingTicket.Training.Pruning;
using static TorchSharp.torch;
using Tensor = TorchSharp.torch.Tensor;

namespace BoostingTicket.Benchmarks;

/// <summary>A model of the comparison.</summary>
/// <param name="Name">Name in the catalogue.</param>
/// <param name="Batch">Samples.</param>
/// <param name="IsGray">Whether its images are 1x28x28 instead of 3x32x32.</param>
/// <param name="CreateModule">Its TorchSharp form.</param>
internal sealed record BenchmarkModel(string Name, int Batch, bool IsGray, Func<nn.Module<Tensor, Tensor>> CreateModule)
{
    /// <summary>All of them.</summary>
    public static IReadOnlyList<BenchmarkModel> All { get; } =
    [
        new("lenet-madry", 128, true, () => new LeNet(32, 64, 1024, padding: 2)),
        new("resnet18-w16", 128, false, () => new ResNet18(16)),
        new("resnet18", 128, false, () => new ResNet18(64)),
        new("vgg16", 64, false, () => new Vgg16(64)),
        new("wrn-16-4", 64, false, () => new WideResNet(16, 4)),
    ];

    /// <summary>Shape of an image.</summary>
    public FeatureShape Shape => IsGray ? new FeatureShape(1, 28, 28) : new FeatureShape(3, 32, 32);

    /// <summary>What makes a model's TorchSharp form, at any width of those that have one.</summary>
    /// <exception cref="Training.ConfigurationException">TorchSharp has no such model here.</exception>
    public static Func<nn.Module<Tensor, Tensor>> Creator(string name)
    {
        ModelWidth? width = ModelCatalog.FamilyOf(name).Width(name);
        if (width is not null && name.StartsWith("resnet18", StringComparison.Ordinal))
            return () => new ResNet18(width.Value);
        if (width is not null && name.StartsWith("vgg16", StringComparison.Ordinal))
            return () => new Vgg16(width.Value);
        return All.FirstOrDefault(model => model.Name == name)?.CreateModule ?? throw new Training.ConfigurationException(
            $"There is no TorchSharp form of {name} here; choose a ResNet-18 or VGG-16.");
    }

    /// <summary>The model of a name.</summary>
    public static BenchmarkModel Find(string name) => All.First(model => model.Name == name);
}

/// <summary>What both engines are given: a model's initial weights, pruned globally by magnitude, and a batch.</summary>
internal sealed class Workload
{
    public const int AttackSteps = 10;
    public const float Epsilon = 8f / 255;
    public const float StepSize = 2f / 255;
    // Small enough for the same batch to be trained on again and again.
    public const double LearningRate = 1e-3;
    public const double Momentum = 0.9;
    public const double WeightDecay = 2e-4;

    public Workload(BenchmarkModel model, double sparsity)
    {
        Model = model;
        Sparsity = sparsity;
        Graph = ModelCatalog.Build(
            model.Name, new ModelOptions(model.Shape, 10, model.IsGray ? null : InputNormalizationConstants.Cifar10));
        State = Initialization.Draw(Graph.Table, seed: 1);
        if (sparsity > 0)
        {
            Mask = PrunerCatalog.Find("global").Prune(State, new PruningOptions(sparsity)).Mask;
            Mask.Apply(State.Weights);
        }
        Images = new float[model.Batch * model.Shape.Length];
        for (int i = 0; i < Images.Length; i++)
            Images[i] = Philox.Uniform(Philox.Words(7, (uint)i, 0, 0, 0)[0]);
        Labels = [.. Enumerable.Range(0, model.Batch).Select(i => (int)(Philox.Words(8, (uint)i, 0, 0, 0)[0] % 10))];
    }

    public BenchmarkModel Model { get; }

    public double Sparsity { get; }

    public NetworkGraph Graph { get; }

    /// <summary>Weights, zero where pruned, and running statistics.</summary>
    public ModelState State { get; }

    /// <summary>Null for the dense network.</summary>
    public Mask? Mask { get; }

    /// <summary>In [0, 1], NCHW.</summary>
    public float[] Images { get; }

    public int[] Labels { get; }
}
