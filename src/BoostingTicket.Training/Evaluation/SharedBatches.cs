using BoostingTicket.Engine.Plans;
using BoostingTicket.Engine.Ranks;
using BoostingTicket.Training.Attacks;
using BoostingTicket.Training.Data;
using BoostingTicket.Training.Ranks;

namespace BoostingTicket.Training.Evaluation;

/// <summary>How another process makes an evaluator.</summary>
/// <param name="Id">What calls name it by.</param>
/// <param name="Images">The image set.</param>
/// <param name="Batch">Samples at a time.</param>
internal sealed record EvaluationOrder(int Id, int Images, int Batch);

/// <summary>What another process does with its evaluator.</summary>
/// <param name="Id">The evaluator.</param>
/// <param name="Samples">Samples of each rank; empty for those that have nothing to do.</param>
/// <param name="Budget">The attack; null for none.</param>
/// <param name="Stream">Key of its random starts.</param>
internal sealed record EvaluationCall(int Id, IReadOnlyList<int[]> Samples, AttackBudget? Budget, ulong Stream);

/// <summary>Batches of an evaluation, of which other processes take their share: of every group of as many as there are
/// processes, batch number r goes to rank r. Rank 0 asks for them one after the other.</summary>
internal sealed class SharedBatches : IDisposable
{
    private readonly RankTeam? _team;
    private readonly Network _network;
    private readonly DeviceImages _images;
    private readonly int _batch;
    private readonly float[] _all = [];
    private readonly BatchAnswers[] _others = [];
    private readonly int _id;
    private int _made = -1;
    private int _first;
    private int _count;

    /// <summary>Prepares the batches; other processes hear of them when there is work for them.</summary>
    /// <param name="network">The network.</param>
    /// <param name="images">The images.</param>
    /// <param name="batch">Samples at a time.</param>
    public SharedBatches(Network network, DeviceImages images, int batch)
    {
        (_network, _images, _batch) = (network, images, batch);
        int classes = network.Graph.Classes;
        Own = new BatchAnswers(batch, classes);
        if (RankTeam.Of(network.Backend) is not { Leads: true } team)
            return;
        _team = team;
        _all = new float[team.Group.Count * BatchAnswers.LengthOf(batch, classes)];
        _others = [.. Enumerable.Range(0, team.Group.Count).Select(_ => new BatchAnswers(batch, classes))];
        _id = team.Brought.TryGetValue(typeof(SharedBatches), out object? last) ? (int)last + 1 : 0;
        team.Brought[typeof(SharedBatches)] = _id;
    }

    /// <summary>Answers on the batch that this process computes.</summary>
    public BatchAnswers Own { get; }

    /// <summary>Answers that have come from another process; null for a batch that is to be computed here.</summary>
    /// <param name="batch">Its number; they are asked for in order, each once.</param>
    public BatchAnswers? Find(int batch) => batch > _first && batch < _first + _count ? _others[batch - _first] : null;

    /// <summary>Asks other processes for the batches that follow.</summary>
    /// <param name="samples">All samples.</param>
    /// <param name="batch">The batch that is computed here.</param>
    /// <param name="budget">The attack; null for none.</param>
    /// <param name="stream">Key of its random starts.</param>
    public void Call(ReadOnlySpan<int> samples, int batch, AttackBudget? budget, ulong stream)
    {
        (_first, _count) = (batch, 0);
        int left = samples.Length - (batch + 1) * _batch;
        if (_team is null || left <= 0)
            return;
        int number = TeamNetwork.Bring(_team, _network, trains: false);
        if (_made != number)
        {
            int images = TeamImages.Bring(_team, _images.Set);
            _team.Call((int)RankWork.CreateEvaluation, RankJson.Write(new EvaluationOrder(_id, images, _batch)));
            _team.Done();
            _made = number;
        }
        int[][] shares = new int[_team.Group.Count][];
        shares[0] = [];
        _count = 1;
        for (int rank = 1; rank < shares.Length; rank++)
        {
            int start = Math.Min((batch + rank) * _batch, samples.Length), end = Math.Min(start + _batch, samples.Length);
            shares[rank] = samples[start..end].ToArray();
            _count += end > start ? 1 : 0;
        }
        _team.Call((int)RankWork.Evaluate, RankJson.Write(new EvaluationCall(_id, shares, budget, stream)));
    }

    /// <summary>Receives the answers on the batches that were asked for.</summary>
    public void Gather()
    {
        if (_count == 0)
            return;
        _team!.Gather<float>(Own.Values, _all);
        _team.Done();
        for (int rank = 1; rank < _count; rank++)
            _all.AsSpan(rank * Own.Values.Length, Own.Values.Length).CopyTo(_others[rank].Values);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_made < 0 || _team is null || _team.IsCalling || _team.Watch?.Failure is not null)
            return;
        _team.Call((int)RankWork.DropEvaluation, RankJson.Write(_id));
        _team.Done();
    }
}
