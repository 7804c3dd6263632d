using System.Diagnostics;
using System.Globalization;

namespace BoostingTicket.Cli.Tests.Ranks;

/// <summary>The program under a real mpirun.</summary>
internal static class MpiJob
{
    public const string OpenMpi = "mpirun.openmpi", Mpich = "mpirun.mpich";

    /// <summary>Small work of whose batches of 40 one of 20 is left over.</summary>
    public const string Settings =
        "--model lenet-4-8-32 --train-samples 240 --validation-samples 60 --test-samples 40 --steps 2 "
        + "--evaluation-steps 2 --batch 40 --evaluation-batch 16 --threads 1 --device cpu --quiet";

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    /// <summary>What goes before mpirun: it may be root, and start more processes than there are processors.</summary>
    private const string Allow =
        "OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1 "
        + "OMPI_MCA_mpi_yield_when_idle=1";

    /// <summary>Runs a job to its end; the test is skipped where there is no such mpirun.</summary>
    /// <param name="mpirun">The launcher, or a command that starts it.</param>
    /// <param name="arguments">What follows it; <c>$program</c> is the program.</param>
    /// <param name="folder">Where.</param>
    /// <param name="environment">Variables before it.</param>
    public static CommandResult Run(string mpirun, string arguments, string folder, string environment = "")
    {
        if (!mpirun.Contains(' ', StringComparison.Ordinal))
            Shell.Require(mpirun);
        return Shell.Run($"export {Allow} {environment}; {mpirun} {arguments}", folder);
    }

    /// <summary>Starts a job, and does something to a process of it once it has begun to train.</summary>
    /// <param name="mpirun">The launcher.</param>
    /// <param name="ranks">Processes.</param>
    /// <param name="command">The program's arguments, which name its folder last.</param>
    /// <param name="folder">Where.</param>
    /// <param name="signal">What is done to it, as kill spells it.</param>
    /// <param name="rank">The process; null for mpirun itself.</param>
    /// <param name="environment">Variables before it.</param>
    /// <returns>How it ended, and seconds since then.</returns>
    public static (CommandResult Result, double Seconds) Disturb(
        string mpirun, int ranks, string command, string folder, string signal, int? rank, string environment = "")
    {
        Shell.Require(mpirun);
        string log = Path.Combine(folder, command[(command.LastIndexOf(' ') + 1)..], "run.log");
        int before = Reports();
        using Process process = Shell.Start(
            string.Create(CultureInfo.InvariantCulture, $"{Allow} {environment} exec {mpirun} -n {ranks} $program {command}"),
            folder);
        Task<string> output = process.StandardOutput.ReadToEndAsync(), error = process.StandardError.ReadToEndAsync();
        var clock = Stopwatch.StartNew();
        // Found before the work begins, so that on a busy machine the work does not end before it is found.
        int? victim = null;
        while (victim is null || Reports() == before)
        {
            Assert.That(process.HasExited, Is.False, () => error.Result);
            Assert.That(clock.Elapsed, Is.LessThan(Patience), "the work does not begin");
            victim ??= rank is { } number ? Find(process.Id, mpirun, number) : process.Id;
            Thread.Sleep(20);
        }
        Thread.Sleep(100);
        clock.Restart();
        Send(signal, victim.Value);
        bool ended = process.WaitForExit(Patience);
        double seconds = clock.Elapsed.TotalSeconds;
        if (signal == "STOP")
            Send("KILL", victim.Value);
        if (!ended)
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail("the job does not end");
        }
        return (new CommandResult(process.ExitCode, output.Result, error.Result), seconds);

        // A log is continued.
        int Reports() => File.Exists(log) ? File.ReadAllText(log).Split("steps done").Length : 1;
    }

    private static void Send(string signal, int process)
    {
        using Process sent = Process.Start(
            new ProcessStartInfo("kill", [$"-{signal}", $"{process}"]) { RedirectStandardError = true })!;
        sent.WaitForExit();
    }

    // The process whose environment says that it is the rank, below the launcher; null while there is none.
    private static int? Find(int launcher, string mpirun, int rank)
    {
        string variable = string.Create(
            CultureInfo.InvariantCulture, $"{(mpirun == OpenMpi ? "OMPI_COMM_WORLD_RANK" : "PMI_RANK")}={rank}");
        foreach (string folder in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out int process)
                && Read(process, "environ").Split('\0').Contains(variable) && IsBelow(process, launcher))
                return process;
        }
        return null;
    }

    private static bool IsBelow(int process, int ancestor)
    {
        while (process > 1 && process != ancestor)
        {
            // Its name, which may hold anything, is in parentheses; state and parent follow.
            string status = Read(process, "stat");
            string[] fields = status[(status.LastIndexOf(')') + 1)..].Split(' ');
            process = fields.Length > 2 ? int.Parse(fields[2], CultureInfo.InvariantCulture) : 0;
        }
        return process == ancestor;
    }

    // Empty if the process has ended or is another user's.
    private static string Read(int process, string file)
    {
        try
        {
            return File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{process}/{file}"));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
