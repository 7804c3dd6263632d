using System.Diagnostics;
using BoostingTicket.Engine.Testing;

namespace BoostingTicket.Cli.Tests;

/// <summary>The program killed (SIGKILL) at random instants and resumed.</summary>
[Parallelizable]
internal sealed class KillTests
{
    private const int Seed = 20201;

    private static readonly string[] Settings =
    [
        "run", "--arms", "dense,ticket,reinit", "--model", "lenet-4-8-32", "--train-samples", "700", "--validation-samples",
        "100",
        "--test-samples", "64", "--epochs", "6", "--dense-epochs", "6", "--donor-epochs", "6", "--steps", "2",
        "--evaluation-steps", "3", "--threads", "1", "--device", "cpu", "--quiet",
    ];

    private string _root = "";

    [SetUp]
    public void CreateFolder() => _root = Directory.CreateTempSubdirectory("kill-").FullName;

    [TearDown]
    public void DeleteFolder() => Directory.Delete(_root, recursive: true);

    [TestCase(3)]
    [LongTestCase(10)]
    public void Killed_at_random_instants_and_resumed_a_run_ends_with_the_same_bits(int times)
    {
        string whole = Path.Combine(_root, "whole"), killed = Path.Combine(_root, "killed");
        var clock = Stopwatch.StartNew();
        Assert.That(RunToEnd(whole, resume: false), Is.Zero);
        double seconds = clock.Elapsed.TotalSeconds;

        var random = new Random(Seed);
        int kills = 0;
        bool resume = false;
        while (kills < times)
        {
            // Start-up takes a part of each attempt; a tenth of the run on average is enough to reach every stage.
            using Process process = Start(killed, resume);
            bool ended = process.WaitForExit(TimeSpan.FromSeconds(random.NextDouble() * seconds / 4));
            if (ended)
            {
                // Done before the kills were used up: begin again, so that all are taken in any case.
                Assert.That(process.ExitCode, Is.Zero, process.StandardError.ReadToEnd());
                Assert.That(KeptFiles.Of(killed), Is.EqualTo(KeptFiles.Of(whole)));
                Directory.Delete(killed, recursive: true);
                resume = false;
                continue;
            }
            process.Kill();
            process.WaitForExit();
            kills++;
            resume = File.Exists(Path.Combine(killed, "configuration.json"));
        }
        Assert.That(RunToEnd(killed, resume), Is.Zero);

        Assert.That(KeptFiles.Of(killed), Is.EqualTo(KeptFiles.Of(whole)), $"instants from seed {Seed}");
    }

    private static int RunToEnd(string folder, bool resume) => ProgramProcess.Finish(Start(folder, resume));

    private static Process Start(string folder, bool resume) =>
        ProgramProcess.Start([.. Settings, "--out", folder, .. resume ? (string[])["--resume"] : []]);
}
