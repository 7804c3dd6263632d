using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Graph;
using BoostingTicket.Engine.Plans;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.TorchSharpSupport;
using BoostingTicket.Training.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace BoostingTicket.Benchmarks;

/// <summary>One model in both engines, with the same weights, statistics, images and labels.</summary>
internal sealed class NetworkPair : IDisposable
{
    public NetworkPair(string model, int batch, IBackend backend, nn.Module<torch.Tensor, torch.Tensor> module)
    {
        Batch = batch;
        Backend = backend;
        Module = module;
        bool isGray = model.StartsWith("lenet", StringComparison.Ordinal);
        Shape = isGray ? new FeatureShape(1, 28, 28) : new FeatureShape(3, 32, 32);
        NetworkGraph graph = ModelCatalog.Build(
            model, new ModelOptions(Shape, 10, isGray ? null : InputNormalizationConstants.Cifar10));
        Network = new Network(graph, backend);
        ModelState state = Initialization.Draw(graph.Table, seed: 1);
        state.CopyTo(Network.Parameters, backend);
        Buffers = Network.Buffers(batch);

        float[] images = new float[batch * Shape.Length];
        long[] labels = new long[batch];
        for (int i = 0; i < images.Length; i++)
            images[i] = Philox.Uniform(Philox.Words(7, (uint)i, 0, 0, 0)[0]);
        for (int i = 0; i < batch; i++)
            labels[i] = Philox.Words(8, (uint)i, 0, 0, 0)[0] % 10;
        backend.Upload(images, Buffers.Clean);
        backend.Upload([.. labels.Select(label => (int)label)], Buffers.Labels);
        backend.Upload([.. Enumerable.Range(0, batch)], Buffers.Samples);
        Images = tensor(images).reshape(batch, Shape.Channels, Shape.Height, Shape.Width);
        Labels = tensor(labels);

        using (no_grad())
        {
            foreach ((string name, torch.Tensor value) in module.named_parameters().Select(item => (item.name, (torch.Tensor)item.parameter))
                .Concat(module.named_buffers().Select(item => (item.name, item.buffer))))
            {
                if (graph.Table.Find(name) is { } parameter)
                    value.copy_(tensor(state[parameter].ToArray()).reshape(value.shape));
            }
        }
    }

    public int Batch { get; }

    public FeatureShape Shape { get; }

    public IBackend Backend { get; }

    public Network Network { get; }

    public BatchBuffers Buffers { get; }

    public nn.Module<torch.Tensor, torch.Tensor> Module { get; }

    public torch.Tensor Images { get; }

    public torch.Tensor Labels { get; }

    /// <summary>The models of the comparison and their TorchSharp forms.</summary>
    public static IReadOnlyList<(string Name, int Batch, Func<nn.Module<torch.Tensor, torch.Tensor>> Create)> Models { get; } =
    [
        ("lenet-madry", 128, () => new LeNet(32, 64, 1024, padding: 2)),
        ("resnet18-w16", 128, () => new ResNet18(16)),
        ("resnet18", 128, () => new ResNet18(64)),
        ("vgg16", 64, () => new Vgg16(64)),
        ("wrn-16-4", 64, () => new WideResNet(16, 4)),
    ];

    /// <summary>Σ(a-b)² / Σb².</summary>
    public static double Disagreement(ReadOnlySpan<float> ours, ReadOnlySpan<float> theirs)
    {
        double error = 0, norm = 0;
        for (int i = 0; i < ours.Length; i++)
        {
            error += Math.Pow(ours[i] - theirs[i], 2);
            norm += Math.Pow(theirs[i], 2);
        }
        return error / norm;
    }

    public void Dispose()
    {
        Network.Dispose();
        Module.Dispose();
        Images.Dispose();
        Labels.Dispose();
    }
}
