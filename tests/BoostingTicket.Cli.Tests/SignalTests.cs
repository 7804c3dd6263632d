using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using BoostingTicket.Cli.Signals;

namespace BoostingTicket.Cli.Tests;

/// <summary>Signals: the first saves and stops, and what comes at the same time does not kill what is saving.</summary>
internal sealed class SignalTests
{
    // Long enough that a signal always comes while it trains.
    private const string Long =
        "exec $program train --model lenet-3-4-8 --train-samples 2000 --validation-samples 60 --test-samples 60 --epochs 200"
        + " --steps 5 --batch 20 --probe-steps 1 --evaluation-steps 2 --threads 1 --device cpu --out run";

    private static readonly string[] Tiny = [.. CommandLine.Tiny.Where((_, index) => index is < 10 or > 13)];

    private string _folder = "";

    private string Checkpoint => Path.Combine(_folder, "run", "seed-0", "train.checkpoint.safetensors");

    [SetUp]
    public void CreateFolder()
    {
        Shell.Require("bash", "kill", "mkfifo");
        _folder = Directory.CreateTempSubdirectory("signals-").FullName;
    }

    [TearDown]
    public void DeleteFolder()
    {
        if (_folder.Length > 0)
            Directory.Delete(_folder, recursive: true);
    }

    [TestCase(PosixSignal.SIGINT, 0.004, false)]
    [TestCase(PosixSignal.SIGINT, 0.1, false)]
    [TestCase(PosixSignal.SIGINT, 0.3, true)]
    [TestCase(PosixSignal.SIGINT, 60, true)]
    [TestCase(PosixSignal.SIGTERM, 0.004, false)]
    [TestCase(PosixSignal.SIGTERM, 1.9, false)]
    [TestCase(PosixSignal.SIGTERM, 2, true)]
    [TestCase(PosixSignal.SIGHUP, 60, false)]
    [TestCase((PosixSignal)10, 60, false)]
    public void The_second_signal_stops_at_once_only_if_it_is_meant_so(PosixSignal signal, double seconds, bool stops) =>
        Assert.That(SecondSignal.StopsAtOnce(signal, TimeSpan.FromSeconds(seconds)), Is.EqualTo(stops));

    [TestCase("TERM", "TERM")]
    [TestCase("INT", "INT")]
    [TestCase("HUP", "HUP")]
    [TestCase("USR1", "TERM")]
    [TestCase("TERM", "HUP")]
    public void A_training_saves_and_can_be_resumed_though_the_signal_comes_twice(string first, string second)
    {
        using Process process = Shell.Start(Long, _folder);
        Drain(process.StandardOutput);
        WaitForTraining(process);
        Kill(first, process);
        Thread.Sleep(4);
        Kill(second, process);
        string error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.That(process.ExitCode, Is.EqualTo(130), error);
        Assert.That(error, Does.Contain("Interrupted and saved; to continue:").And.Contain("--resume --out run"));
        Assert.That(File.Exists(Checkpoint));
    }

    [Test]
    public void A_terminal_that_is_closed_saves()
    {
        Shell.Require("script");
        using Process terminal = Shell.Start($"exec script -qec '{Long}' /dev/null", _folder);
        string owner = Path.Combine(_folder, "run", "run.pid"), log = Path.Combine(_folder, "run", "run.log");
        WaitUntil(() => File.Exists(Checkpoint));
        Kill("KILL", terminal);
        terminal.WaitForExit();
        WaitUntil(() => File.ReadAllText(log).Contains("interrupted and saved", StringComparison.Ordinal));
        Assert.That(File.Exists(owner), Is.False, "the lock is given back");
    }

    [Test]
    public void A_hangup_that_nohup_ignores_stays_ignored()
    {
        using Process process = Shell.Start($"trap '' HUP; {Long}", _folder);
        Drain(process.StandardOutput);
        WaitForTraining(process);
        Kill("HUP", process);
        Assert.That(process.WaitForExit(TimeSpan.FromSeconds(1.5)), Is.False);
        Kill("TERM", process);
        process.WaitForExit();
        Assert.That(process.ExitCode, Is.EqualTo(130));
    }

