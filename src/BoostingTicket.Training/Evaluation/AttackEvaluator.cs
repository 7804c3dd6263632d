using System.Diagnostics;
using BoostingTicket.Engine.Plans;
using BoostingTicket.Training.Attacks;
using BoostingTicket.Training.Data;
using BoostingTicket.Training.Progress;

namespace BoostingTicket.Training.Evaluation;

/// <summary>Measures a network's robustness by named attacks. Each attack gets the samples that are classified correctly clean;
/// the stages of AutoAttack, and the rounds of an attack, only what is robust still. Whether a sample is fooled decides the
/// network's own evaluation, never the attack.</summary>
internal sealed class AttackEvaluator
{
    private readonly NetworkModel _model;
    private readonly int[] _samples;
    private readonly IRunProgress _progress;
    private readonly DeviceImages _images;
    private readonly SampleBatches _batches;
    private readonly bool[] _correct;
    private AttackState _state;
    private bool _keepsImages;

    /// <summary>Prepares the measurement; compiles its plans.</summary>
    /// <param name="network">The network.</param>
    /// <param name="images">The image set on the network's device.</param>
    /// <param name="samples">Numbers of the samples, at least one.</param>
    /// <param name="batchSize">Samples at a time.</param>
    /// <param name="progress">Receives progress and warnings.</param>
    public AttackEvaluator(Network network, DeviceImages images, ReadOnlySpan<int> samples, int batchSize, IRunProgress progress)
    {
        ArgumentNullException.ThrowIfNull(network);
        ArgumentNullException.ThrowIfNull(images);
        ArgumentNullException.ThrowIfNull(progress);
        if (samples.IsEmpty)
            throw new ArgumentException("There is no sample to evaluate.", nameof(samples));
        _model = new NetworkModel(network, Math.Min(batchSize, samples.Length));
        _samples = samples.ToArray();
        _progress = progress;
        _images = images;
        _batches = new SampleBatches(_model, images, _samples);
        _correct = new bool[samples.Length];
        _state = new AttackState(samples.Length);
    }

    /// <summary>Seconds at least between two states that are kept within a stage; with 0 each state is kept, however long that
    /// takes.</summary>
    internal double SecondsBetweenStates { get; init; } = 2;

    /// <summary>Whether no attack may be named: natural trainings of experiments are measured on clean images alone.</summary>
    public bool CleanAlone { get; init; }

    /// <summary>Keeps every sample's image as the attacks leave it, for <see cref="Adversarial"/>.</summary>
    public void KeepImages() => _keepsImages = true;

    /// <summary>After <see cref="Run"/>, samples times image shape: the first adversarial image that was found of each sample,
    /// the clean one where none was or none was needed. Empty unless <see cref="KeepImages"/> was called before.</summary>
    public ReadOnlySpan<float> Adversarial => _state.Images;

