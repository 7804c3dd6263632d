using System.Globalization;
using System.Text.Json;
using BoostingTicket.Cli.Signals;
using BoostingTicket.Cli.Streams;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Devices;
using BoostingTicket.Engine.Ranks;
using BoostingTicket.Training;
using BoostingTicket.Training.Workers;

namespace BoostingTicket.Cli.Hosting;

/// <summary>The device that rank 0 asks other processes to open.</summary>
/// <param name="Name">The word of settings.</param>
/// <param name="Gpus">Whether each process on a machine takes another of its GPUs.</param>
/// <param name="Options">How it computes.</param>
internal sealed record DeviceOrder(string Name, bool Gpus, DeviceOptions Options);

/// <summary>The program as one of several processes of a launcher. Rank 0 runs the command; the others do what it calls
/// for.</summary>
internal static class RankedProgram
{
    /// <summary>The option, which is read before a command is known.</summary>
    public const string OptionName = "--ranks";

    private const string Auto = "auto", None = "none", Mpi = "mpi";

    // Whoever waits for rank 0 to end all does not wait longer.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>The words of the option.</summary>
    public static IReadOnlyList<string> Words { get; } = [Auto, None, Mpi];

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
        Launcher? launcher = word == None ? null : Launcher.Find(Environment.GetEnvironmentVariable);
        if (launcher is null or { Count: 1 })
        {
            return word == Mpi && launcher is null
                ? Refuse(terminal, $"{OptionName} {Mpi} needs a launcher: start the program with mpirun or srun.", leads: true)
                : run(null);
        }
        RankTeam team;
        try
        {
            if (!launcher.JoinsByMpi)
                throw new TeamException(
                    FormattableString.Invariant($"{launcher.Name} started {launcher.Count} processes, but without MPI, by which ")
                    + $"they would find one another; start with 'mpirun -n {launcher.Count}' or 'srun --mpi=pmix', or give "
                    + $"{OptionName} {None} for processes of their own.", TeamException.Misused);
            IRankGroup group = Engine.Ranks.Mpi.MpiGroup.Join(launcher, Environment.GetEnvironmentVariable);
            team = RankMeeting.Meet(
                group, RankIdentity.Own(Build(), DeviceCatalog.Instructions), launcher.LocalRank,
                RankWatch.SilenceOf(Environment.GetEnvironmentVariable), interrupts.Ask);
        }
        catch (TeamException error)
        {
            return Refuse(terminal, error.Message, launcher.Rank == 0, error.ExitCode);
        }
        if (!team.Leads)
            return saving.Do(() => Work(team, interrupts));
        int code = run(team);
        team.Finish(code);
        return code;
    }

    /// <summary>Whether a text is a word of the option.</summary>
    /// <exception cref="ConfigurationException">It is not.</exception>
    public static void Check(string word)
    {
        if (!Words.Contains(word))
            throw NearestName.Unknown("ranks", word, Words);
    }

    private static int Work(RankTeam team, Interrupts interrupts)
    {
        using CancellationTokenRegistration asked = interrupts.Token.Register(() => team.Watch?.AskToStop());
        try
        {
            int code = new RankWorker(team, payload => Open(payload, team)).Run();
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

    private static IBackend Open(byte[] payload, RankTeam team)
    {
        DeviceOrder order = JsonSerializer.Deserialize<DeviceOrder>(payload)!;
        DeviceSelection selection = DeviceCatalog.Select(order.Name);
        DeviceOptions options = order.Options.Threads == 0 ? order.Options with { Threads = team.Threads } : order.Options;
        return DeviceCatalog.Open(order.Gpus ? OfRank(selection, team) : selection, options);
    }

    /// <summary>Opens a device here, and one like it in all other processes.</summary>
    /// <param name="team">The processes; null where there is this one.</param>
    /// <param name="selection">The device.</param>
    /// <param name="options">How it computes.</param>
    /// <param name="notice">What the user should know of it; see <see cref="DeviceCatalog"/>.</param>
    public static IBackend Open(RankTeam? team, DeviceSelection selection, DeviceOptions options, out string? notice)
    {
        if (team is null)
            return DeviceCatalog.Open(selection, options, out notice);
        bool gpus = selection.Name == DeviceCatalog.Cuda;
        // Choices by measurement would differ between processes, and so would bits.
        options = options with { Deterministic = options.Deterministic || gpus };
        string name = selection.Gpu is { } number
            ? string.Create(CultureInfo.InvariantCulture, $"{selection.Name}:{number}")
            : selection.Name;
        var order = new DeviceOrder(name, gpus && selection.Gpu is null, options);
        team.Call((int)Training.Ranks.RankWork.Device, JsonSerializer.SerializeToUtf8Bytes(order));
        IBackend backend = DeviceCatalog.Open(
            order.Gpus ? OfRank(selection, team) : selection,
            options.Threads == 0 ? options with { Threads = team.Threads } : options, out notice);
        try
        {
            team.Group.Barrier();
            team.Done();
            team.Use(backend);
            return backend;
        }
        catch
        {
            backend.Dispose();
            throw;
        }
    }

    /// <summary>What the user is told of the processes before the work begins.</summary>
    public static string Describe(RankTeam team)
    {
        int hosts = team.Hosts.Distinct().Count();
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{team.Group.Count} processes on {hosts} {(hosts == 1 ? "machine" : "machines")} compute together, joined by "
            + $"{team.Group.Description}.");
    }

    private static DeviceSelection OfRank(DeviceSelection selection, RankTeam team)
    {
        int gpus = DeviceCatalog.Probe().Count(status => status.Usable && status.Name.Contains(':', StringComparison.Ordinal));
        return gpus > 1 ? selection with { Gpu = team.LocalRank % gpus } : selection;
    }

    private static string WordOf(IReadOnlyList<string> arguments)
    {
        string word = Auto;
        for (int i = 0; i < arguments.Count; i++)
        {
            if (arguments[i] == OptionName && i + 1 < arguments.Count)
                word = arguments[i + 1];
            else if (arguments[i].StartsWith(OptionName + "=", StringComparison.Ordinal))
                word = arguments[i][(OptionName.Length + 1)..];
        }
        return word;
    }

    // The libraries whose results must agree: equal sources give equal modules.
    private static string Build() => string.Join(
        ' ', typeof(IBackend).Module.ModuleVersionId, typeof(RankWorker).Module.ModuleVersionId,
        typeof(RankedProgram).Module.ModuleVersionId, Environment.Version);

    private static int Refuse(Terminal terminal, string message, bool leads, int code = ExitCodes.Configuration)
    {
        if (leads)
            terminal.Error.WriteLine(message);
        return code;
    }
}
