using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cpu;
using BoostingTicket.Runs.Stages;
using BoostingTicket.Training.Data;
using BoostingTicket.Training.Testing;

namespace BoostingTicket.Runs.Tests.Stages;

/// <summary>What a folder keeps of its device.</summary>
internal sealed class RunEnvironmentTests
{
    private static readonly DataSplit Data = SyntheticImages.Generate("synthetic-28", 1, 28, 88, 24, seed: 3);

    [Test]
    public void What_a_device_chooses_in_another_number_format_is_kept_too()
    {
        using var folder = new TemporaryFolder();
        string file = Path.Combine(folder.Path, "environment.json"), kept = Path.Combine(folder.Path, "choices.json");
        DeviceChoices Claimed()
        {
            using IBackend backend = CpuBackend.Create(1);
            using var progress = new CountingProgress();
            var choices = new DeviceChoices("cuda: a GPU, BFloat16");
            new RunEnvironment(backend, Data).Keep(file, kept, progress, choices);
            return choices;
        }

        DeviceChoices first = Claimed();
        first.Add("a convolution", "algorithm 1");
        first.Report("An algorithm is wrong.");
        Assert.That(File.ReadAllText(file), Does.Contain("\"dropped\": \"An algorithm is wrong.\""));
        Assert.That(Claimed().Kept("a convolution"), Is.EqualTo("algorithm 1"));
        Assert.That(File.ReadAllText(file), Does.Contain("\"dropped\": \"An algorithm is wrong.\""));
    }
}
