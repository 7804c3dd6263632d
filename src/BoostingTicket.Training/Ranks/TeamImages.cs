using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Ranks;
using BoostingTicket.Training.Data;

namespace BoostingTicket.Training.Ranks;

/// <summary>Brings image sets to the other processes of a team, which so need no data of their own and cannot have other
/// data.</summary>
internal sealed class TeamImages
{
    // Training and test images, and those of the next data set.
    private const int Most = 3;

    private readonly List<(int Id, WeakReference<ImageSet> Set)> _sent = [];
    private readonly Dictionary<int, DeviceImages> _taken = [];
    private int _next;

    private sealed record Head(
        int Id, int Forget, string Name, int Channels, int Height, int Width, IReadOnlyList<string> Classes, int Count);

    /// <summary>On rank 0: makes sure that the others have a set.</summary>
    /// <returns>What calls name it by.</returns>
    public static int Bring(RankTeam team, ImageSet set)
    {
        ArgumentNullException.ThrowIfNull(team);
        ArgumentNullException.ThrowIfNull(set);
        TeamImages own = Of(team);
        foreach ((int known, WeakReference<ImageSet> sent) in own._sent)
        {
            if (sent.TryGetTarget(out ImageSet? there) && ReferenceEquals(there, set))
                return known;
        }
        int id = own._next++, forget = own._sent.Count < Most ? -1 : own._sent[0].Id;
        if (forget >= 0)
            own._sent.RemoveAt(0);
        own._sent.Add((id, new WeakReference<ImageSet>(set)));
        team.Call((int)RankWork.Images, RankJson.Write(new Head(
            id, forget, set.Name, set.Channels, set.Height, set.Width, set.Classes, set.Labels.Length)));
        team.Broadcast<byte>(set.Pixels);
        team.Broadcast<byte>(set.Labels);
        team.Done();
        return id;
    }

    /// <summary>On other ranks: takes a set that rank 0 brings.</summary>
    public static void Take(RankTeam team, byte[] payload, IBackend backend)
    {
        Head head = RankJson.Read<Head>(payload);
        TeamImages own = Of(team);
        if (own._taken.Remove(head.Forget, out DeviceImages? forgotten))
            forgotten.Dispose();
        byte[] pixels = new byte[(long)head.Channels * head.Height * head.Width * head.Count], labels = new byte[head.Count];
        team.Broadcast<byte>(pixels);
        team.Broadcast<byte>(labels);
        own._taken[head.Id] = new DeviceImages(
            new ImageSet(head.Name, head.Channels, head.Height, head.Width, head.Classes, pixels, labels), backend);
    }

    /// <summary>On other ranks: a set that was taken.</summary>
    public static DeviceImages Find(RankTeam team, int id) => Of(team)._taken[id];

    /// <summary>On other ranks: frees all sets.</summary>
    public static void Drop(RankTeam team)
    {
        foreach (DeviceImages images in Of(team)._taken.Values)
            images.Dispose();
        Of(team)._taken.Clear();
    }

    private static TeamImages Of(RankTeam team)
    {
        ArgumentNullException.ThrowIfNull(team);
        if (!team.Brought.TryGetValue(typeof(TeamImages), out object? found))
            team.Brought.Add(typeof(TeamImages), found = new TeamImages());
        return (TeamImages)found;
    }
}
