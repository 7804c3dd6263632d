using BoostingTicket.Engine.Tensors;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Runs.Experiments;
using BoostingTicket.Runs.Experiments.Sweeps;
using BoostingTicket.Runs.Reporting;
using BoostingTicket.Training.Data;

namespace BoostingTicket.Runs.Tests.Experiments;

/// <summary>Sweeps, without computing any of them.</summary>
internal sealed class SweepTests
{
    [Test]
    public void Own_data_are_the_same_wherever_they_lie()
    {
        static GridFingerprints Of(string name) => GridFingerprints.Of(
            SyntheticImages.Generate(name, 1, 28, 8, 4, seed: 3), 4, Precision.Float32, Precision.BFloat16);

        GridFingerprints here = Of("/here/images.npz"), published = Of("synthetic-28");
        Assert.That(Of("/there/images.npz"), Is.EqualTo(here));
        Assert.That(here.Train, Does.StartWith("own ").And.EndsWith(" Float32"));
        // As version 0.1.0 wrote it, whose keys are hashes of it.
        string hash = SyntheticImages.Generate("synthetic-28", 1, 28, 8, 4, seed: 3).Test.ContentHash;
        Assert.That(published.Test, Is.EqualTo($"synthetic-28 {hash} 4 Float32"));
        Assert.That(published.Beside, Does.StartWith("synthetic-28 ").And.EndsWith(" BFloat16"));
    }

    [TestCase(1, "0.5,ticket,0.8,0.9,,0.4,,10,,1,a b,\n", "80.0")]
    [TestCase(2, "0.5,ticket,0.8,0.9,0.01,0.4,0.02,10,3,2,a b,0.1\n", "80.0 ± 10.0")]
    public void Deviations_are_those_of_several_seeds(int seeds, string row, string pruned)
    {
        RunConfiguration configuration = Presets.Find("quick").Configuration with { Seeds = seeds };
        double some = seeds > 1 ? 1 : 0;
        var result = new SweepResult(
            new SweepConfiguration([new SweptOption("ratio", ["0.5"])], configuration, ["hash"]),
            new Dictionary<string, string>(),
            [
                new SweepRow(
                    ["0.5"], Arm.Ticket, 0.8, new Spread(0.9, 0.01 * some, seeds), new Spread(0.4, 0.02 * some, seeds),
                    new Spread(10, 3 * some, seeds), ["a", "b"])
                {
                    SparsityDeviation = 0.1 * some,
                },
            ],
            [], []);
        Assert.That(SweepReports.Csv(result).Split('\n', 2)[1], Is.EqualTo(row));
        Assert.That(SweepReports.Cells(result).Rows[0][2], Is.EqualTo(pruned));
        SweepRow kept = RunJson.Read<SweepRow>(RunJson.Write(result.Rows[0]), "file");
        Assert.That(kept.Pruned, Is.EqualTo(result.Rows[0].Pruned));
    }

    [Test]
    public void A_row_of_an_earlier_version_can_be_read()
    {
        var row = new SweepRow(
            ["0.5"], Arm.Ticket, 0.8, new Spread(0.9, 0, 1), new Spread(0.4, 0, 1), new Spread(10, 0, 1), ["a"]);
        string text = RunJson.Write(row).Replace(",\n  \"sparsityDeviation\": 0", "", StringComparison.Ordinal);
        Assert.That(text, Does.Not.Contain("Deviation"));
        Assert.That(RunJson.Read<SweepRow>(text, "file").Pruned, Is.EqualTo(new Spread(0.8, 0, 1)));
    }
}
