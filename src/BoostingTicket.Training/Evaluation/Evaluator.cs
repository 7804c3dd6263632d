using System.Diagnostics;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Plans;
using BoostingTicket.Training.Attacks;
using BoostingTicket.Training.Data;

namespace BoostingTicket.Training.Evaluation;

/// <summary>Measures a network's clean and robust accuracy on chosen samples of an image set. Evaluation mode makes every
/// sample independent of its batch, so the last batch is filled up with repeats that do not count.</summary>
internal sealed class Evaluator : IDisposable
{
    private readonly Network _network;
    private readonly DeviceImages _images;
    private readonly int[] _samples;
    private readonly BatchBuffers _buffers;
    private readonly Plan _plan;
    private readonly NetworkTarget? _target;
    private EvaluationPgd? _attack;
    private readonly ImageRequest[] _requests;
    private readonly int[] _survivors;
    private readonly SharedBatches _shared;

    /// <summary>Prepares the measurement; compiles its plans.</summary>
    /// <param name="network">The network.</param>
    /// <param name="images">The image set on the network's device.</param>
    /// <param name="samples">Numbers of the samples, at least one.</param>
    /// <param name="batchSize">Samples at a time.</param>
    /// <param name="attacks">Whether robust accuracy will be measured; if it is nevertheless, its plan is compiled then.</param>
    public Evaluator(
        Network network, DeviceImages images, ReadOnlySpan<int> samples, int batchSize, bool attacks = true)
    {
        ArgumentNullException.ThrowIfNull(network);
        ArgumentNullException.ThrowIfNull(images);
        if (samples.IsEmpty)
            throw new ArgumentException("There is no sample to evaluate.", nameof(samples));
        _network = network;
        _images = images;
        _samples = samples.ToArray();
        int batch = Math.Min(batchSize, samples.Length);
        _buffers = network.Buffers(batch);
        _plan = network.Plan(new PlanOptions(batch, PlanMode.Evaluate));
        _target = attacks ? Target() : null;
        _requests = new ImageRequest[batch];
        _shared = new SharedBatches(network, images, batch);
        Answers = new AnswerCounts(network.Graph.Classes);
        _survivors = new int[samples.Length];
    }

    /// <summary>Samples.</summary>
    public int Count => _samples.Length;

    /// <summary>What the network answered when it last looked at clean samples.</summary>
    public AnswerCounts Answers { get; }

    /// <summary>Share of the samples classified correctly, in [0, 1].</summary>
    /// <param name="cancellation">Ends the measurement between batches.</param>
    public double Clean(CancellationToken cancellation = default) =>
        (double)FindCleanSurvivors(_samples.Length, cancellation) / _samples.Length;

    /// <summary>Clean accuracy, and accuracy under an attack on what is classified correctly clean.</summary>
    /// <param name="budget">What the attack may do.</param>
    /// <param name="stream">Key of the random starts.</param>
    /// <param name="limit">Number of samples to attack, from the first on.</param>
    /// <param name="batchDone">Told after each attacked batch of the batches done and in all; may be null.</param>
    /// <param name="cancellation">Ends the measurement between batches.</param>
    /// <exception cref="ConfigurationException">The budget cannot move an image.</exception>
    public TestResult Robust(
        in AttackBudget budget, ulong stream, int limit, Action<int, int>? batchDone = null,
        CancellationToken cancellation = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(limit);
        long start = Stopwatch.GetTimestamp();
        EvaluationPgd attack = Attack(budget);
        int count = Math.Min(limit, _samples.Length);
        int clean = FindCleanSurvivors(count, cancellation);
        var gradients = new GradientCounts();
        float largest = 0;
        int robust = 0, batches = (clean + _buffers.Batch - 1) / _buffers.Batch;
        for (int batch = 0; batch < batches; batch++)
        {
            cancellation.ThrowIfCancellationRequested();
            BatchAnswers answers = Answer(_survivors.AsSpan(0, clean), batch, attack, stream);
            gradients += answers.Gradients;
            largest = Math.Max(largest, answers.Extent.LargestPerturbation);
            AttackBall.Require("The attack", answers.Extent, budget.Epsilon);
            for (int i = 0; i < answers.Used; i++)
            {
                int sample = _survivors[batch * _buffers.Batch + i];
                robust += AttackBatch.IsCorrect(answers.Logits(i), _images.Set.Labels[sample]) ? 1 : 0;
            }
            batchDone?.Invoke(batch + 1, batches);
        }
        string?[] warnings = [.. Answers.Warnings(), budget.Weakness, AttackChecks.Gradients(budget.Name, gradients)];
        return new TestResult(
            count, (double)clean / count, (double)robust / count, largest, Stopwatch.GetElapsedTime(start).TotalSeconds)
        {
            Attacked = clean,
            ZeroGradients = gradients.Zero,
            ByMargin = gradients.ByMargin,
            Blind = gradients.Blind,
            NotFinite = Answers.NotFinite,
            Warnings = [.. warnings.OfType<string>()],
        };
    }

