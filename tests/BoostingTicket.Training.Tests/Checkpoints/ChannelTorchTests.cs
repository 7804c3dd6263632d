using System.Diagnostics;
using System.Globalization;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cpu;
using BoostingTicket.Engine.Graph;
using BoostingTicket.Engine.Plans;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Training.Checkpoints;
using BoostingTicket.Training.Models;
using BoostingTicket.Training.Pruning;
using BoostingTicket.Training.Testing;

namespace BoostingTicket.Training.Tests.Checkpoints;

/// <summary>An exported channel ticket in PyTorch, as a ResNet-18 that is built from the shapes of its tensors alone.</summary>
internal sealed class ChannelTorchTests
{
    private const string Python = "/usr/bin/python3";
    private const int Batch = 4;

    // Channels are read off each tensor; what a residual sum adds has as many on both sides.
    private const string Script = """
        import sys, torch, torch.nn as nn
        state = torch.load(sys.argv[1])
        class Block(nn.Module):
            def __init__(self, name, stride):
                super().__init__()
                conv = lambda key, stride, padding: nn.Conv2d(
                    state[key].shape[1], state[key].shape[0], state[key].shape[2], stride, padding, bias=False)
                self.conv1 = conv(f'{name}.conv1.weight', stride, 1)
                self.bn1 = nn.BatchNorm2d(self.conv1.out_channels)
                self.conv2 = conv(f'{name}.conv2.weight', 1, 1)
                self.bn2 = nn.BatchNorm2d(self.conv2.out_channels)
                self.shortcut = nn.Sequential()
                if f'{name}.shortcut.0.weight' in state:
                    short = conv(f'{name}.shortcut.0.weight', stride, 0)
                    self.shortcut = nn.Sequential(short, nn.BatchNorm2d(short.out_channels))
            def forward(self, x):
                y = self.bn2(self.conv2(torch.relu(self.bn1(self.conv1(x)))))
                return torch.relu(y + self.shortcut(x))
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                w = state['conv1.weight'].shape
                self.conv1 = nn.Conv2d(w[1], w[0], 3, 1, 1, bias=False)
                self.bn1 = nn.BatchNorm2d(w[0])
                for s in range(1, 5):
                    blocks = [Block(f'layer{s}.{b}', 2 if s > 1 and b == 0 else 1) for b in range(2)]
                    setattr(self, f'layer{s}', nn.Sequential(*blocks))
                self.linear = nn.Linear(state['linear.weight'].shape[1], state['linear.weight'].shape[0])
            def forward(self, x):
                x = torch.relu(self.bn1(self.conv1(x)))
                for s in range(1, 5):
                    x = getattr(self, f'layer{s}')(x)
                return self.linear(x.mean((2, 3)))
        net = Net()
        missing = net.load_state_dict(state, strict=False)
        assert not missing.unexpected_keys and all('num_batches' in k for k in missing.missing_keys), missing
        net.eval()
        x = torch.frombuffer(bytearray(open(sys.argv[2], 'rb').read()), dtype=torch.float32).reshape(-1, 3, 32, 32)
        with torch.no_grad():
            print(' '.join(repr(v) for v in net(x).flatten().tolist()))
        """;

    [Test]
    public void Pytorch_computes_the_same_logits_with_a_graph_of_the_shapes()
    {
        using var folder = new TemporaryFolder();
        if (Run("-c", "import torch") is (not 0, _))
            Assert.Ignore($"{Python} has no torch.");
        NetworkGraph graph = ModelCatalog.Build("resnet18-w8", new ModelOptions(new FeatureShape(3, 32, 32)));
        ModelState state = Initialization.Draw(graph.Table, seed: 4);
        SubNetwork network = SubNetworkPruner.Draw(graph, state, new SubNetworkOptions(
            TicketStructure.Find("channel"), "global", new PruningOptions(0.5), 0.5, ChannelCriterion.Norm)).Network;
        ModelState small = network.Take(state);
        WeightFile.Save(folder["weights"], small, ModelFileMetadata.Of(network.Graph));
        WeightExport.Write(folder["weights"], folder["out.pt"], PyTorchStyle.Usual, format: ExportFormat.Torch);
        float[] images = [.. Enumerable.Range(0, Batch * 3 * 32 * 32).Select(i => i * 37 % 256 / 255f)];
        File.WriteAllBytes(folder["images"], [.. images.SelectMany(BitConverter.GetBytes)]);
        File.WriteAllText(folder["graph.py"], Script);

        (int code, string output) = Run(folder["graph.py"], folder["out.pt"], folder["images"]);
        Assert.That(code, Is.Zero, output);
        float[] theirs = [.. output.Split().Where(word => word.Length > 0).Select(word =>
            float.Parse(word, CultureInfo.InvariantCulture))];
        float[] ours = Logits(network.Graph, small, images);
        Assert.Multiple(() =>
        {
            Assert.That(ours.Max(Math.Abs), Is.GreaterThan(1e-2));
            Assert.That(theirs, Is.EqualTo(ours).Within(1e-4));
        });
    }

    private static float[] Logits(NetworkGraph graph, ModelState state, float[] images)
    {
        using IBackend backend = CpuBackend.Create(1);
        using var network = new Network(graph, backend);
        state.CopyTo(network.Parameters, backend);
        Plan plan = network.Plan(new PlanOptions(Batch, PlanMode.Evaluate));
        backend.Upload(images, network.Buffers(Batch).Input);
        plan.Forward();
        float[] logits = new float[Batch * graph.Classes];
        backend.Download(plan.Logits, logits);
        return logits;
    }

    private static (int Code, string Output) Run(params string[] arguments)
    {
        if (!File.Exists(Python))
            return (1, "");
        using var process = Process.Start(new ProcessStartInfo(Python, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, process.ExitCode == 0 ? output : output + errors.Result);
    }
}
