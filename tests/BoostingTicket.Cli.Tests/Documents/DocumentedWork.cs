using System.Diagnostics;
using BoostingTicket.Cli.Tests.Ranks;

namespace BoostingTicket.Cli.Tests.Documents;

/// <summary>Executes documented commands in the current folder: the program's own scaled down and in this process, where
/// everything is compiled already, jobs of several processes under a real <c>mpirun</c>. Of other programs,
/// <see cref="OtherPrograms"/> tells whether they are there and know their options.</summary>
internal static class DocumentedWork
{
    private const string Own = "boosting-ticket", OwnProject = "src/BoostingTicket.Cli";

    /// <summary>What stands for Slurm's programs: <c>sbatch</c> takes any script, <c>srun</c> starts the processes that it is
    /// asked for as Open MPI does.</summary>
    private static readonly (string Name, string Script)[] Slurm =
    [
        ("sbatch", "#!/bin/bash\necho 4711\n"),
        ("srun", $"#!/bin/bash\n[ \"$1\" = --mpi=pmix ] || exit 9\nshift\nexec {MpiJob.OpenMpi} \"$@\"\n"),
    ];

    // Of a command that was scaled down, beside other tests on a slow machine.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>Puts the programs that stand for Slurm's into a folder.</summary>
    public static void WriteSlurm(string folder)
    {
        foreach ((string name, string script) in Slurm)
        {
            string path = Path.Combine(folder, name);
            File.WriteAllText(path, script);
            if (!OperatingSystem.IsWindows())
                File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        }
    }

    /// <summary>Executes a command.</summary>
    /// <exception cref="AssertionException">It fails, or it is not known how to scale it down.</exception>
    public static void Do(DocumentedCommand command)
    {
        string[] before = [.. command.Variables.Keys.Select(name => Environment.GetEnvironmentVariable(name) ?? "")];
        foreach ((string name, string value) in command.Variables)
            Environment.SetEnvironmentVariable(name, value);
        try
        {
            Start(command);
        }
        finally
        {
            foreach ((string name, string value) in command.Variables.Keys.Zip(before))
                Environment.SetEnvironmentVariable(name, value.Length == 0 ? null : value);
        }
    }

    private static void Start(DocumentedCommand command)
    {
        string[] words = [.. command.Words];
        int own = Array.IndexOf(words, Own), arguments = Array.IndexOf(words, "--") + 1;
        switch (words[0])
        {
            case Own:
                Here(command, words[1..]);
                break;
            case "mpirun" or "srun" when own > 0:
                Together(command, words[..own], words[(own + 1)..]);
                break;
            case "dotnet" when words.Contains(OwnProject):
                OtherPrograms.Require(command);
                if (arguments > 0 && arguments < words.Length)
                    Here(command, words[arguments..]);
                break;
            default:
                OtherPrograms.Require(command);
                break;
        }
    }

    private static void Here(DocumentedCommand command, string[] arguments)
    {
        using var end = new CancellationTokenSource(Patience);
        using var error = new StringWriter();
        var clock = Stopwatch.StartNew();
        string[] line = ShortCommand.Of(arguments);
        CommandResult result = CommandLine.Run(error, end.Token, line);
        Assert.That(
            end.IsCancellationRequested, Is.False,
            $"{command}\ntakes longer than {Patience.TotalSeconds:0} s as {string.Join(' ', line)}; scale it down more in "
            + nameof(ShortCommand));
        Assert.That(result.Code, Is.Zero, $"{command}\nas {string.Join(' ', line)}\n{result.Error}");
        TestContext.Out.WriteLine($"{clock.Elapsed.TotalSeconds,6:0.0} s  {string.Join(' ', line)}");
    }

    private static void Together(DocumentedCommand command, string[] launcher, string[] arguments)
    {
        if (!Shell.Has(MpiJob.OpenMpi))
        {
            Here(command, arguments);
            return;
        }
        string line = string.Join(' ', ShortCommand.Of(arguments).Select(Quoted));
        string start = launcher[0] == "mpirun" ? MpiJob.OpenMpi : launcher[0];
        CommandResult result = MpiJob.Run(
            start, $"{string.Join(' ', launcher[1..].Select(Quoted))} $program {line}", Directory.GetCurrentDirectory());
        Assert.That(result.Code, Is.Zero, $"{command}\nas {line}\n{result.Error}");
    }

    private static string Quoted(string word) => $"'{word}'";
}