    /// <summary>Attacks the first samples, whether classified correctly or not, to show what the attack does.</summary>
    /// <param name="budget">What the attack may do.</param>
    /// <param name="stream">Key of the random starts; the images are those that <see cref="Robust"/> finds of these
    /// samples.</param>
    /// <param name="count">Samples wanted; there are no more than fit into a batch.</param>
    public AdversarialExamples Examples(in AttackBudget budget, ulong stream, int count)
    {
        ImageSet set = _images.Set;
        ReadOnlySpan<int> samples = _samples.AsSpan(0, Math.Min(Math.Min(count, _samples.Length), _buffers.Batch));
        Load(samples, 0, _buffers.Input);
        int[] before = Predict(samples.Length);
        Load(samples, 0, _buffers.Clean);
        Attack(budget).Run(stream, samples.Length);
        AttackBall.Require("The attack", _network.Backend.MeasurePerturbation(_buffers.Clean, _buffers.Input), budget.Epsilon);
        int[] after = Predict(samples.Length);
        int length = set.SampleLength;
        float[] clean = new float[_buffers.Batch * length], adversarial = new float[_buffers.Batch * length];
        _network.Backend.Download(_buffers.Clean, clean);
        _network.Backend.Download(_buffers.Input, adversarial);
        var images = new AdversarialExample[samples.Length];
        for (int i = 0; i < images.Length; i++)
        {
            Range own = (i * length)..((i + 1) * length);
            images[i] = new AdversarialExample(
                samples[i], set.Labels[samples[i]], clean[own], before[i], adversarial[own], after[i]);
        }
        return new AdversarialExamples(set.Channels, set.Height, set.Width, budget.Epsilon, set.Classes, images);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _attack?.Dispose();
        _shared.Dispose();
    }

    // Writes the samples that are classified correctly to _survivors and returns their number.
    private int FindCleanSurvivors(int count, CancellationToken cancellation)
    {
        int survivors = 0, batches = (count + _buffers.Batch - 1) / _buffers.Batch;
        Answers.Clear();
        for (int batch = 0; batch < batches; batch++)
        {
            cancellation.ThrowIfCancellationRequested();
            BatchAnswers answers = Answer(_samples.AsSpan(0, count), batch, null, 0);
            for (int i = 0; i < answers.Used; i++)
            {
                int sample = _samples[batch * _buffers.Batch + i];
                if (Answers.Add(answers.Logits(i), _images.Set.Labels[sample]))
                    _survivors[survivors++] = sample;
            }
        }
        return survivors;
    }

    /// <summary>Answers for rank 0 on a batch of its evaluator.</summary>
    /// <param name="samples">The batch's samples; empty where there is nothing to do.</param>
    /// <param name="budget">The attack; null for none.</param>
    /// <param name="stream">Key of its random starts.</param>
    internal ReadOnlySpan<float> ValuesHere(ReadOnlySpan<int> samples, AttackBudget? budget, ulong stream)
    {
        if (!samples.IsEmpty)
            Answer(samples, 0, budget is { } some ? Attack(some) : null, stream, _shared.Own);
        return _shared.Own.Values;
    }

    private BatchAnswers Answer(ReadOnlySpan<int> samples, int batch, EvaluationPgd? attack, ulong stream)
    {
        if (_shared.Find(batch) is { } found)
            return found;
        _shared.Call(samples, batch, attack?.Budget, stream);
        Answer(samples, batch, attack, stream, _shared.Own);
        _shared.Gather();
        return _shared.Own;
    }

    private void Answer(ReadOnlySpan<int> samples, int batch, EvaluationPgd? attack, ulong stream, BatchAnswers answers)
    {
        answers.Used = Load(samples, batch, attack is null ? _buffers.Input : _buffers.Clean);
        if (attack is not null)
        {
            answers.Gradients = attack.Run(stream, answers.Used);
            answers.Extent = _network.Backend.MeasurePerturbation(_buffers.Clean, _buffers.Input);
        }
        Classify(answers);
    }

    private int Load(ReadOnlySpan<int> samples, int batch, Engine.Tensors.Tensor destination)
    {
        int start = batch * _buffers.Batch;
        int used = Math.Min(_buffers.Batch, samples.Length - start);
        for (int i = 0; i < _buffers.Batch; i++)
            _requests[i] = new ImageRequest(samples[start + Math.Min(i, used - 1)], 0, 0, false);
        _images.Load(_requests, _buffers, destination);
        return used;
    }

    private EvaluationPgd Attack(in AttackBudget budget)
    {
        if (_attack?.Budget != budget)
        {
            _attack?.Dispose();
            _attack = null;
            _attack = new EvaluationPgd(_target ?? Target(), budget);
        }
        return _attack;
    }

    private NetworkTarget Target() => new(_network, _buffers.Batch, AttackStatistics.Running);

    private int[] Predict(int count)
    {
        BatchAnswers answers = _shared.Own;
        Classify(answers);
        return [.. Enumerable.Range(0, count).Select(i => Largest(answers.Logits(i)))];
    }

    /// <summary>The place of the first largest value.</summary>
    internal static int Largest(ReadOnlySpan<float> values)
    {
        int best = 0;
        for (int i = 1; i < values.Length; i++)
            best = values[i] > values[best] ? i : best;
        return best;
    }

    private void Classify(BatchAnswers answers)
    {
        _plan.Forward();
        _network.Backend.Download(_plan.Logits, answers.AllLogits);
    }
}