    /// <summary>Runs attacks one by one.</summary>
    /// <param name="names">Names of <see cref="AttackCatalog.Names"/>, at least one but for <see cref="CleanAlone"/>.</param>
    /// <param name="settings">Settings of the evaluation's attack.</param>
    /// <param name="stream">Key of the random numbers.</param>
    /// <param name="storage">What the measurement goes on from, and where it keeps how far it is: after every stage, after
    /// batches now and then, and when it is ended; null for nowhere. A measurement that went on comes to the same result but for
    /// its times.</param>
    /// <param name="cancellation">Ends the measurement between iterations.</param>
    /// <exception cref="ConfigurationException">No attack is named, a name is unknown, or an attack cannot attack this
    /// network.</exception>
    public RobustnessResult Run(
        IReadOnlyList<string> names, AttackSettings settings, ulong stream, IAttackStorage? storage = null,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(names);
        ArgumentNullException.ThrowIfNull(settings);
        if (names.Count == 0 && !CleanAlone)
            throw new ConfigurationException(
                "No attack is named, so that nothing would be attacked and every network be robust; name at least one.");
        var context = new AttackContext(_model, settings, stream);
        List<(string Name, IReadOnlyList<AttackEntry> Stages)> attacks = [.. names.Select(name => (
            name, AttackCatalog.Stages(name)))];
        // All are made before the first runs, so that one that cannot attack this network costs no time.
        List<(string Title, int Rounds)> course = [];
        foreach ((string name, IReadOnlyList<AttackEntry> stages) in attacks)
        {
            foreach (AttackEntry entry in stages)
            {
                using IAttack made = entry.Create(context);
                course.Add((Title(name, stages, entry), made.Rounds));
            }
        }
        AttackState? restored = storage?.Restore();
        restored?.RequireFits(course);

        _state = new AttackState(_samples.Length)
        {
            Images = _keepsImages ? new float[_samples.Length * _model.Shape.Length] : [],
        };
        List<string> warnings = [];
        var answers = new AnswerCounts(_model.Classes);
        int clean = FindCorrect(answers, warnings, cancellation);
        if (names.Count > 0 && settings.Epsilon == 0)
            warnings.Add(AttackBudget.NoRadius);
        _correct.CopyTo(_state.Unfooled, 0);
        _state = restored ?? _state;
        var keeper = new StateKeeper(storage, _state, SecondsBetweenStates);
        if (clean == 0)
            warnings.Add(
                "No sample is classified correctly without an attack, so there is nothing to attack; check that the weights "
                + "belong to this data set and its normalisation.");
        int done = 0;
        foreach ((string name, IReadOnlyList<AttackEntry> stages) in attacks)
        {
            double before = (double)clean / _samples.Length;
            foreach ((int index, AttackEntry entry) in stages.Index())
            {
                if (done == _state.Results.Count)
                {
                    if (index == 0 && _state.Stage is null)
                        _correct.CopyTo(_state.Robust, 0);
                    string title = Title(name, stages, entry);
                    using var attack = new SharedAttack(entry, context, _images, _samples);
                    AttackResult result = Attack(title, attack, settings.Epsilon, keeper, cancellation);
                    if (settings.Epsilon > 0 && attack.Attack.Weakness is { } weakness)
                        _state.Warnings.Add(weakness);
                    if (index > 0 && entry.WarnAfterOthers?.Invoke(before, result.Robust) is { } warning)
                        _state.Warnings.Add(warning);
                    _state.Results.Add(result);
                    _state.Stage = null;
                    keeper.Keep();
                }
                before = _state.Results[done++].Robust;
            }
        }
        warnings.AddRange(_state.Warnings);
        foreach (string warning in warnings)
            _progress.Warn(warning);
        int worst = _state.Unfooled.Count(unfooled => unfooled);
        return new RobustnessResult(
            _samples.Length, (double)clean / _samples.Length, WilsonInterval.Of(clean, _samples.Length), _state.Results,
            (double)worst / _samples.Length, WilsonInterval.Of(worst, _samples.Length), warnings)
        {
            NotFinite = answers.NotFinite,
        };
    }

    private static string Title(string name, IReadOnlyList<AttackEntry> stages, AttackEntry entry) =>
        stages.Count == 1 ? name : $"{name}: {entry.Name}";

    private AttackBatch Batch => _batches.Batch;

    private int FindCorrect(AnswerCounts answers, List<string> warnings, CancellationToken cancellation)
    {
        int[] all = [.. Enumerable.Range(0, _samples.Length)];
        for (int start = 0; start < all.Length; start += Batch.Count)
        {
            cancellation.ThrowIfCancellationRequested();
            ReadOnlySpan<int> chosen = _batches.Load(all, start);
            if (start == 0)
                warnings.AddRange(AttackChecks.Outputs(_model, Batch.Clean));
            _batches.Classify(Batch.Clean);
            for (int i = 0; i < chosen.Length; i++)
            {
                _correct[chosen[i]] = _batches.Count(i, answers);
                Keep(chosen[i], Batch.Clean, i);
            }
        }
        warnings.AddRange(answers.Warnings());
        return answers.Correct;
    }