    [Test]
    public void Every_command_ends_soon_after_the_first_signal()
    {
        if (!OperatingSystem.IsLinux())
            Assert.Ignore("needs /proc");
        CommandResult train = CommandLine.Run(["train", .. Tiny, "--quiet", "--out", Path.Combine(_folder, "donor")]);
        Assert.That(train.Code, Is.Zero, train.Error);
        File.Copy(Path.Combine(_folder, "donor", "seed-0", "train.last.safetensors"), Path.Combine(_folder, "last"));
        // Opening a pipe that nobody writes to blocks.
        Shell.Run("mkfifo blocked", _folder);
        string[] lines =
        [
            "run --config blocked --out run", "import blocked --out w.safetensors", "inspect blocked --json", "evaluate blocked",
            "prune blocked",
            "retrain blocked --out run", "transfer blocked last", "export blocked --out w.safetensors",
            "evaluate last --test-samples 2000 --steps 100000 --batch 2000 --out answer",
            "evaluate last --test-samples 2000 --steps 100000 --batch 2000 --attack pgd",
            "transfer last last --test-samples 2000 --batch 2000 --steps 100000 --attack pgd",
            "profile --model resnet18-w8 --batches 10000 --steps 100",
        ];
        Process[] started = [.. lines.Select(line => Shell.Start($"exec $program {line}", _folder))];
        try
        {
            // Work that does not block is under way once it has said what it does.
            using var working = new CountdownEvent(lines.Count(line => !line.Contains("blocked", StringComparison.Ordinal)));
            Task<string>[] errors = [.. started.Select(process => ReadToEndAsync(process.StandardError, line =>
            {
                if (line.Contains("; settings: ", StringComparison.Ordinal))
                    working.Signal();
            }))];
            Task<string>[] outputs = [.. started.Select(process => process.StandardOutput.ReadToEndAsync())];
            WaitUntil(() => working.IsSet || started.Any(process => process.HasExited));
            foreach ((int index, Process process) in started.Index())
            {
                WaitUntil(() => process.HasExited || Listens(process));
                Assert.That(process.HasExited, Is.False, () => $"{lines[index]}: {errors[index].Result}");
                Kill("TERM", process);
            }
            foreach ((int index, Process process) in started.Index())
            {
                // A second of grace; the rest is for machines that are slow or do much else. The work takes hours.
                Assert.That(process.WaitForExit(TimeSpan.FromMinutes(1)), $"{lines[index]} does not end");
                Assert.That(process.ExitCode, Is.EqualTo(130), $"{lines[index]}: {errors[index].Result}");
                Assert.That(errors[index].Result, Does.Contain("Interrupted; run the same command again"), lines[index]);
                bool json = lines[index].Contains("--json", StringComparison.Ordinal);
                Assert.That(outputs[index].Result, json ? Does.Contain("\"exitCode\": 130") : Is.Empty);
            }
        }
        finally
        {
            foreach (Process process in started)
            {
                process.Kill();
                process.Dispose();
            }
        }
        Assert.That(Directory.GetFiles(_folder, "*.tmp"), Is.Empty);
    }

    private static async Task<string> ReadToEndAsync(StreamReader reader, Action<string> seen)
    {
        var text = new StringBuilder();
        while (await reader.ReadLineAsync() is { } line)
        {
            text.AppendLine(line);
            seen(line);
        }
        return text.ToString();
    }

    // The runtime catches other signals by itself, but SIGUSR1 only for the program, which asks for it last.
    private static bool Listens(Process process)
    {
        string caught = File.ReadLines($"/proc/{process.Id}/status").First(
            line => line.StartsWith("SigCgt:", StringComparison.Ordinal));
        return (Convert.ToUInt64(caught[7..].Trim(), 16) >> 9 & 1) == 1;
    }

    private static void WaitForTraining(Process process)
    {
        while (process.StandardError.ReadLine() is { } line)
        {
            if (line.Contains("epoch", StringComparison.Ordinal))
                return;
        }

        Assert.Fail("it ended before it trained");
    }

    private static void WaitUntil(Func<bool> condition)
    {
        var clock = Stopwatch.StartNew();
        while (!condition())
        {
            Assert.That(clock.Elapsed, Is.LessThan(TimeSpan.FromMinutes(3)));
            Thread.Sleep(20);
        }
    }

    private static void Kill(string signal, Process process)
    {
        using Process sent = Process.Start("kill", [$"-{signal}", $"{process.Id}"]);
        sent.WaitForExit();
    }

    private static void Drain(StreamReader reader) => _ = reader.ReadToEndAsync();
}
