using System.Diagnostics;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Graph;
using BoostingTicket.Engine.Plans;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Runs.Stages;
using BoostingTicket.Training;
using BoostingTicket.Training.Checkpoints;
using BoostingTicket.Training.Data;
using BoostingTicket.Training.Evaluation;
using BoostingTicket.Training.Models;
using BoostingTicket.Training.Optimization;
using BoostingTicket.Training.Optimization.Replicas;
using BoostingTicket.Training.Progress;
using BoostingTicket.Training.Pruning;

namespace BoostingTicket.Runs.Profiling;

/// <summary>A training that is stopped at will: full batches one by one, with or without an observer.</summary>
internal sealed class ProfiledTraining : IDisposable
{
    // The rate changes no speed; a small one keeps fresh tickets from diverging.
    private const double LearningRate = 0.01;

    private readonly TrainingJob _job;
    private readonly RunData _data;
    private readonly TrainValidationSplit _split;
    private readonly TrainingStep _step;
    private readonly EpochOrder _order;
    private readonly ImageRequest[] _requests;
    private readonly TrainingState _state = new();
    private readonly int _fullBatches;
    private Evaluator? _evaluator;

    /// <summary>Builds and prunes the network, and compiles its plans.</summary>
    /// <exception cref="ConfigurationException">Settings cannot be used.</exception>
    /// <exception cref="NotEnoughMemoryException">The device does not have the memory.</exception>
    public ProfiledTraining(
        RunConfiguration configuration, ProfileOptions options, IBackend backend, DataSplit data, IRunProgress progress)
    {
        _job = TrainingJob.Of(configuration, configuration.Dense, configuration.Seed);
        TrainingSettings settings = _job.Settings;
        NetworkGraph model = TicketRun.BuildModel(_job, data);
        NetworkGraph given = options.Weights is null ? model : WeightFile.GraphOf(options.Weights, model);
        ModelState state = options.Weights is { } path
            ? WeightFile.Load(path, given, progress.Note).State
            : _job.DrawStart(given.Table);
        SubNetwork? pruned = Prune(given, state, configuration.Pruning, options.Sparsity);
        NetworkGraph graph = pruned?.Graph ?? given;
        Mask = pruned?.TrainingMask;
        Sparsity = pruned?.Sparsity ?? 0;
        FullMultiplyAdds = model.MultiplyAdds;
        _data = new RunData(data, configuration.Data, backend);
        try
        {
            int samples = _data.TrainCount - configuration.Data.ValidationSamples;
            BatchChecks.RequireBatches(settings, "dense.batchSize", graph, samples);
            if (samples < settings.BatchSize)
                throw new ConfigurationException(
                    $"{Setting.Named("dense.batchSize")} is {settings.BatchSize}, but there are {samples} training samples; "
                    + $"choose a smaller batch or more "
                    + $"samples ({Setting.Named("data.trainSamples")}).");
            Network = new Network(graph, backend);
            RunMemory.Require(configuration, [settings], Network, _data, progress);
            TicketReset.Apply(Network.Parameters, backend, pruned?.Take(state) ?? state, Mask);
            _split = _data.Split(_job.Seed);
            _order = new EpochOrder(_split.Train, settings.BatchSize, _job.Augmentation, _job.Seed);
            _fullBatches = samples / settings.BatchSize;
            _requests = new ImageRequest[settings.BatchSize];
            _step = new TrainingStep(
                Network, _data.Train, new SgdOptimizer(Network, settings), settings, _job.Attack, _job.Seed,
                settings.BatchSize);
        }
        catch
        {
            Network?.Dispose();
            _data.Dispose();
            throw;
        }
    }

    /// <summary>The network.</summary>
    public Network Network { get; }

    /// <summary>Its mask; null for none.</summary>
    public Mask? Mask { get; }

    /// <summary>Share of the prunable weights that was pruned.</summary>
    public double Sparsity { get; }

    /// <summary>Multiply-adds of one sample's forward pass of the whole model.</summary>
    public long FullMultiplyAdds { get; }

