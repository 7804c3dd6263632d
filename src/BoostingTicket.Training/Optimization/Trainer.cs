using System.Diagnostics;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Plans;
using BoostingTicket.Engine.Ranks;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Training.Attacks;
using BoostingTicket.Training.Data;
using BoostingTicket.Training.Evaluation;
using BoostingTicket.Training.Optimization.Methods;
using BoostingTicket.Training.Progress;
using BoostingTicket.Training.Ranks;

namespace BoostingTicket.Training.Optimization;

/// <summary>Keeps what must survive a training.</summary>
internal interface ITrainingStorage
{
    /// <summary>The state of an earlier, interrupted training, after its weights, statistics, momenta and masks were
    /// restored; null if there is none.</summary>
    TrainingState? Restore(Network network);

    /// <summary>Keeps everything needed to continue.</summary>
    void Save(Network network, TrainingState state);

    /// <summary>Keeps the weights that were best on validation so far.</summary>
    void SaveBest(Network network);
}

/// <summary>Everything a training works with besides its settings.</summary>
/// <param name="Network">The network; its weights and masks are set.</param>
/// <param name="Images">Training images on its device.</param>
/// <param name="TrainSamples">Samples to train on.</param>
/// <param name="ValidationSamples">Samples to validate on.</param>
/// <param name="Augmentation">How training images are varied.</param>
/// <param name="Seed">Seed of order, augmentation and random starts.</param>
internal sealed record TrainingContext(
    Network Network, DeviceImages Images, ReadOnlyMemory<int> TrainSamples, ReadOnlyMemory<int> ValidationSamples,
    Augmentation Augmentation, ulong Seed);

/// <summary>Trains a network epoch by epoch, by any method of <see cref="TrainingMethodCatalog"/>: validation, best weights,
/// early stopping, checkpoints. An interrupted training continues with the same bits.</summary>
internal sealed class Trainer : IDisposable
{
    private const string ProbeName = "the probe's attack on validation samples";

    private static readonly TimeSpan CheckpointInterval = TimeSpan.FromMinutes(5);

    private readonly TrainingContext _context;
    private readonly TrainingSettings _settings;
    private readonly EvaluationSettings _evaluation;
    private readonly ITrainingStorage _storage;
    private readonly IRunProgress _progress;
    private readonly EpochOrder _order;
    private readonly LearningRateSchedule _schedule;
    private readonly Dictionary<int, TrainingStep> _steps = [];
    private readonly Evaluator _validation;
    private readonly AttackBudget _probe;
    private readonly ImageRequest[] _requests;
    private readonly ITrainingMethod _method;
    private readonly WeightAverage? _average;
    private readonly IEpochRule? _rule;
    private readonly int _batchCount;
    private readonly int _replays;
    private readonly int _epochs;

