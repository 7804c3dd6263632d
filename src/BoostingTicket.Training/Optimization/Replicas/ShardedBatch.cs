using System.Globalization;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Plans;
using BoostingTicket.Engine.Ranks;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Training.Data;
using BoostingTicket.Training.Optimization.Methods;
using BoostingTicket.Training.Progress;

namespace BoostingTicket.Training.Optimization.Replicas;

/// <summary>The samples of a step as shards, one after the other on one device, with the result of as many devices: attacks read
/// the statistics of the step before, normalisation sees one shard at a time, and gradients are added up in a fixed
/// order.</summary>
internal sealed class ShardedBatch : StepBatch
{
    private readonly IBackend _backend;
    private readonly DeviceImages _images;
    private readonly SgdOptimizer _optimizer;
    private readonly SummationTree _tree;
    private readonly ShardSums _sums;
    private readonly Shard[] _shards;
    private readonly ImageRequest[] _requests;
    private readonly FloatBuffer _losses;
    private readonly FloatBuffer _correct;
    private readonly ShardExchange? _exchange;
    private readonly ShardResults? _results;
    private readonly RankTeam? _team;
    private IStepObserver? _observer;

    /// <summary>Compiles the plans of the shards.</summary>
    /// <param name="context">The method's work, with the samples of the whole step.</param>
    /// <param name="images">Training images.</param>
    public ShardedBatch(MethodContext context, DeviceImages images)
    {
        Network network = context.Network;
        _backend = network.Backend;
        _images = images;
        _optimizer = context.Optimizer;
        var plan = new ShardPlan(context.Batch, context.Settings.Replicas);
        _team = RankTeam.Of(_backend);
        (int first, int end) = _team is null ? (0, plan.Count) : plan.Of(_team.Group.Rank, _team.Group.Count);
        ITrainingMethod method = TrainingMethodCatalog.Find(context.Settings.Method);
        _shards = [.. Enumerable.Range(first, end - first).Select(number =>
        {
            (int start, int length) = plan.Shard(number);
            BatchBuffers buffers = network.Buffers(length);
            MethodStep step = method.Create(context with { Batch = length, StepSamples = context.Batch });
            return new Shard(number, start, network, buffers, step, isAlone: end - first == 1);
        })];
        _requests = new ImageRequest[context.Batch];
        _losses = _backend.CreateFloats(context.Batch);
        _correct = _backend.CreateFloats(context.Batch);
        _tree = new SummationTree(plan.Count, first, end);
        _sums = new ShardSums(_backend, network.Parameters, _tree, plan.Count, context.Settings.ReplicaStatistics);
        if (_team is not null)
        {
            _exchange = new ShardExchange(_team, network, plan, _sums);
            _results = new ShardResults(_team, _backend, plan, _losses, _correct);
        }
        Kept = [.. from shard in _shards
                   from kept in shard.Method.Kept
                   select (
                       string.Create(CultureInfo.InvariantCulture, $"{kept.Name}.{context.Batch}.{shard.Number}"), kept.Tensor)];
    }

    /// <inheritdoc/>
    public override IStepObserver? Observer
    {
        get => _observer;
        set
        {
            _observer = value;
            foreach (Shard shard in _shards)
                shard.Method.Observer = value;
        }
    }

    /// <inheritdoc/>
    public override BufferSlice Losses => _losses.All;

    /// <inheritdoc/>
    public override BufferSlice Correct => _correct.All;

    /// <inheritdoc/>
    public override IReadOnlyList<(string Name, Tensor Tensor)> Kept { get; }

    /// <summary>Bytes that this process sends to others in a step.</summary>
    public long BytesSent => _exchange?.BytesSent ?? 0;

    /// <inheritdoc/>
    public override void Load(ReadOnlySpan<ImageRequest> requests)
    {
        requests.CopyTo(_requests);
        foreach (Shard shard in _shards)
            _images.Load(Requests(shard), shard.Buffers, shard.Destination);
    }

    /// <inheritdoc/>
    public override void Attack(int epoch)
    {
        foreach (Shard shard in _shards)
        {
            _images.LoadIdentities(Requests(shard), shard.Buffers);
            shard.BringClean();
            shard.Method.Attack(epoch);
            shard.KeepAttacked();
        }
    }

    /// <inheritdoc/>
    public override void Train()
    {
        _sums.Begin();
        foreach (Shard shard in _shards)
        {
            if (shard != _shards[0])
                _sums.Restart();
            _images.LoadIdentities(Requests(shard), shard.Buffers);
            shard.BringAttacked();
            shard.Method.Train();
            _optimizer.FinishSum();
            Observer?.Enter(StepPhase.Exchange);
            _backend.Copy(shard.Buffers.Losses.All, new BufferSlice(_losses, shard.Start, shard.Length));
            _backend.Copy(shard.Buffers.Correct.All, new BufferSlice(_correct, shard.Start, shard.Length));
            _sums.Add(shard.Number);
        }
        if (_exchange is null)
        {
            _sums.Finish(_sums.Of(_tree.Nodes[0]));
            return;
        }
        Observer?.Enter(StepPhase.Exchange);
        _exchange.Run();
        // A process without shards begins from the same statistics too.
        _sums.Finish(_sums.Total);
        _results!.Gather();
        if (_team!.Leads)
            _team.Done();
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        foreach (Shard shard in _shards)
            shard.Dispose();
        _exchange?.Dispose();
        _sums.Dispose();
        _losses.Dispose();
        _correct.Dispose();
    }

    private ReadOnlySpan<ImageRequest> Requests(Shard shard) => _requests.AsSpan(shard.Start, shard.Length);
}
