using BoostingTicket.Engine.Ranks;
using BoostingTicket.Training.Progress;

namespace BoostingTicket.Training.Ranks;

/// <summary>What the processors of all processes of a team did. Whether others disturbed them is not known: processes of the team
/// are others to one another, and may be on several machines.</summary>
internal static class TeamLoad
{
    /// <summary>On rank 0: now, with the seconds of all processes.</summary>
    /// <param name="team">The processes.</param>
    /// <exception cref="TeamException">One is lost.</exception>
    public static MachineLoad Now(RankTeam team)
    {
        ArgumentNullException.ThrowIfNull(team);
        MachineLoad own = MachineLoad.Now();
        double[] all = new double[team.Group.Count];
        all[0] = own.Own;
        team.Call((int)RankWork.Load, []);
        team.Gather<double>([own.Own], all);
        team.Done();
        return own with { Own = all.Sum(), All = null };
    }

    /// <summary>On other ranks: answers <see cref="Now"/>.</summary>
    public static void Answer(RankTeam team)
    {
        ArgumentNullException.ThrowIfNull(team);
        team.Gather<double>([MachineLoad.Now().Own], []);
    }
}