    /// <summary>Those that belong to weights of the network that are kept.</summary>
    public long MultiplyAdds => Mask?.MultiplyAdds ?? Network.Graph.MultiplyAdds;

    /// <summary>Draws what a profile prunes before it begins; null for nothing.</summary>
    /// <param name="graph">The network.</param>
    /// <param name="state">Its values.</param>
    /// <param name="settings">How it is pruned.</param>
    /// <param name="ratio">How much.</param>
    internal static SubNetwork? Prune(NetworkGraph graph, ModelState state, PruningSettings settings, double ratio) => ratio > 0
        ? SubNetworkPruner.Draw(graph, state, settings.Options(ratio), new SubNetwork(graph, Mask.OfNonZero(state))).Network
        : null;

    /// <summary>Samples a batch.</summary>
    public int Batch => _requests.Length;

    /// <summary>Bytes that this process sends to others in a step; 0 where it is alone.</summary>
    public long BytesSent => _step.BytesSent;

    /// <summary>Samples of the largest shard of a batch: all of them where there is one replica.</summary>
    public int ShardSamples => new ShardPlan(Batch, _job.Settings.Replicas).Shard(0).Length;

    /// <summary>Full batches of an epoch.</summary>
    public int BatchesPerEpoch => _fullBatches;

    /// <summary>Training samples.</summary>
    public int EpochImages => _split.Train.Length;

    /// <summary>Validation samples.</summary>
    public int ValidationImages => _split.Validation.Length;

    /// <summary>Sums of what was trained on since <see cref="ForgetSums"/>.</summary>
    public TrainingState State => _state;

    /// <summary>Trains on the next batch.</summary>
    /// <param name="recorder">Told of phases; null to train without instruments.</param>
    /// <param name="operations">Whether it is told of operations too.</param>
    /// <returns>When it began and ended.</returns>
    public (long Start, long End) Step(StepRecorder? recorder = null, bool operations = false)
    {
        IBackend backend = Network.Backend;
        _step.Observer = recorder;
        Watch(operations ? recorder : null);
        backend.Synchronize();
        long start = Stopwatch.GetTimestamp();
        recorder?.Enter(StepPhase.Augmentation);
        int size = _order.Fill(_state.Batch, _requests);
        _step.Run(_requests.AsSpan(0, size), LearningRate, _state);
        _step.Finish(_state);
        recorder?.Leave();
        long end = Stopwatch.GetTimestamp();
        if (++_state.Batch == _fullBatches)
        {
            _state.Batch = 0;
            _state.Epoch++;
            _order.Epoch = _state.Epoch;
        }
        return (start, end);
    }

    /// <summary>Classifies validation samples.</summary>
    /// <param name="samples">How many.</param>
    /// <param name="recorder">Told of the phase.</param>
    /// <param name="operations">Whether it is told of operations too.</param>
    /// <param name="cancellation">Ends it between batches.</param>
    public void Evaluate(int samples, StepRecorder recorder, bool operations, CancellationToken cancellation)
    {
        if (_evaluator?.Count != samples)
        {
            _evaluator?.Dispose();
            _evaluator = new Evaluator(
                Network, _data.Train, _split.Validation[..samples], _job.Validation.BatchSize, attacks: false);
        }
        Watch(operations ? recorder : null);
        recorder.Enter(StepPhase.Evaluation);
        _evaluator.Clean(cancellation);
        recorder.Leave();
    }

    /// <summary>Begins new sums of losses and correct samples.</summary>
    public void ForgetSums() => (_state.LossSum, _state.CorrectCount, _state.SampleCount) = (0, 0, 0);

    /// <inheritdoc/>
    public void Dispose()
    {
        _evaluator?.Dispose();
        _step.Dispose();
        Network.Dispose();
        _data.Dispose();
    }

    private void Watch(StepRecorder? recorder)
    {
        foreach (Plan plan in Network.Plans)
            plan.Observer = recorder;
    }
}
