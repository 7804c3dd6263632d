using System.Diagnostics;
using System.Globalization;
using BoostingTicket.Engine.Testing;

namespace BoostingTicket.Cli.Tests;

/// <summary>Short forms of the benches in <c>tests/reliability</c>, and folders on file systems without locks.</summary>
[Parallelizable]
internal sealed class ReliabilityTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(6);
    private const int Seed = 1;

    private const string Settings =
        "--model lenet-3-4-8 --train-samples 2000 --validation-samples 60 --test-samples 60 --epochs 200 --steps 5 --batch 20"
        + " --probe-steps 1 --evaluation-steps 2 --threads 1 --device cpu --out run";

    private string _folder = "";

    private static string Benches => Path.Combine(Repository.Root, "tests", "reliability");

    private string Surroundings =>
        $"--program {Path.Combine(AppContext.BaseDirectory, "boosting-ticket.dll")} --scratch {_folder}";

    [SetUp]
    public void CreateFolder() => _folder = Directory.CreateTempSubdirectory("reliability-").FullName;

    [TearDown]
    public void DeleteFolder() => Directory.Delete(_folder, recursive: true);

    [Test, Long]
    public void Runs_and_evaluations_that_are_killed_come_to_the_same_bits()
    {
        Shell.Require("python3");
        // Other tests kill runs and experiments; here is a method that keeps something from step to step.
        const string Only = "'run free,evaluation'";
        CommandResult result = Shell.Run(
            $"python3 {Benches}/kills.py --kills 4 --seed {Seed} --only {Only} {Surroundings}", _folder, Patience);
        Assert.That(result.Code, Is.Zero, result.Out + result.Error);
        Assert.That(result.Out, Does.Match(@"4 kills in \d+ s, \d+ ends, 0 differences"));
    }

    [TestCase(1)]
    [LongTestCase(6)]
    public void Files_that_fail_once_cost_nothing(int faults)
    {
        Shell.Require("python3", "gcc");
        CommandResult result = Shell.Run(
            $"python3 {Benches}/faults.py --command train --sample {faults} --seed {Seed} {Surroundings}", _folder, Patience);
        Assert.That(result.Code, Is.Zero, result.Out + result.Error);
        Assert.That(result.Out, Does.Contain($"{faults} faults, 0 wrong"));
    }

    [Test]
    public void A_folder_in_use_is_refused_where_the_file_system_has_no_locks()
    {
        Shell.Require("gcc");
        Assert.That(Shell.Run($"gcc -shared -fPIC -O1 -o faults.so {Benches}/faults.c -ldl", _folder).Code, Is.Zero);
        string preload = $"LD_PRELOAD={_folder}/faults.so FAULTS_FLOCK=ENOSYS";
        using Process first = Shell.Start($"{preload} exec $program train {Settings}", _folder);
        _ = first.StandardOutput.ReadToEndAsync();
        while (first.StandardError.ReadLine() is { } line && !line.Contains("epoch", StringComparison.Ordinal))
        {
        }
        try
        {
            CommandResult second = Shell.Run($"{preload} $program train {Settings} --resume --quiet", _folder);
            Assert.That(second.Code, Is.EqualTo(2), second.Error);
            Assert.That(second.Error, Does.Contain("is in use by another run").And.Contain(
                string.Create(CultureInfo.InvariantCulture, $"process {first.Id} on {Environment.MachineName}")));
        }
        finally
        {
            first.Kill();
            first.WaitForExit();
        }

        // It left a lease behind, as a killed process does.
        Assert.That(File.Exists(Path.Combine(_folder, "run", "run.lease")));
        using Process resumed = Shell.Start($"{preload} exec $program train {Settings} --resume", _folder);
        _ = resumed.StandardOutput.ReadToEndAsync();
        string? seen;
        do
        {
            seen = resumed.StandardError.ReadLine();
        }
        while (seen is not null && !seen.Contains("resumed at step", StringComparison.Ordinal));
        resumed.Kill();
        Assert.That(seen, Is.Not.Null, "taken over at once, since its process has ended on this machine");
    }
}
