using BoostingTicket.Cli.Hosting;
using BoostingTicket.Cli.Signals;
using BoostingTicket.Cli.Slurm;
using BoostingTicket.Cli.Streams;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Devices;
using BoostingTicket.Engine.Ranks;
using BoostingTicket.Training;
using BoostingTicket.Training.Workers;

namespace BoostingTicket.Cli;

/// <summary>The program as one of several processes of a launcher. Rank 0 runs the command; the others do what it calls
/// for.</summary>
internal static class RankedProgram
{
    // Whoever waits for rank 0 to end all does not wait longer.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>Runs the program.</summary>
    /// <param name="arguments">The command line after the program's name.</param>
    /// <param name="terminal">Where rank 0 writes.</param>
    /// <param name="interrupts">Asks to stop.</param>
    /// <param name="saving">Told of work that is given the time to stop.</param>
    /// <param name="run">Runs the command, with the other processes if there are any.</param>
    /// <returns>The exit code.</returns>
    public static int Run(
        IReadOnlyList<string> arguments, Terminal terminal, Interrupts interrupts, SavingWork saving, Func<RankTeam?, int> run)
    {
        string word = WordOf(arguments);
        Launcher? launcher = word == TeamDevice.None ? null : Launcher.Find(Environment.GetEnvironmentVariable);
        if (launcher is null or { Count: 1 })
        {
            return word is TeamDevice.Mpi or TeamDevice.Nccl && launcher is null
                ? Refuse(
                    new ConfigurationException(
                        $"{TeamDevice.OptionName} {word} needs a launcher: start the program with mpirun or srun."),
                        arguments, terminal,
                        true)
                : run(null);
        }
        RankTeam team;
        try
        {
            if (!launcher.JoinsByMpi)
                throw new TeamException(
                    FormattableString.Invariant($"{launcher.Name} started {launcher.Count} processes, but without MPI, by which ")
                    + $"they would find one another; start with 'mpirun -n {launcher.Count}' or 'srun --mpi=pmix', or give "
                    + $"{TeamDevice.OptionName} {TeamDevice.None} for processes of their own.", TeamException.Misused);
            IRankGroup group = Engine.Ranks.Mpi.MpiGroup.Join(launcher, Environment.GetEnvironmentVariable);
            team = RankMeeting.Meet(
                group, RankIdentity.Own(Build(), DeviceCatalog.Instructions), launcher.LocalRank,
                RankWatch.SilenceOf(Environment.GetEnvironmentVariable), interrupts.Ask);
            team.LineUse = TeamDevice.LineOf(word);
        }
        catch (TeamException error)
        {
            return Refuse(error, arguments, terminal, launcher.Rank == 0);
        }
        if (!team.Leads)
            return saving.Do(() => Work(team, interrupts));
        int code = run(team);
        team.Finish(code);
        return code;
    }

    private static int Work(RankTeam team, Interrupts interrupts)
    {
        using CancellationTokenRegistration asked = interrupts.Token.Register(() => team.Watch?.AskToStop());
        try
        {
            int code = new RankWorker(team, payload => TeamDevice.Open(payload, team)).Run();
            team.Leave();
            return code;
        }
        catch (TeamException ended)
        {
            // Rank 0 ends all, or is gone itself.
            if (team.Watch?.Failure is null)
                return Fail(team, ended);
            Thread.Sleep(Patience / 5);
            return End(ended.ExitCode);
        }
        catch (Exception error)
        {
            return Fail(team, error);
        }
    }

    private static int Fail(RankTeam team, Exception error)
    {
        (int code, string message) = Application.Explain(error, path => path);
        team.Watch?.Fail(message, code);
        Thread.Sleep(Patience);
        return End(code);
    }

    // Without MPI's finalisation, which would wait for others.
    private static int End(int code)
    {
        Environment.Exit(code);
        return code;
    }

    /// <summary>The value of <see cref="TeamDevice.OptionName"/>. Processes that share an experiment's parts are each of their
    /// own, whoever starts them, unless the option says otherwise.</summary>
    /// <param name="arguments">The command line after the program's name.</param>
    internal static string WordOf(IReadOnlyList<string> arguments) =>
        GivenOption.Find(arguments, TeamDevice.OptionName).LastOrDefault().Value
        ?? (GivenOption.IsOn(arguments, SharedWorkers.ShareName) ? TeamDevice.None : TeamDevice.Auto);

    // The libraries whose results must agree: equal sources give equal modules.
    private static string Build() => string.Join(
        ' ', typeof(IBackend).Module.ModuleVersionId, typeof(RankWorker).Module.ModuleVersionId,
        typeof(RankedProgram).Module.ModuleVersionId, Environment.Version);

    private static int Refuse(Exception error, IReadOnlyList<string> arguments, Terminal terminal, bool leads)
    {
        if (leads)
            return Application.Answer(error, Application.AnswersInJson(arguments), terminal, path => path);
        // A launcher ends all processes soon after the first one ends; rank 0 has something to say before.
        Thread.Sleep(Patience / 10);
        return Application.Explain(error, path => path).Code;
    }
}
