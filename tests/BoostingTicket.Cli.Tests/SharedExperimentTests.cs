using System.Diagnostics;
using System.Text.Json;
using BoostingTicket.Runs.Folders;

namespace BoostingTicket.Cli.Tests;

/// <summary>One experiment done by several processes.</summary>
[Parallelizable]
internal sealed class SharedExperimentTests
{
    private static readonly string Table = Path.Combine("table2", "results.csv");
    private const string Lease = "run.lease";

    private string _folder = "";

    private string Whole => Path.Combine(_folder, "whole");

    private string Shared => Path.Combine(_folder, "shared");

    private static string[] Tiny(string epochs) =>
    [
        "experiment", "table2", "--epochs", epochs, "--seeds", "2", "--steps", "1", "--probe-steps", "1", "--threads", "1",
        "--device", "cpu", "--model", "lenet-3-4-8", "--dataset", "synthetic-28", "--train-samples", "240",
        "--validation-samples", "40", "--test-samples", "40",
    ];

    [SetUp]
    public void CreateFolder() => _folder = Directory.CreateTempSubdirectory("shared-").FullName;

    [TearDown]
    public void DeleteFolder() => Directory.Delete(_folder, recursive: true);

    [Test]
    public void Three_processes_of_which_one_is_killed_leave_the_bytes_of_one()
    {
        Assert.That(CommandLine.Run([.. Tiny("30"), "--quiet", "--out", Whole]).Code, Is.Zero);
        Process[] all = [Start(), Start(), Start()];
        string[] processes = [.. all.Select(process => $"{process.Id}")];
        int[] holders = [];
        ProgramProcess.WaitUntil(
            () => Logs().Length == all.Length && (holders = Holders()).Length > 1, "no two parts are done side by side");
        Process killed = all.First(process => process.Id == holders[0]);
        killed.Kill();
        foreach (Process process in all)
            Assert.That(ProgramProcess.Finish(process), process == killed ? Is.Not.Zero : Is.Zero);

        Assert.That(Leases(), Is.Empty);
        Assert.That(KeptFiles.Of(Shared, Table), Is.EqualTo(KeptFiles.Of(Whole, Table)));
        Assert.That(Logs().Select(file => file.Split('-', '.')[^2]), Is.EquivalentTo(processes), "a log each");
        Assert.That(File.Exists(new RunFolder(Whole).Log));
    }

    [Test]
    public void One_process_that_shares_leaves_the_bytes_of_one_that_does_not()
    {
        Assert.That(CommandLine.Run([.. Tiny("2"), "--quiet", "--out", Whole]).Code, Is.Zero);
        CommandResult result = CommandLine.Run([.. Tiny("2"), "--share", "--json", "--out", Shared]);
        Assert.That(result.Code, Is.Zero, result.Error);
        Assert.That(KeptFiles.Of(Shared, Table), Is.EqualTo(KeptFiles.Of(Whole, Table)));
        // Everything is done: who comes late shows the result.
        CommandResult late = CommandLine.Run([.. Tiny("2"), "--share", "--json", "--out", Shared]);
        Assert.That(
            late.Json().GetProperty("result").GetRawText(), Is.EqualTo(result.Json().GetProperty("result").GetRawText()));
    }

    [Test]
    public void Sweep_that_is_shared_leaves_the_bytes_of_one_that_is_not()
    {
        string[] sweep = ["sweep", "ratio=0.5,0.8", "--arms", "ticket", .. CommandLine.Tiny, "--quiet"];
        Assert.That(CommandLine.Run([.. sweep, "--out", Whole]).Code, Is.Zero);
        CommandResult[] results = new CommandResult[2];
        Parallel.For(0, results.Length, index => results[index] = CommandLine.Run([.. sweep, "--share", "--out", Shared]));
        foreach (CommandResult result in results)
            Assert.That(result.Code, Is.Zero, result.Error);
        Assert.That(KeptFiles.Of(Shared), Is.EqualTo(KeptFiles.Of(Whole)).And.Not.Empty);
        Assert.That(Leases(), Is.Empty);
    }

    [Test]
    public void Who_waits_says_for_whom_and_stops_when_asked()
    {
        Assert.That(CommandLine.Run([.. Tiny("2"), "--quiet", "--out", Shared]).Code, Is.Zero);
        // Another machine has the only part that is left.
        string part = Directory.GetDirectories(Path.Combine(Shared, "store"), "test-*")[0];
        File.Delete(Path.Combine(part, "result.json"));
        File.WriteAllText(Path.Combine(part, Lease), JsonSerializer.Serialize(new
        {
            Host = "node7",
            Machine = "another",
            Process = 4711,
            Started = "1",
            Token = "0123456789abcdef",
        }));
        using var source = new CancellationTokenSource();
        using var watcher = new LineWatcher(line =>
        {
            if (line.Contains("Waiting for", StringComparison.Ordinal))
                source.Cancel();
        });
        CommandResult result = CommandLine.Run(watcher, source.Token, [.. Tiny("2"), "--share", "--out", Shared]);
        Assert.That(result.Error, Does.Contain("(process 4711 on node7)."));
        Assert.That(result.Code, Is.EqualTo(130));
        Assert.That(result.Error, Does.Contain("to continue, repeat: boosting-ticket experiment table2"));

        // Alone, nobody waits: the folder is in use.
        CommandResult alone = CommandLine.Run([.. Tiny("2"), "--out", Shared]);
        Assert.That(alone.Code, Is.EqualTo(2));
        Assert.That(
            alone.Error, Does.Contain("by a process that shares the experiment (process 4711 on node7)").And.Contain("--share"));
    }

    [Test]
    public void Sharing_and_having_alone_exclude_each_other()
    {
        using (RunLock.Acquire(Shared))
        {
            CommandResult result = CommandLine.Run([.. Tiny("2"), "--share", "--out", Shared]);
            Assert.That(result.Code, Is.EqualTo(2));
            Assert.That(result.Error, Does.Contain($"in use by another run (process {Environment.ProcessId})"));
        }

        using RunLock first = RunLock.Share(Shared), second = RunLock.Share(Shared);
        CommandResult alone = CommandLine.Run([.. Tiny("2"), "--out", Shared]);
        Assert.That(alone.Code, Is.EqualTo(2));
        Assert.That(alone.Error, Does.Contain($"The folder {Shared} is in use by another run"));
    }

    private Process Start() => ProgramProcess.Start([.. Tiny("30"), "--share", "--quiet", "--out", Shared]);

    // Who does a part, each once. A lease may be gone, or not written yet.
    private int[] Holders()
    {
        var holders = new HashSet<int>();
        foreach (string lease in Leases())
        {
            try
            {
                if (LeaseHolder.Parse(File.ReadAllBytes(lease)) is { } holder)
                    holders.Add(holder.Process);
            }
            catch (IOException)
            {
            }
        }
        return [.. holders];
    }

    private string[] Logs() =>
        Directory.Exists(Shared) ? [.. Directory.GetFiles(Shared, "run.*log").Select(file => Path.GetFileName(file))] : [];

    private IEnumerable<string> Leases() => Directory.Exists(Path.Combine(Shared, "store"))
        ? Directory.EnumerateFiles(Path.Combine(Shared, "store"), Lease, SearchOption.AllDirectories) : [];
}
