using BoostingTicket.Engine.Plans;
using BoostingTicket.Engine.Ranks;
using BoostingTicket.Training.Progress;

namespace BoostingTicket.Training.Ranks;

/// <summary>What all processes of a team did: seconds of processors, and operations. Whether others disturbed them is not known:
/// processes of the team are others to one another, and may be on several machines.</summary>
internal static class TeamLoad
{
    /// <summary>On rank 0: up to now, with the seconds and the operations of all processes.</summary>
    /// <param name="team">The processes.</param>
    /// <param name="network">The network that they compute on.</param>
    /// <returns>The load, and floating-point operations; the latter count from an instant that stays the same.</returns>
    /// <exception cref="TeamException">One is lost.</exception>
    public static (MachineLoad Load, double Operations) Now(RankTeam team, Network network)
    {
        ArgumentNullException.ThrowIfNull(team);
        ArgumentNullException.ThrowIfNull(network);
        MachineLoad own = MachineLoad.Now();
        Done[] all = new Done[team.Group.Count];
        all[0] = new Done(own.Own, network.ArithmeticDone);
        team.Call((int)RankWork.Load, []);
        team.Gather<Done>([all[0]], all);
        team.Done();
        return (own with { Own = all.Sum(done => done.Seconds), All = null }, all.Sum(done => done.Operations));
    }

    /// <summary>On other ranks: answers <see cref="Now"/>.</summary>
    public static void Answer(RankTeam team)
    {
        ArgumentNullException.ThrowIfNull(team);
        team.Gather<Done>([new Done(MachineLoad.Now().Own, TeamNetwork.ArithmeticDone(team))], []);
    }

    private readonly record struct Done(double Seconds, double Operations);
}
