using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text.Json;

namespace BoostingTicket.Engine.Ranks;

/// <summary>The first thing that processes do together: see that they are alike, and open the lines of the watch.</summary>
internal static class RankMeeting
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private sealed record Outcome(
        string? Error, IReadOnlyList<RankIdentity> All, IReadOnlyList<string> Addresses, int Port, byte[] Token);

    /// <summary>Meets.</summary>
    /// <param name="group">The processes.</param>
    /// <param name="own">This one.</param>
    /// <param name="localRank">Its number on its machine.</param>
    /// <param name="silence">Silence after which a process counts as lost.</param>
    /// <param name="stop">On rank 0, called when another process was asked to stop.</param>
    /// <exception cref="TeamException">They differ, or cannot reach one another.</exception>
    public static RankTeam Meet(IRankGroup group, RankIdentity own, int localRank, TimeSpan silence, Action stop)
    {
        ArgumentNullException.ThrowIfNull(group);
        long start = Stopwatch.GetTimestamp();
        group.WhileWaiting = () =>
        {
            if (Stopwatch.GetElapsedTime(start) > Patience)
                throw new TeamException(
                    FormattableString.Invariant($"{group.Count} processes did not meet within {Patience.TotalSeconds:0} s; see ")
                    + "whether all of them were started.", TeamException.Lost);
        };
        var alone = new RankTeam(group, null);
        IReadOnlyList<byte[]> said = alone.GatherBytes(JsonSerializer.SerializeToUtf8Bytes(own));
        using TcpListener? listener = alone.Leads ? new TcpListener(IPAddress.Any, 0) : null;
        byte[] text = [];
        if (listener is not null)
        {
            listener.Start();
            RankIdentity[] identities = [.. said.Select(one => JsonSerializer.Deserialize<RankIdentity>(one)!)];
            text = JsonSerializer.SerializeToUtf8Bytes(new Outcome(
                RankIdentity.Difference(identities), identities, [.. RankWatch.OwnAddresses().Select(one => one.ToString())],
                ((IPEndPoint)listener.LocalEndpoint).Port, RandomNumberGenerator.GetBytes(16)));
        }
        Outcome outcome = JsonSerializer.Deserialize<Outcome>(alone.BroadcastBytes(text))!;
        if (outcome.Error is { } error)
        {
            alone.Leave();
            throw new TeamException(error, TeamException.Misused);
        }
        string[] hosts = [.. outcome.All.Select(one => one.Host)];
        RankWatch watch = listener is not null
            ? RankWatch.Accept(listener, outcome.Token, hosts, silence, stop)
            : RankWatch.Call(
                [.. outcome.Addresses.Select(IPAddress.Parse)], outcome.Port, outcome.Token, group.Rank, hosts, silence);
        group.WhileWaiting = watch.ThrowIfFailed;
        return new RankTeam(group, watch)
        {
            Hosts = hosts,
            LocalRank = localRank,
            Threads = RankIdentity.ThreadsOf(outcome.All, group.Rank),
            Bound = RankIdentity.FindBound(outcome.All),
        };
    }
}
