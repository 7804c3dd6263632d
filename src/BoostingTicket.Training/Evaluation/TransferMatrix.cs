using System.Diagnostics;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Graph;
using BoostingTicket.Engine.Plans;
using BoostingTicket.Training.Attacks;
using BoostingTicket.Training.Data;
using BoostingTicket.Training.Models;
using BoostingTicket.Training.Progress;

namespace BoostingTicket.Training.Evaluation;

/// <summary>A network of a <see cref="TransferMatrix"/>.</summary>
/// <param name="Name">What it is called.</param>
/// <param name="Graph">Its layers, for the images of the matrix.</param>
/// <param name="State">Weights and statistics.</param>
internal sealed record TransferNetwork(string Name, NetworkGraph Graph, ModelState State);

/// <summary>Measures how adversarial images made against one network do on others (paper, appendix D, Table 6; Papernot et al.,
/// 2016), for every pair of several networks.</summary>
/// <remarks>
/// Every sample is attacked on every source, those that the source misclassifies clean as well: a target may still be right about
/// them. An attack of several rounds or stages goes on only with samples that do not fool their source yet; a sample's image is
/// the first that fools it, and the last candidate where none does. Accuracies are shares of all samples. The diagonal therefore
/// may exceed what <see cref="AttackEvaluator"/> reports, which counts a sample only if it is right clean and attacked, by the
/// few samples that an attack pushes into their class. One network at a time is on the device, the images of one source in host
/// memory.
/// </remarks>
/// <param name="backend">Where to compute.</param>
/// <param name="images">The image set on that device.</param>
/// <param name="samples">Numbers of the samples, at least one.</param>
/// <param name="batchSize">Samples at a time.</param>
/// <param name="progress">Receives progress and warnings.</param>
internal sealed class TransferMatrix(
    IBackend backend, DeviceImages images, IReadOnlyList<int> samples, int batchSize, IRunProgress progress)
{
    private readonly int[] _samples = samples.Count > 0
        ? [.. samples]
        : throw new ArgumentException("There is no sample to attack.", nameof(samples));
    private readonly int _batch = Math.Min(batchSize, samples.Count);
    private readonly List<string> _warnings = [];
    private int _rowsBefore;
    private long _stepsBefore;
    private long _done;
    private long _total;
    private long _attacks;
    private long _begin;

    /// <summary>What an interrupted measurement of the same matrix kept, fewer rows than networks; null for nothing.</summary>
    public TransferProgress? Before { get; init; }

    /// <summary>Given what is measured after each row but the last; null for nobody.</summary>
    public Action<TransferProgress>? Keep { get; init; }

    /// <summary>Measures the matrix.</summary>
    /// <param name="networks">The networks, each both source and target; at least one.</param>
    /// <param name="attack">A name of <see cref="AttackCatalog.Names"/>.</param>
    /// <param name="settings">Settings of the attack.</param>
    /// <param name="stream">Key of the random numbers, the same for every source.</param>
    /// <param name="cancellation">Ends the measurement between iterations.</param>
    /// <exception cref="ConfigurationException">The name is unknown, or the attack cannot attack one of the networks.</exception>
    public TransferResult Run(
        IReadOnlyList<TransferNetwork> networks, string attack, AttackSettings settings, ulong stream,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(networks);
        ArgumentOutOfRangeException.ThrowIfZero(networks.Count, nameof(networks));
        if (Before is { } before && before.Rows.Count >= networks.Count)
            throw new InvalidOperationException("the matrix that is continued has all rows already");
        ArgumentNullException.ThrowIfNull(settings);
        IReadOnlyList<AttackEntry> stages = AttackCatalog.Stages(attack);
        _warnings.Clear();
        _warnings.AddRange(Before?.Warnings ?? []);
        _done = _total = 0;
        List<TransferRow> rows = [.. Before?.Rows ?? []];
        _rowsBefore = rows.Count;
        foreach (TransferNetwork source in networks.Skip(_rowsBefore))
        {
            if (rows.Count > 0)
                progress.Note($"{attack} on {source.Name} ({rows.Count + 1} of {networks.Count})");
            Attacked attacked = Attack(source, networks.Count, attack, stages, settings, stream, cancellation);
            MeasuredShare[] accuracies =
            [
                .. networks.Select(target => target == source ? attacked.WhiteBox : Classify(
                    target, attacked.Images, cancellation)),
            ];
            rows.Add(new TransferRow(
                source.Name, source.Graph.Name, attacked.Clean, accuracies, attacked.LargestPerturbation, attacked.Seconds,
                _samples.Length / Math.Max(attacked.Seconds, 1e-9)));
            if (rows.Count < networks.Count)
                Keep?.Invoke(new TransferProgress([.. rows], [.. _warnings]));
        }
        _warnings.AddRange(MaskedGradients.Warnings(rows, _samples.Length));
        if (settings.Epsilon == 0)
            _warnings.Add(AttackBudget.NoRadius);
        progress.StageFinished();
        foreach (string warning in _warnings)
            progress.Warn(warning);
        return new TransferResult(attack, _samples.Length, rows, [.. _warnings]);
    }

    private sealed record Attacked(
        float[] Images, MeasuredShare Clean, MeasuredShare WhiteBox, float LargestPerturbation, double Seconds);

    private Attacked Attack(
        TransferNetwork source, int networks, string title, IReadOnlyList<AttackEntry> stages, AttackSettings settings,
        ulong stream,
        CancellationToken cancellation)
    {
        using var network = new Network(source.Graph, backend);
        source.State.CopyTo(network.Parameters, backend);
        var model = new NetworkModel(network, _batch);
        var batches = new SampleBatches(model, images, _samples);
        var context = new AttackContext(model, settings, stream);
        if (_total == 0)
            Begin(title, networks, stages, context, batches.Count(_samples.Length));
        int[] all = [.. Enumerable.Range(0, _samples.Length)];
        var answers = new AnswerCounts(model.Classes);
        for (int start = 0; start < all.Length; start += _batch)
        {
            int used = batches.Load(all, start).Length;
            if (start == 0)
                _warnings.AddRange(AttackChecks.Outputs(model, batches.Batch.Clean).Select(
                    warning => $"{source.Name}: {warning}"));
            batches.Classify(batches.Batch.Clean);
            for (int i = 0; i < used; i++)
                batches.Count(i, answers);
            Advance(1, cancellation);
        }
        _warnings.AddRange(answers.Warnings().Select(warning => $"{source.Name}: {warning}"));

        long begin = Stopwatch.GetTimestamp();
        var gradients = new GradientCounts();
        float[] found = new float[_samples.Length * model.Shape.Length];
        bool[] unfooled = [.. all.Select(_ => true)];
        float largest = 0;
        foreach (AttackEntry entry in stages)
        {
            using var shared = new SharedAttack(entry, context, images, _samples);
            IAttack attack = shared.Attack;
            if (settings.Epsilon > 0 && attack.Weakness is { } weakness && !_warnings.Contains(weakness))
                _warnings.Add(weakness);
            for (int round = 0; round < attack.Rounds; round++)
            {
                int[] left = [.. all.Where(position => unfooled[position])];
                for (int start = 0; start < left.Length; start += _batch)
                {
                    ReadOnlySpan<int> chosen = batches.Load(left, start);
                    batches.Batch.ResetCounts();
                    int before = 0;
                    batches.Batch.Iterated = iterations =>
                    {
                        Advance(iterations - before, cancellation);
                        before = iterations;
                    };
                    shared.Run(batches.Batch, round, left, start);
                    // An attack may end early.
                    Advance(attack.Iterations - before, cancellation);
                    gradients += batches.Batch.Gradients;
                    largest = Math.Max(largest, batches.Measure($"{title} on {source.Name}", settings.Epsilon));
                    batches.Classify(batches.Batch.Adversarial);
                    for (int i = 0; i < chosen.Length; i++)
                    {
                        unfooled[chosen[i]] = batches.IsCorrect(i);
                        batches.Batch.Adversarial.AsSpan(i * model.Shape.Length, model.Shape.Length)
                            .CopyTo(found.AsSpan(chosen[i] * model.Shape.Length));
                    }
                }
                // What fooled its source needs no further round.
                Advance((batches.Count(all.Length) - batches.Count(left.Length)) * (long)attack.Iterations, cancellation);
            }
        }
        if (AttackChecks.Gradients($"{title} on {source.Name}", gradients) is { } warning)
            _warnings.Add(warning);
        return new Attacked(
            found, MeasuredShare.Of(answers.Correct, all.Length), MeasuredShare.Of(unfooled.Count(still => still), all.Length),
            largest, Stopwatch.GetElapsedTime(begin).TotalSeconds);
    }

    private MeasuredShare Classify(TransferNetwork target, float[] adversarial, CancellationToken cancellation)
    {
        using var network = new Network(target.Graph, backend);
        target.State.CopyTo(network.Parameters, backend);
        Plan plan = network.Plan(new PlanOptions(_batch, PlanMode.Evaluate));
        BatchBuffers buffers = network.Buffers(_batch);
        int classes = target.Graph.Classes, length = target.Graph.Input.Shape.Length, correct = 0;
        float[] batch = new float[_batch * length], logits = new float[_batch * classes];
        for (int start = 0; start < _samples.Length; start += _batch)
        {
            int used = Math.Min(_batch, _samples.Length - start);
            // What is left of the batch before fills the last one and does not count.
            adversarial.AsSpan(start * length, used * length).CopyTo(batch);
            backend.Upload(batch, buffers.Input);
            plan.Forward();
            backend.Download(plan.Logits, logits);
            for (int i = 0; i < used; i++)
                correct += AttackBatch.IsCorrect(logits.AsSpan(i * classes, classes), images.Set.Labels[_samples[start + i]])
                    ? 1
                    : 0;
            Advance(1, cancellation);
        }
        return MeasuredShare.Of(correct, _samples.Length);
    }

    // One stage for the whole matrix, so that the time left is that of the whole. A step is an iteration of a batch, or its
    // classification.
    private void Begin(string title, int networks, IReadOnlyList<AttackEntry> stages, AttackContext context, int batches)
    {
        long iterations = 0;
        foreach (AttackEntry entry in stages)
        {
            using IAttack attack = entry.Create(context);
            iterations += (long)attack.Rounds * attack.Iterations;
        }
        long row = batches * (iterations + networks);
        _total = networks * row;
        _done = _stepsBefore = _rowsBefore * row;
        _attacks = (long)networks * _samples.Length;
        _begin = Stopwatch.GetTimestamp();
        progress.StageStarted($"transfer of {title} among {networks} network{(networks == 1 ? "" : "s")}", _total, _done);
    }

    private void Advance(long steps, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        _done += steps;
        double attacked = (double)(_done - _stepsBefore) / _total * _attacks;
        progress.StepsDone(_done, attacked / Math.Max(Stopwatch.GetElapsedTime(_begin).TotalSeconds, 1e-9));
    }
}
