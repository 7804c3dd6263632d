using System.Globalization;

namespace BoostingTicket.Engine.Ranks;

/// <summary>What a process is, as far as it must be like the others or the user should hear of it.</summary>
/// <param name="Host">Its machine.</param>
/// <param name="Build">Identifies the program's build.</param>
/// <param name="Instructions">Vector instructions that the processor computes with.</param>
/// <param name="Processors">Processors that it may use.</param>
/// <param name="Allowed">Which ones, as the system lists them; empty where that is unknown.</param>
/// <param name="MachineProcessors">Processors of the machine.</param>
internal sealed record RankIdentity(
    string Host, string Build, string Instructions, int Processors, string Allowed, int MachineProcessors)
{
    private const string StatusFile = "/proc/self/status", OnlineFile = "/sys/devices/system/cpu/online",
    Key = "Cpus_allowed_list:";

    /// <summary>This process.</summary>
    /// <param name="build">Identifies the program's build.</param>
    /// <param name="instructions">Vector instructions.</param>
    public static RankIdentity Own(string build, string instructions)
    {
        string allowed = File.Exists(StatusFile)
            ? File.ReadLines(StatusFile).FirstOrDefault(
                line => line.StartsWith(Key, StringComparison.Ordinal))?[Key.Length..].Trim()
                ?? ""
            : "";
        int machine = File.Exists(OnlineFile) ? Count(File.ReadAllText(OnlineFile)) : 0;
        return new RankIdentity(
            Environment.MachineName, build, instructions, Environment.ProcessorCount, allowed,
            Math.Max(machine, Environment.ProcessorCount));
    }

    /// <summary>Why processes cannot compute the same; null where they can.</summary>
    /// <param name="all">All of them, by rank.</param>
    public static string? Difference(IReadOnlyList<RankIdentity> all)
    {
        ArgumentNullException.ThrowIfNull(all);
        for (int rank = 1; rank < all.Count; rank++)
        {
            if (all[rank].Build != all[0].Build)
                return string.Create(
                    CultureInfo.InvariantCulture,
                    $"Rank {rank} on {all[rank].Host} runs another build of the program than rank 0 on {all[0].Host}; install "
                    + $"the "
                    + $"same files on both.");
            if (all[rank].Instructions != all[0].Instructions)
                return string.Create(
                    CultureInfo.InvariantCulture,
                    $"Rank {rank} on {all[rank].Host} computes with {all[rank].Instructions}, rank 0 on {all[0].Host} with "
                    + $"{all[0].Instructions}, so that results would depend on who computes what; use like machines, or set "
                    + $"DOTNET_EnableAVX512=0 (or DOTNET_EnableAVX2=0) for all processes.");
        }
        return null;
    }

    /// <summary>The first process that may use one processor only, where its machine has more for it; null where there is
    /// none.</summary>
    /// <param name="all">All processes, by rank.</param>
    public static BoundRank? FindBound(IReadOnlyList<RankIdentity> all)
    {
        ArgumentNullException.ThrowIfNull(all);
        foreach ((int rank, RankIdentity one) in all.Index())
        {
            int share = one.MachineProcessors / all.Count(other => other.Host == one.Host);
            if (one.Processors == 1 && share > 1)
                return new BoundRank(rank, one.Host, one.MachineProcessors, share);
        }
        return null;
    }

    /// <summary>Threads for a process: processors that several may use are shared.</summary>
    /// <param name="all">All processes, by rank.</param>
    /// <param name="rank">The process.</param>
    public static int ThreadsOf(IReadOnlyList<RankIdentity> all, int rank)
    {
        ArgumentNullException.ThrowIfNull(all);
        RankIdentity own = all[rank];
        return Math.Max(1, own.Processors / all.Count(other => other.Host == own.Host && other.Allowed == own.Allowed));
    }

    // Such as 0-3,8.
    private static int Count(string list) => list.Trim().Split(',', StringSplitOptions.RemoveEmptyEntries).Sum(part =>
    {
        string[] ends = part.Split('-');
        return int.TryParse(ends[0], NumberStyles.None, CultureInfo.InvariantCulture, out int first)
            && int.TryParse(ends[^1], NumberStyles.None, CultureInfo.InvariantCulture, out int last)
            ? last - first + 1
            : 0;
    });
}

/// <summary>A process that its launcher has bound to one processor.</summary>
/// <param name="Rank">The process.</param>
/// <param name="Host">Its machine.</param>
/// <param name="Processors">Processors of the machine.</param>
/// <param name="Share">Processors for each process there.</param>
internal sealed record BoundRank(int Rank, string Host, int Processors, int Share);