    private AttackResult Attack(
        string title, SharedAttack shared, double epsilon, StateKeeper keeper, CancellationToken cancellation)
    {
        IAttack attack = shared.Attack;
        AttackStage stage = _state.Stage ?? new AttackStage(_state.Robust.Count(still => still), 0, 0, 0, 0, 0, 0);
        long begin = Stopwatch.GetTimestamp();
        double Seconds() => stage.Seconds + Stopwatch.GetElapsedTime(begin).TotalSeconds;
        int batches = _batches.Count(stage.Attacked);
        int[] survivors = Survivors(stage.Next);
        long total = (long)attack.Rounds * attack.Iterations * batches;
        // What was fooled needs no further round.
        long done = ((stage.Round + 1L) * batches - _batches.Count(survivors.Length)) * attack.Iterations, first = done;
        _progress.StageStarted(title, total, done);
        Batch.Iterated = iterations =>
        {
            cancellation.ThrowIfCancellationRequested();
            double speed = (done - first + iterations) * Batch.Count / (double)attack.Iterations / attack.Rounds;
            _progress.StepsDone(done + iterations, speed / Math.Max(Stopwatch.GetElapsedTime(begin).TotalSeconds, 1e-9));
        };
        AttackStage now = stage;
        try
        {
            for (int round = stage.Round; round < attack.Rounds; round++)
            {
                for (int start = 0; start < survivors.Length; start += Batch.Count)
                {
                    cancellation.ThrowIfCancellationRequested();
                    ReadOnlySpan<int> chosen = _batches.Load(survivors, start);
                    Batch.ResetCounts();
                    shared.Run(Batch, round, survivors, start);
                    float largest = Math.Max(now.LargestPerturbation, _batches.Measure(title, epsilon));
                    Judge(chosen);
                    done += attack.Iterations;
                    now = new AttackStage(
                        stage.Attacked, round, chosen[^1] + 1, now.Starts + chosen.Length,
                        now.ZeroGradients + Batch.ZeroGradients, largest, Seconds())
                    {
                        ByMargin = now.ByMargin + Batch.ByMargin,
                        Blind = now.Blind + Batch.Blind,
                    };
                    keeper.KeepNowAndThen(now);
                }
                survivors = Survivors(0);
                now = now with { Round = round + 1, Next = 0 };
                done = ((round + 2L) * batches - _batches.Count(survivors.Length)) * attack.Iterations;
            }
        }
        catch (OperationCanceledException)
        {
            keeper.Keep(now with { Seconds = Seconds() });
            throw;
        }
        Batch.Iterated = null;
        _progress.StageFinished();
        if (AttackChecks.Gradients(title, now.Gradients) is { } warning)
            _state.Warnings.Add(warning);
        int samples = _samples.Length, left = _state.Robust.Count(still => still);
        double seconds = Seconds();
        return new AttackResult(
            title, samples, stage.Attacked, (double)left / samples, WilsonInterval.Of(left, samples), now.LargestPerturbation,
            seconds,
            stage.Attacked / Math.Max(seconds, 1e-9), attack.UsesGradients ? now.ZeroGradients : null)
        {
            ByMargin = now.ByMargin,
            Blind = now.Blind,
        };
    }

    private int[] Survivors(int first) =>
        [.. Enumerable.Range(first, _samples.Length - first).Where(position => _state.Robust[position])];

    private void Judge(ReadOnlySpan<int> chosen)
    {
        _batches.Classify(Batch.Adversarial);
        for (int i = 0; i < chosen.Length; i++)
        {
            if (_batches.IsCorrect(i))
                continue;
            _state.Robust[chosen[i]] = false;
            if (!_state.Unfooled[chosen[i]])
                continue;
            _state.Unfooled[chosen[i]] = false;
            Keep(chosen[i], Batch.Adversarial, i);
        }
    }

    private void Keep(int position, float[] images, int index)
    {
        int length = _model.Shape.Length;
        if (_keepsImages)
            images.AsSpan(index * length, length).CopyTo(_state.Images.AsSpan(position * length, length));
    }

    // Keeps the state so seldom that writing it, images and all, stays a small part of the time.
    private sealed class StateKeeper(IAttackStorage? storage, AttackState state, double leastSeconds)
    {
        private const double TimesWriting = 20;

        private long _last = Stopwatch.GetTimestamp();
        private double _secondsToWrite;

        public void KeepNowAndThen(AttackStage stage)
        {
            double between = leastSeconds > 0 ? Math.Max(leastSeconds, TimesWriting * _secondsToWrite) : 0;
            if (Stopwatch.GetElapsedTime(_last).TotalSeconds >= between)
                Keep(stage);
        }

        public void Keep(AttackStage? stage = null)
        {
            state.Stage = stage;
            long begin = Stopwatch.GetTimestamp();
            storage?.Save(state);
            _last = Stopwatch.GetTimestamp();
            _secondsToWrite = Stopwatch.GetElapsedTime(begin).TotalSeconds;
        }
    }
}
