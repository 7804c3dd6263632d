using BoostingTicket.Engine.Ranks;
using BoostingTicket.Training.Attacks;
using BoostingTicket.Training.Data;
using BoostingTicket.Training.Ranks;

namespace BoostingTicket.Training.Evaluation;

/// <summary>How another process makes an attack.</summary>
/// <param name="Id">What calls name it by.</param>
/// <param name="Images">The image set.</param>
/// <param name="Batch">Samples at a time.</param>
/// <param name="Name">Its entry in the catalogue.</param>
/// <param name="Settings">Settings of the evaluation's attack.</param>
/// <param name="Stream">Key of the random numbers.</param>
internal sealed record AttackOrder(int Id, int Images, int Batch, string Name, AttackSettings Settings, ulong Stream);

/// <summary>What another process attacks.</summary>
/// <param name="Id">The attack.</param>
/// <param name="Round">The round.</param>
/// <param name="Samples">Samples of each rank; empty for those that have nothing to do.</param>
internal sealed record AttackCall(int Id, int Round, IReadOnlyList<int[]> Samples);

/// <summary>An attack of which other processes take their share of a round's batches: of every group of as many as there are
/// processes, batch number r goes to rank r. Where there are none it is the attack itself.</summary>
internal sealed class SharedAttack : IDisposable
{
    private readonly RankTeam? _team;
    private readonly AttackOrder? _order;
    private readonly AttackContext _context;
    private readonly DeviceImages _images;
    private readonly int[] _samples;
    private readonly float[] _found = [];
    private int _made = -1;
    private int _round = -1;
    private int _first;
    private int _batches;

    /// <summary>Makes the attack.</summary>
    /// <param name="entry">Its entry in the catalogue.</param>
    /// <param name="context">What it is made from.</param>
    /// <param name="images">The image set.</param>
    /// <param name="samples">Numbers of the samples, which positions refer to.</param>
    public SharedAttack(AttackEntry entry, AttackContext context, DeviceImages images, int[] samples)
    {
        (_context, _images, _samples) = (context, images, samples);
        Attack = entry.Create(context);
        if (RankTeam.Of(context.Model.Network.Backend) is not { Leads: true } team)
            return;
        _team = team;
        int id = team.Brought.TryGetValue(typeof(SharedAttack), out object? last) ? (int)last + 1 : 0;
        team.Brought[typeof(SharedAttack)] = id;
        _order = new AttackOrder(id, 0, context.Model.Batch, entry.Name, context.Settings, context.Stream);
        _found = new float[team.Group.Count * LengthOf(context.Model)];
    }

    /// <summary>The attack.</summary>
    public IAttack Attack { get; }

    /// <summary>Values that a process finds on a batch: images, then counts of gradients.</summary>
    public static int LengthOf(NetworkModel model) => model.Batch * model.Shape.Length + 3;

    /// <summary>Attacks a batch, or takes what another process found of it. Batches of a round come in order.</summary>
    /// <param name="batch">The batch, loaded.</param>
    /// <param name="round">The round.</param>
    /// <param name="positions">Positions of all samples of the round.</param>
    /// <param name="start">Where the batch begins among them.</param>
    public void Run(AttackBatch batch, int round, int[] positions, int start)
    {
        if (round == _round && start > _first && start < _first + _batches * batch.Count)
        {
            Take(batch, (start - _first) / batch.Count);
            batch.Advance(Attack.Iterations);
            return;
        }
        (_round, _first, _batches) = (round, start, 0);
        if (_team is not null && positions.Length > start + batch.Count)
            Call(batch, round, positions, start);
        Attack.Run(batch, round);
        if (_batches == 0)
            return;
        _team!.Gather<float>(_found.AsSpan(0, LengthOf(_context.Model)), _found);
        _team.Done();
    }

    /// <summary>On another process: attacks a batch, and says what it found.</summary>
    public static void Answer(RankTeam team, IAttack attack, SampleBatches batches, int round, int[] samples)
    {
        AttackBatch batch = batches.Batch;
        float[] found = new float[batch.Adversarial.Length + 3];
        if (samples.Length > 0)
        {
            batches.LoadSamples(samples);
            batch.ResetCounts();
            attack.Run(batch, round);
            batch.Adversarial.CopyTo(found, 0);
            (found[^3], found[^2], found[^1]) = (batch.ZeroGradients, batch.ByMargin, batch.Blind);
        }
        team.Gather<float>(found, []);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Attack.Dispose();
        if (_made < 0 || _team is null || _team.IsCalling || _team.Watch?.Failure is not null)
            return;
        _team.Call((int)RankWork.DropAttack, RankJson.Write(_order!.Id));
        _team.Done();
    }

    private void Call(AttackBatch batch, int round, int[] positions, int start)
    {
        int number = TeamNetwork.Bring(_team!, _context.Model.Network, trains: false);
        if (_made != number)
        {
            int images = TeamImages.Bring(_team!, _images.Set);
            _team!.Call((int)RankWork.CreateAttack, RankJson.Write(_order! with { Images = images }));
            _team.Done();
            _made = number;
        }
        int[][] shares = new int[_team!.Group.Count][];
        shares[0] = [];
        _batches = 1;
        for (int rank = 1; rank < shares.Length; rank++)
        {
            int first = Math.Min(start + rank * batch.Count, positions.Length);
            int end = Math.Min(first + batch.Count, positions.Length);
            shares[rank] = [.. positions[first..end].Select(position => _samples[position])];
            _batches += end > first ? 1 : 0;
        }
        _team.Call((int)RankWork.Attack, RankJson.Write(new AttackCall(_order!.Id, round, shares)));
    }

    private void Take(AttackBatch batch, int rank)
    {
        ReadOnlySpan<float> found = _found.AsSpan(rank * LengthOf(_context.Model), LengthOf(_context.Model));
        found[..batch.Adversarial.Length].CopyTo(batch.Adversarial);
        batch.ZeroGradients += (int)found[^3];
        batch.ByMargin += (int)found[^2];
        batch.Blind += (int)found[^1];
    }
}
