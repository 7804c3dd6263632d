using BoostingTicket.Engine.Plans;
using BoostingTicket.Engine.Testing;
using BoostingTicket.Training.Checkpoints;
using BoostingTicket.Training.Files;

namespace BoostingTicket.Training.Tests.Checkpoints;

/// <summary>Networks that PyTorch saved as public repositories do, with the logits that it computed in double precision
/// (tools/BoostingTicket.GoldenData/torch_networks.py).</summary>
internal sealed class TorchNetworkTests
{
    private const double Tolerance = 1e-5;

    [TestCase("robustbench-wrn", null, "robustbench-wrn", "wrn-10-1", "prefix,counters,converted,normalization",
        TestName = "A_WideResNet_of_RobustBench_as_DataParallel_in_half_precision_with_mu_and_sigma")]
    [TestCase("trades-resnet18", null, "trades-resnet18", "resnet18-w2", "prefix,counters",
        TestName = "A_ResNet18_of_TRADES_in_the_older_format")]
    [TestCase("torchvision-resnet18-ema", "model_state_dict.", "torchvision-resnet18", "resnet18-w2",
        "prefix,renamed,counters,outside", TestName = "A_ResNet18_in_the_names_of_torchvision")]
    [TestCase("torchvision-resnet18-ema", "ema_state_dict.", "torchvision-resnet18-ema", "resnet18-w2",
        "prefix,renamed,counters,outside", TestName = "The_exponential_average_beside_it")]
    public void A_public_checkpoint_computes_what_it_computed_in_PyTorch(
        string file, string? prefix, string expected, string model, string repairs)
    {
        ImportedWeights imported = WeightImport.Read(Golden(file), new ImportOptions(Prefix: prefix));
        Assert.Multiple(() =>
        {
            Assert.That(imported.Graph.Name, Is.EqualTo(model));
            Assert.That(imported.Repairs.Select(repair => repair.Kind), Is.EquivalentTo(repairs.Split(',')));
        });

        using SafetensorsFile truth = SafetensorsFile.Open(Golden("networks"));
        float[] images = [.. Bytes(truth, "images").Select(pixel => pixel / 255f)], logits = Singles(truth, expected);
        using var backend = new ReferenceBackend();
        using var network = new Network(imported.Graph, backend);
        imported.State.CopyTo(network.Parameters, backend);
        int batch = images.Length / imported.Graph.Input.Shape.Length;
        Plan plan = network.Plan(new PlanOptions(batch, PlanMode.Evaluate));
        backend.Upload(images, network.Buffers(batch).Input);
        plan.Forward();
        float[] ours = new float[logits.Length];
        backend.Download(plan.Logits, ours);
        double largest = logits.Max(Math.Abs);
        for (int i = 0; i < ours.Length; i++)
            Assert.That(ours[i], Is.EqualTo(logits[i]).Within(Tolerance * largest));
    }

    [Test]
    public void Two_networks_in_a_file_are_asked_about() => Assert.That(
        () => WeightImport.Read(Golden("torchvision-resnet18-ema"), new ImportOptions()),
        Throws.TypeOf<ConfigurationException>().With.Message.Contains("'ema_state_dict.', 'model_state_dict.'"));

    private static byte[] Bytes(SafetensorsFile file, string name)
    {
        Assert.That(file.TryFind(name, out SafetensorsEntry? entry), name);
        byte[] bytes = new byte[entry!.ByteLength];
        file.ReadBytes(entry, bytes);
        return bytes;
    }

    private static float[] Singles(SafetensorsFile file, string name)
    {
        Assert.That(file.TryFind(name, out SafetensorsEntry? entry), name);
        float[] values = new float[entry!.Length];
        file.ReadSingles(entry, values);
        return values;
    }

    private static string Golden(string name) => Path.Combine(AppContext.BaseDirectory, "golden", "torch", name + ".pt");
}
