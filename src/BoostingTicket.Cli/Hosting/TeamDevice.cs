using System.Globalization;
using System.Text.Json;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Devices;
using BoostingTicket.Engine.Ranks;
using BoostingTicket.Training;
using BoostingTicket.Training.Ranks;

namespace BoostingTicket.Cli.Hosting;

/// <summary>The device that rank 0 asks other processes to open.</summary>
/// <param name="Name">The word of settings.</param>
/// <param name="Gpus">Whether each process on a machine takes another of its GPUs.</param>
/// <param name="Options">How it computes.</param>
/// <param name="Line">What may carry values between devices.</param>
internal sealed record DeviceOrder(string Name, bool Gpus, DeviceOptions Options, DeviceLineUse Line);

/// <summary>The devices of several processes, and the option that joins them.</summary>
internal static class TeamDevice
{
    /// <summary>The option, which is read before a command is known.</summary>
    public const string OptionName = "--ranks";

    /// <summary>Other processes are joined where a launcher has started some.</summary>
    public const string Auto = "auto";

    /// <summary>Each process is a program of its own.</summary>
    public const string None = "none";

    /// <summary>Other processes are joined by MPI.</summary>
    public const string Mpi = "mpi";

    /// <summary>Other processes are joined by MPI, and GPUs exchange values by NCCL.</summary>
    public const string Nccl = "nccl";

    /// <summary>The words of the option with what they mean.</summary>
    public static IReadOnlyList<(string Word, string Description)> Words { get; } =
    [
        (Auto, "by MPI, where mpirun or srun has started several; GPUs exchange values by NCCL where they can"),
        (None, "never: each process is a program of its own"),
        (Mpi, "by MPI, values of GPUs too; refused without a launcher"),
        (Nccl, "by MPI, values of GPUs by NCCL; refused where NCCL cannot"),
    ];

    /// <summary>What a word of the option lets carry values between devices.</summary>
    public static DeviceLineUse LineOf(string word) => word switch
    {
        Mpi => DeviceLineUse.Host,
        Nccl => DeviceLineUse.Nccl,
        _ => DeviceLineUse.Auto,
    };

    /// <summary>Makes sure that a text is a word of the option.</summary>
    /// <exception cref="ConfigurationException">It is not.</exception>
    public static void Check(string word)
    {
        if (Words.All(known => known.Word != word))
            throw NearestName.Unknown("value of ranks", word, [.. Words.Select(known => known.Word)]);
    }

    /// <summary>Opens what rank 0 asks for.</summary>
    /// <param name="payload">Its order.</param>
    /// <param name="team">The processes.</param>
    public static (IBackend Backend, IDeviceLine? Line) Open(byte[] payload, RankTeam team)
    {
        DeviceOrder order = JsonSerializer.Deserialize<DeviceOrder>(payload)!;
        DeviceSelection selection = DeviceCatalog.Select(order.Name);
        DeviceOptions options = order.Options.Threads == 0 ? order.Options with { Threads = team.Threads } : order.Options;
        IBackend backend = DeviceCatalog.Open(order.Gpus ? OfRank(selection, team) : selection, options);
        try
        {
            return (backend, DeviceLines.Open(team, backend, order.Line, out _));
        }
        catch
        {
            backend.Dispose();
            throw;
        }
    }

    /// <summary>Opens a device here, and one like it in all other processes.</summary>
    /// <param name="team">The processes; null where there is this one.</param>
    /// <param name="selection">The device.</param>
    /// <param name="options">How it computes.</param>
    /// <param name="notice">What the user should know of it; see <see cref="DeviceCatalog"/> and <see
    /// cref="DeviceLines"/>.</param>
    /// <exception cref="ConfigurationException">NCCL was asked for, and there are no GPUs.</exception>
    /// <exception cref="DeviceException">It cannot be used, or NCCL was asked for and cannot be.</exception>
    public static IBackend Open(RankTeam? team, DeviceSelection selection, DeviceOptions options, out string? notice)
    {
        if (team is null)
            return DeviceCatalog.Open(selection, options, out notice);
        bool gpus = selection.Name == DeviceCatalog.Cuda;
        if (team.LineUse == DeviceLineUse.Nccl && !gpus)
            throw new ConfigurationException(
                $"{OptionName} {Nccl} joins GPUs, and the device is {selection.Name}; give --device {DeviceCatalog.Cuda}, or "
                + $"{OptionName} {Mpi}.");
        // Choices by measurement would differ between processes, and so would bits.
        options = options with { Deterministic = options.Deterministic || gpus };
        string name = selection.Gpu is { } number
            ? string.Create(CultureInfo.InvariantCulture, $"{selection.Name}:{number}")
            : selection.Name;
        var order = new DeviceOrder(name, gpus && selection.Gpu is null, options, team.LineUse);
        // With a new device, the others forget what they had.
        team.Brought.Clear();
        team.Call((int)RankWork.Device, JsonSerializer.SerializeToUtf8Bytes(order));
        IBackend backend = DeviceCatalog.Open(
            order.Gpus ? OfRank(selection, team) : selection,
            options.Threads == 0 ? options with { Threads = team.Threads } : options, out notice);
        try
        {
            IDeviceLine line = DeviceLines.Open(team, backend, team.LineUse, out string? carried);
            notice ??= carried;
            team.Group.Barrier();
            team.Done();
            team.Use(backend, line);
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

    /// <summary>What the user is warned of; null for nothing.</summary>
    public static string? Warning(RankTeam team) => team.Bound is { } bound
        ? string.Create(
            CultureInfo.InvariantCulture,
            $"Rank {bound.Rank} on {bound.Host} may use 1 of {bound.Processors} processors, though there are {bound.Share} for "
            + $"it; "
            + $"give Open MPI's mpirun '--bind-to none' or '--map-by slot:PE={bound.Share}', srun '--cpus-per-task "
                + $"{bound.Share}'.")
        : null;

    private static DeviceSelection OfRank(DeviceSelection selection, RankTeam team)
    {
        int gpus = DeviceCatalog.Probe().Count(status => status.Usable && status.Name.Contains(':', StringComparison.Ordinal));
        return gpus > 1 ? selection with { Gpu = team.LocalRank % gpus } : selection;
    }
}
