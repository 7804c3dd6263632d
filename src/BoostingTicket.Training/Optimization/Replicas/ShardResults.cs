using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Ranks;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Training.Optimization.Replicas;

/// <summary>Brings losses and correctness of the samples of all processes to rank 0. The others then hold zeros, so that rank 0
/// alone judges them.</summary>
internal sealed unsafe class ShardResults
{
    private readonly RankTeam _team;
    private readonly IBackend _backend;
    private readonly FloatBuffer _losses;
    private readonly FloatBuffer _correct;
    private readonly float[] _values;
    private readonly RankTransfer[] _transfers;

    /// <summary>Plans the transfers.</summary>
    /// <param name="team">The processes.</param>
    /// <param name="backend">Where losses are.</param>
    /// <param name="plan">Shards of the step.</param>
    /// <param name="losses">Loss of each sample; read where it was computed here, completed on rank 0.</param>
    /// <param name="correct">Correctness of each sample, in the same way.</param>
    public ShardResults(RankTeam team, IBackend backend, ShardPlan plan, FloatBuffer losses, FloatBuffer correct)
    {
        (_team, _backend, _losses, _correct) = (team, backend, losses, correct);
        _values = GC.AllocateArray<float>(2 * plan.Samples, pinned: true);
        var transfers = new List<RankTransfer>();
        for (int rank = 1; rank < team.Group.Count; rank++)
        {
            if (!team.Leads && rank != team.Group.Rank)
                continue;
            (int first, int end) = plan.Of(rank, team.Group.Count);
            if (first == end)
                continue;
            int start = plan.Shard(first).Start, length = plan.Shard(end - 1).Start + plan.Shard(end - 1).Length - start;
            fixed (float* values = _values)
            {
                foreach (int from in (int[])[start, plan.Samples + start])
                    transfers.Add(new RankTransfer(
                        team.Leads ? rank : 0, !team.Leads, (nint)(values + from), (long)length * sizeof(float)));
            }
        }
        _transfers = [.. transfers];
    }

    /// <summary>Makes the transfers.</summary>
    public void Gather()
    {
        int samples = _losses.Length;
        _backend.Download(_losses.All, _values.AsSpan(0, samples));
        _backend.Download(_correct.All, _values.AsSpan(samples));
        _team.Group.Exchange(_transfers);
        if (!_team.Leads)
            Array.Clear(_values);
        _backend.Upload(_values.AsSpan(0, samples), _losses.All);
        _backend.Upload(_values.AsSpan(samples), _correct.All);
    }
}
