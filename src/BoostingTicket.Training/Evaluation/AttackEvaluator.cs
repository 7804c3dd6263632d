using System.Diagnostics;
using BoostingTicket.Engine.Plans;
using BoostingTicket.Training.Attacks;
using BoostingTicket.Training.Data;
using BoostingTicket.Training.Progress;

namespace BoostingTicket.Training.Evaluation;

/// <summary>Measures a network's robustness by named attacks. Each attack gets the samples that are classified correctly clean; the
/// stages of AutoAttack, and the rounds of an attack, only what is robust still. Whether a sample is fooled decides the
/// network's own evaluation, never the attack.</summary>
public sealed class AttackEvaluator
{
    private readonly NetworkModel _model;
    private readonly int[] _samples;
    private readonly IRunProgress _progress;
    private readonly SampleBatches _batches;
    private readonly bool[] _correct;
    private readonly bool[] _unfooled;
    private float[]? _adversarial;

    /// <summary>Prepares the measurement; compiles its plans.</summary>
    /// <param name="network">The network.</param>
    /// <param name="images">The image set on the network's device.</param>
    /// <param name="samples">Numbers of the samples, at least one.</param>
    /// <param name="batchSize">Samples at a time.</param>
    /// <param name="progress">Told how it goes, and every warning.</param>
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
        _batches = new SampleBatches(_model, images, _samples);
        _correct = new bool[samples.Length];
        _unfooled = new bool[samples.Length];
    }

    /// <summary>Keeps every sample's image as the attacks leave it, for <see cref="Adversarial"/>.</summary>
    public void KeepImages() => _adversarial ??= new float[_samples.Length * _model.Shape.Length];

    /// <summary>After <see cref="Run"/>, samples times image shape: the first adversarial image that was found of each sample, the clean
    /// one where none was or none was needed. Empty unless <see cref="KeepImages"/> was called before.</summary>
    public ReadOnlySpan<float> Adversarial => _adversarial;

    /// <summary>Runs attacks one by one.</summary>
    /// <param name="names">Names of <see cref="AttackCatalog.Names"/>, at least one.</param>
    /// <param name="settings">Settings of the evaluation's attack.</param>
    /// <param name="stream">Key of the random numbers.</param>
    /// <param name="cancellation">Ends the measurement between iterations.</param>
    /// <exception cref="ConfigurationException">A name is unknown, or an attack cannot attack this network.</exception>
    public RobustnessResult Run(
        IReadOnlyList<string> names, AttackSettings settings, ulong stream, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(names);
        var context = new AttackContext(_model, settings, stream);
        List<(string Name, IReadOnlyList<AttackEntry> Stages)> attacks = [.. names.Select(name => (name, AttackCatalog.Stages(name)))];
        // All are made before the first runs, so that one that cannot attack this network costs no time.
        foreach (AttackEntry entry in attacks.SelectMany(attack => attack.Stages))
            entry.Create(context).Dispose();

        List<string> warnings = [];
        int clean = FindCorrect(warnings, cancellation);
        _correct.CopyTo(_unfooled, 0);
        if (clean == 0)
            warnings.Add("No sample is classified correctly without an attack, so that there is nothing to attack; check that the weights belong to this data set and its normalisation.");
        List<AttackResult> results = [];
        foreach ((string name, IReadOnlyList<AttackEntry> stages) in attacks)
        {
            bool[] robust = [.. _correct];
            double before = (double)clean / _samples.Length;
            foreach (AttackEntry entry in stages)
            {
                string title = stages.Count == 1 ? name : $"{name}: {entry.Name}";
                using IAttack attack = entry.Create(context);
                AttackResult result = Attack(title, attack, robust, (float)settings.Epsilon, warnings, cancellation);
                if (stages.Count > 1 && entry.Name == "square" && AttackChecks.Square(before, result.Robust) is { } warning)
                    warnings.Add(warning);
                before = result.Robust;
                results.Add(result);
            }
        }
        foreach (string warning in warnings)
            _progress.Warn(warning);
        int worst = _unfooled.Count(unfooled => unfooled);
        return new RobustnessResult(
            _samples.Length, (double)clean / _samples.Length, WilsonInterval.Of(clean, _samples.Length), results,
            (double)worst / _samples.Length, WilsonInterval.Of(worst, _samples.Length), warnings);
    }

    private AttackBatch Batch => _batches.Batch;

    private int FindCorrect(List<string> warnings, CancellationToken cancellation)
    {
        int[] all = [.. Enumerable.Range(0, _samples.Length)];
        int correct = 0;
        for (int start = 0; start < all.Length; start += Batch.Count)
        {
            cancellation.ThrowIfCancellationRequested();
            ReadOnlySpan<int> chosen = _batches.Load(all, start);
            if (start == 0)
                warnings.AddRange(AttackChecks.Outputs(_model, Batch.Clean));
            _batches.Classify(Batch.Clean);
            for (int i = 0; i < chosen.Length; i++)
            {
                _correct[chosen[i]] = _batches.IsCorrect(i);
                correct += _batches.IsCorrect(i) ? 1 : 0;
                Keep(chosen[i], Batch.Clean, i);
            }
        }
        return correct;
    }

    private AttackResult Attack(
        string title, IAttack attack, bool[] robust, float epsilon, List<string> warnings, CancellationToken cancellation)
    {
        long begin = Stopwatch.GetTimestamp();
        int attacked = robust.Count(still => still);
        long total = (long)attack.Rounds * attack.Iterations * _batches.Count(attacked), done = 0, starts = 0, zero = 0;
        _progress.StageStarted(title, total, 0);
        Batch.Iterated = iterations =>
        {
            cancellation.ThrowIfCancellationRequested();
            double speed = (done + iterations) * Batch.Count / (double)attack.Iterations / attack.Rounds;
            _progress.StepsDone(done + iterations, speed / Math.Max(Stopwatch.GetElapsedTime(begin).TotalSeconds, 1e-9));
        };
        float largest = 0;
        for (int round = 0; round < attack.Rounds; round++)
        {
            int[] survivors = [.. Enumerable.Range(0, robust.Length).Where(index => robust[index])];
            for (int start = 0; start < survivors.Length; start += Batch.Count)
            {
                cancellation.ThrowIfCancellationRequested();
                ReadOnlySpan<int> chosen = _batches.Load(survivors, start);
                Batch.ZeroGradients = 0;
                attack.Run(Batch, round);
                zero += Batch.ZeroGradients;
                starts += chosen.Length;
                largest = Math.Max(largest, _batches.Measure(title, epsilon));
                Judge(chosen, robust);
                done += attack.Iterations;
            }
            // What was fooled needs no further round.
            done = (round + 1L) * attack.Iterations * _batches.Count(attacked);
        }
        Batch.Iterated = null;
        _progress.StageFinished();
        if (AttackChecks.ZeroGradients(title, zero, starts) is { } warning)
            warnings.Add(warning);
        int left = robust.Count(still => still);
        double seconds = Stopwatch.GetElapsedTime(begin).TotalSeconds;
        return new AttackResult(
            title, robust.Length, attacked, (double)left / robust.Length, WilsonInterval.Of(left, robust.Length), largest, seconds,
            attacked / Math.Max(seconds, 1e-9), zero);
    }

    private void Judge(ReadOnlySpan<int> chosen, bool[] robust)
    {
        _batches.Classify(Batch.Adversarial);
        for (int i = 0; i < chosen.Length; i++)
        {
            if (_batches.IsCorrect(i))
                continue;
            robust[chosen[i]] = false;
            if (!_unfooled[chosen[i]])
                continue;
            _unfooled[chosen[i]] = false;
            Keep(chosen[i], Batch.Adversarial, i);
        }
    }

    private void Keep(int position, float[] images, int index)
    {
        int length = _model.Shape.Length;
        if (_adversarial is not null)
            images.AsSpan(index * length, length).CopyTo(_adversarial.AsSpan(position * length, length));
    }
}