    /// <summary>Prepares a training; compiles its plans.</summary>
    /// <param name="context">Network and data.</param>
    /// <param name="settings">The training.</param>
    /// <param name="attack">The attack it defends against.</param>
    /// <param name="evaluation">Validation.</param>
    /// <param name="storage">Checkpoints.</param>
    /// <param name="progress">Receives progress.</param>
    /// <param name="rule">Looks at every epoch and may end the training; null for none.</param>
    public Trainer(
        TrainingContext context, TrainingSettings settings, AttackSettings attack, EvaluationSettings evaluation,
        ITrainingStorage storage, IRunProgress progress, IEpochRule? rule = null)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(settings);
        ArgumentNullException.ThrowIfNull(attack);
        ArgumentNullException.ThrowIfNull(evaluation);
        _context = context;
        _settings = settings;
        _evaluation = evaluation;
        _storage = storage;
        _progress = progress;
        _rule = rule;
        _method = TrainingMethodCatalog.Find(settings.Method);
        _order = new EpochOrder(context.TrainSamples.Span, settings.BatchSize, context.Augmentation, context.Seed);
        _requests = new ImageRequest[settings.BatchSize];
        _batchCount = CountBatches(_order.Plan);
        _replays = _method.Replays(settings.MethodOptions);
        _epochs = TrainingMethodCatalog.EpochsOf(settings);
        _schedule = new LearningRateSchedule(settings, _batchCount, TotalSteps);
        var optimizer = new SgdOptimizer(context.Network, settings);
        foreach (int batch in (int[])[0, _batchCount - 1])
        {
            int size = _order.Plan.Batch(batch).Length;
            if (!_steps.ContainsKey(size))
                _steps.Add(size, new TrainingStep(
                    context.Network, context.Images, optimizer, settings, attack, context.Seed, size));
        }
        _validation = new Evaluator(
            context.Network, context.Images, context.ValidationSamples.Span, evaluation.BatchSize,
            attacks: evaluation.ProbeSteps > 0);
        _probe = AttackBudget.Pgd(attack with { Steps = Math.Max(evaluation.ProbeSteps, 1), Restarts = 1 });
        _average = settings.Ema is { } decay ? new WeightAverage(context.Network, decay) : null;
    }

    /// <summary>Batches of an epoch.</summary>
    public int BatchCount => _batchCount;

    /// <summary>Steps of the weights in a whole epoch: batches, or the replays of all of them.</summary>
    public int StepsPerEpoch => _batchCount * _replays;

    /// <summary>Steps of the whole training: batches times the passes that were asked for.</summary>
    public long TotalSteps => (long)_settings.Epochs * _batchCount;

    /// <summary>Bytes that this process sends to others in a full step; 0 where it is alone.</summary>
    public long BytesSent => _steps.Values.Max(step => step.BytesSent);

    /// <summary>Told of every phase of every step; null, the default, costs nothing.</summary>
    public IStepObserver? Observer
    {
        get => _steps.Values.First().Observer;
        set
        {
            foreach (TrainingStep step in _steps.Values)
                step.Observer = value;
        }
    }

    /// <summary>Where to go on: the storage's checkpoint, put into the network, or the beginning.</summary>
    public TrainingState Restore()
    {
        if (_storage.Restore(_context.Network) is not { } state)
        {
            _average?.Begin();
            return new TrainingState();
        }
        if (state.Epoch > _epochs || state.Batch > StepsPerEpoch)
            throw new DamagedFileException(
                $"A checkpoint is at step {state.Batch} of epoch {state.Epoch + 1L}, but the training has {_epochs} epochs of "
                + $"{StepsPerEpoch} steps; delete it to start that stage again.");
        foreach (TrainingStep step in _steps.Values)
            step.Restore(state);
        _average?.Restore(state);
        _rule?.Restore(state);
        return state;
    }

    /// <summary>Steps that a state has behind it.</summary>
    public long StepsDone(TrainingState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        return Math.Min((long)state.Epoch * StepsPerEpoch + state.Batch, TotalSteps);
    }

    /// <summary>Trains to the end. The network then has the last weights or, where it is kept, their average.</summary>
    /// <param name="state">What <see cref="Restore"/> returned; brought up to date.</param>
    /// <param name="cancellation">Finishes the current step, saves, and ends with
    /// <see cref="OperationCanceledException"/>.</param>
    /// <exception cref="DivergedException">The loss or a weight is not a finite number; the last checkpoint is
    /// intact.</exception>
    public void Run(TrainingState state, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(state);
        while (!state.IsFinished && state.Epoch < _epochs)
        {
            RunEpoch(state, cancellation);
            Validate(state, cancellation);
            Save(state);
            _progress.EpochDone(state.History[^1], _epochs);
        }
        state.IsFinished = true;
        _average?.Exchange();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (TrainingStep step in _steps.Values)
            step.Dispose();
        _validation.Dispose();
        _average?.Dispose();
    }

    private void Save(TrainingState state)
    {
        foreach (TrainingStep step in _steps.Values)
            step.Keep(state);
        _average?.Keep(state);
        _rule?.Keep(state);
        _storage.Save(_context.Network, state);
    }

    // The last epoch replays each batch as often as passes are left, so that every sample is trained on as often as was asked
    // for.
    private int ReplaysIn(int epoch) => (int)Math.Min(_replays, _settings.Epochs - (long)epoch * _replays);

    private void RunEpoch(TrainingState state, CancellationToken cancellation)
    {
        _order.Epoch = state.Epoch;
        long saved = Stopwatch.GetTimestamp(), reported = saved, samplesReported = state.SampleCount;
        int replays = ReplaysIn(state.Epoch), steps = _batchCount * replays;
        if (state.Batch == 0)
            state.Work = TrainingWork.None;
        (MachineLoad load, double arithmetic) = Measure();
        int counted = state.Batch;
        for (; state.Batch < steps; state.Batch++)
        {
            if (cancellation.IsCancellationRequested || Stopwatch.GetElapsedTime(saved) > CheckpointInterval)
            {
                Finish(state);
                Count();
                RequireFinite($"in epoch {state.Epoch + 1}, before step {state.Batch + 1}");
                Save(state);
                cancellation.ThrowIfCancellationRequested();
                saved = Stopwatch.GetTimestamp();
            }
            long step = StepsDone(state);
            int size = _order.Fill(state.Batch / replays, _requests);
            // Sums grow in the order of the steps.
            foreach (TrainingStep other in _steps.Values)
            {
                if (other != _steps[size])
                    other.Finish(state);
            }
            _steps[size].Run(_requests.AsSpan(0, size), _schedule.RateAt(step), state);
            _average?.Add(step + 1);
            if (state.Batch + 1 == steps)
                Finish(state);

            TimeSpan elapsed = Stopwatch.GetElapsedTime(reported);
            if (elapsed.TotalSeconds >= 0.5 || state.Batch + 1 == steps)
            {
                double rate = (state.SampleCount - samplesReported) / Math.Max(elapsed.TotalSeconds, 1e-9);
                _progress.StepsDone(step + 1, rate);
                reported = Stopwatch.GetTimestamp();
                samplesReported = state.SampleCount;
            }
        }

        Count();

        void Count()
        {
            (MachineLoad now, double done) = Measure();
            state.Work += now.Since(load, state.Batch - counted, done - arithmetic);
            (load, arithmetic, counted) = (now, done, state.Batch);
        }
    }

    // Seconds and operations up to now, of all processes that compute together.
    private (MachineLoad Load, double Operations) Measure() => RankTeam.Of(_context.Network.Backend) is { } team
        ? TeamLoad.Now(team, _context.Network)
        : (MachineLoad.Now(), _context.Network.ArithmeticDone);

    // Adds to the state what a device that works beside the host has still to tell.
    private void Finish(TrainingState state)
    {
        foreach (TrainingStep step in _steps.Values)
            step.Finish(state);
    }

    // Validation is repeated, not resumed, if it is interrupted. It sees the averaged weights where there are some.
    private void Validate(TrainingState state, CancellationToken cancellation)
    {
        RequireFinite($"after epoch {state.Epoch + 1}");
        if (RankTeam.Of(_context.Network.Backend) is { } team)
            TeamNetwork.Compare(team, _context.Network);
        _average?.Exchange();
        try
        {
            AddEpoch(state, cancellation);
        }
        catch (OperationCanceledException)
        {
            _average?.Exchange();
            Save(state);
            throw;
        }
        _average?.Exchange();
    }

    // Adds the finished epoch to the history. Changes nothing of the state if it is cancelled.
    private void AddEpoch(TrainingState state, CancellationToken cancellation)
    {
        long start = Stopwatch.GetTimestamp();
        int epoch = state.Epoch + 1;
        bool probed = _evaluation.ProbeSteps > 0 && (epoch % _evaluation.ProbeEvery == 0 || epoch == _epochs);
        double clean = _validation.Clean(cancellation);
        IReadOnlyList<string> answers = _validation.Answers.Warnings();
        TestResult? probe = null;
        if (probed)
        {
            int limit = _evaluation.ProbeSamples == 0 ? _validation.Count : _evaluation.ProbeSamples;
            ulong stream = Philox.Key(_context.Seed, RandomStream.EvaluationAttack);
            probe = _validation.Robust(_probe, stream, limit, cancellation: cancellation);
        }
        state.Times = state.Times with { Evaluate = Stopwatch.GetElapsedTime(start).TotalSeconds };
        state.Epoch = epoch;
        state.History.Add(new EpochRecord(
            epoch, _schedule.RateAt(Math.Min((long)epoch * StepsPerEpoch, TotalSteps) - 1), state.LossSum / state.SampleCount,
            (double)state.CorrectCount / state.SampleCount, clean, probe?.Robust, state.Times)
        {
            ZeroGradients = probe?.ZeroGradients,
            Work = state.Work,
        });
        state.StartEpoch();

        if (ScoreOf(state.History[^1]) is { } value && !(value <= state.BestScore))
        {
            state.BestScore = value;
            state.BestEpoch = epoch;
            _storage.SaveBest(_context.Network);
        }
        // Once is enough: the robustness that was lost rarely comes back.
        if (_method.IsAdversarial && !state.Warnings.Any(CatastrophicOverfitting.IsWarning)
            && CatastrophicOverfitting.Warning([.. state.History]) is { } warning)
            Warn(state, warning);
        if (probe is not null && !state.Warnings.Any(given => given.Contains(ProbeName, StringComparison.Ordinal))
            && AttackChecks.Gradients($"in epoch {epoch}, {ProbeName}", probe.Gradients) is { } vanished)
            Warn(state, vanished);
        if (_settings.EarlyStopping is { } stopping
            && state.History.Count(past => past.Epoch > state.BestEpoch && ScoreOf(past) is not null) >= stopping.Patience)
            state.IsFinished = true;
        if (_rule is not null)
        {
            long asked = Stopwatch.GetTimestamp();
            state.IsFinished |= _rule.Ends(_context.Network, state);
            state.RuleSeconds += Stopwatch.GetElapsedTime(asked).TotalSeconds;
        }
        if (state.IsFinished || epoch == _epochs)
        {
            foreach (string answer in answers)
                Warn(state, $"after its last epoch ({epoch}), on validation samples: {answer}");
        }
    }

    private void Warn(TrainingState state, string warning)
    {
        state.Warnings.Add(warning);
        _progress.Warn(warning);
    }

    // What decides which epoch is best and when to stop; null for an epoch in which it was not measured.
    private double? ScoreOf(EpochRecord epoch)
    {
        bool byRobustness = _settings.EarlyStopping?.Robust ?? _method.IsAdversarial;
        return byRobustness && _evaluation.ProbeSteps > 0 ? epoch.ValidationRobust : epoch.ValidationClean;
    }

    // A checkpoint of weights that are no numbers would replace the last from which a training can continue.
    private void RequireFinite(string when)
    {
        Network network = _context.Network;
        if (!double.IsFinite(network.Backend.Sum(network.Parameters.Weights.All)))
            throw new DivergedException(
                $"Training diverged: a weight is not a finite number {when}; {TrainingStep.DivergenceRemedy}.");
    }

    /// <summary>Batches of an epoch. Batch statistics of a single value do not exist where the last feature map has one pixel, so
    /// a leftover batch of one sample is not trained on; the order of the next epoch brings the sample back. Batches of one are
    /// all asked for.</summary>
    internal static int CountBatches(BatchPlan plan) =>
        plan.BatchSize > 1 && plan.BatchCount > 1 && plan.Batch(plan.BatchCount - 1).Length == 1
            ? plan.BatchCount - 1
            : plan.BatchCount;
}
