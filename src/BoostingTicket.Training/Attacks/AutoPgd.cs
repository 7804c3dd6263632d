using BoostingTicket.Engine.Backends;

namespace BoostingTicket.Training.Attacks;

/// <summary>What an iteration of <see cref="AutoPgd"/> did.</summary>
/// <param name="Number">Iteration, from 0 on.</param>
/// <param name="Images">Images that it stepped to; valid during the call.</param>
/// <param name="Losses">Each sample's loss there.</param>
/// <param name="BestLosses">Each sample's largest loss so far.</param>
/// <param name="Steps">Size of the step that each sample took.</param>
internal sealed record AutoPgdIteration(
    int Number, ReadOnlyMemory<float> Images, IReadOnlyList<double> Losses, IReadOnlyList<double> BestLosses,
    IReadOnlyList<float> Steps);

/// <summary>Auto-PGD of Croce and Hein, "Reliable evaluation of adversarial robustness with an ensemble of diverse parameter-free
/// attacks" (ICML 2020), algorithm 1: projected gradient ascent with momentum, whose step begins at 2ε and is halved, sample by
/// sample, where it does not help. With targets, it raises <see cref="LogitLoss.TargetedDlr"/>, one class a round, the likeliest
/// first; without, the cross-entropy, and <see cref="LogitLoss.SmoothMargin"/> of samples at whose start the gradient of that has
/// vanished.</summary>
/// <remarks>As in the paper, the first check counts the first step as one from the loss at the start; the authors' program
/// compares with 0 instead. As in the program, exactly 75 % of rising steps are too few; in the paper they suffice. Of a sample
/// that is fooled, the first image that does it is kept, of any other that of the largest loss; the program keeps the last, but
/// does not end early.</remarks>
internal sealed class AutoPgd : IAttack
{
    private const float Momentum = 0.75f;
    private const double LeastImproving = 0.75;

    private readonly IAttackModel _model;
    private readonly float _epsilon;
    private readonly bool _targeted;
    private readonly ulong _stream;
    private readonly float[] _x;
    private readonly float[] _previous;
    private readonly float[] _best;
    private readonly float[] _gradient;
    private readonly float[] _bestGradient;
    private readonly float[] _logits;
    private readonly float[] _logitGradient;
    private readonly int[] _targets;
    private readonly double[] _losses;
    private readonly Course[] _courses;
    private readonly bool[] _byMargin;

    /// <summary>Prepares the attack.</summary>
    /// <param name="model">What is attacked.</param>
    /// <param name="epsilon">Radius in pixel units.</param>
    /// <param name="stream">Key of the random starts.</param>
    /// <param name="iterations">Gradient steps of a round.</param>
    /// <param name="targets">Classes to try one by one, fewer where there are fewer; 0 to attack the cross-entropy.</param>
    /// <param name="restarts">Rounds without targets.</param>
    /// <exception cref="ConfigurationException">Targets were asked for and there are fewer than four classes.</exception>
    public AutoPgd(IAttackModel model, float epsilon, ulong stream, int iterations = 100, int targets = 0, int restarts = 1)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(iterations);
        ArgumentOutOfRangeException.ThrowIfNegative(targets);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(restarts);
        Radius.Require(epsilon);
        if (targets > 0 && model.Classes < 4)
            throw new ConfigurationException(
                $"The targeted DLR loss (apgd-t, autoattack) needs at least 4 classes, but the network has {model.Classes}; use "
                + $"apgd-ce, fab-t and square.");
        _model = model;
        _epsilon = epsilon;
        _stream = stream;
        _targeted = targets > 0;
        Rounds = _targeted ? Math.Min(targets, model.Classes - 1) : restarts;
        Iterations = iterations;
        int pixels = model.Batch * model.Shape.Length, logits = model.Batch * model.Classes;
        _x = new float[pixels];
        _previous = new float[pixels];
        _best = new float[pixels];
        _gradient = new float[pixels];
        _bestGradient = new float[pixels];
        _logits = new float[logits];
        _logitGradient = new float[logits];
        _targets = new int[model.Batch];
        _losses = new double[model.Batch];
        _courses = new Course[model.Batch];
        _byMargin = new bool[model.Batch];
    }

    /// <inheritdoc/>
    public int Rounds { get; }

    /// <inheritdoc/>
    public int Iterations { get; }

    /// <summary>Told of every iteration.</summary>
    public Action<AutoPgdIteration>? Observer { get; set; }

    /// <inheritdoc/>
    public void Run(AttackBatch batch, int round)
    {
        ArgumentNullException.ThrowIfNull(batch);
        Begin(batch, round);
        int interval = Math.Max(22 * Iterations / 100, 1), shortest = Math.Max(6 * Iterations / 100, 1);
        int shrinking = Math.Max(3 * Iterations / 100, 1), sinceCheck = 0;
        for (int i = 0; i < Iterations && _courses.Any(course => !course.Fooled); i++)
        {
            Step(batch, i == 0 ? 1 : Momentum);
            Evaluate(batch);
            Keep(batch);
            Observer?.Invoke(new AutoPgdIteration(
                i, _x, [.. _losses], [.. _courses.Select(course => course.Best)],
                [.. _courses.Select(course => course.StepSize)]));
            if (++sinceCheck == interval)
            {
                Check(interval);
                sinceCheck = 0;
                interval = Math.Max(interval - shrinking, shortest);
            }
            batch.Advance(i + 1);
        }
        for (int s = 0; s < batch.Count; s++)
        {
            if (!_courses[s].Fooled)
                Of(_best, s).CopyTo(Of(batch.Adversarial, s));
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
    }

    private void Begin(AttackBatch batch, int round)
    {
        if (_targeted)
        {
            _model.Logits(batch.Clean, _logits);
            for (int s = 0; s < batch.Count; s++)
                _targets[s] = LogitLoss.Rank(Logits(s), round + 2);
        }
        AttackRandom random = new(_stream, _targeted ? AttackPurpose.TargetedAutoPgd : AttackPurpose.AutoPgd, round);
        for (int s = 0; s < batch.Count; s++)
            random.ScaledStart(Of(batch.Clean, s), batch.Samples[s], _epsilon, Of(_x, s));
        _x.CopyTo(_previous, 0);
        Array.Clear(_byMargin);
        Evaluate(batch);
        TurnToMargin(batch);
        _x.CopyTo(_best, 0);
        _gradient.CopyTo(_bestGradient, 0);
        for (int s = 0; s < batch.Count; s++)
        {
            _courses[s] = new Course
            {
                StepSize = 2 * _epsilon,
                Last = _losses[s],
                Best = _losses[s],
                BestAtCheck = _losses[s],
                WasReduced = true,
            };
            KeepFooled(batch, s);
        }
    }

    // Cross-entropy's gradient underflows where logits are large; the smooth margin points the same way and does not.
    private void TurnToMargin(AttackBatch batch)
    {
        if (_targeted || _model.Classes < 2)
        {
            batch.CountZeroGradients(_gradient);
            return;
        }
        bool any = false;
        for (int s = 0; s < batch.Count; s++)
            any |= _byMargin[s] = GradientCounts.HasVanished(Of(_gradient, s));
        if (!any)
            return;
        Evaluate(batch);
        for (int s = 0; s < batch.Used; s++)
        {
            if (!_byMargin[s])
                continue;
            batch.ZeroGradients++;
            batch.ByMargin++;
            batch.Blind += GradientCounts.IsZero(Of(_gradient, s)) ? 1 : 0;
        }
    }

    private void Step(AttackBatch batch, float momentum)
    {
        for (int s = 0; s < batch.Count; s++)
        {
            Span<float> x = Of(_x, s), previous = Of(_previous, s);
            ReadOnlySpan<float> clean = Of(batch.Clean, s), gradient = Of(_gradient, s);
            float step = _courses[s].StepSize;
            for (int e = 0; e < x.Length; e++)
            {
                float at = x[e], low = PixelBall.Low(clean[e], _epsilon), high = PixelBall.High(clean[e], _epsilon);
                float ascended = Math.Clamp(at + step * SignOf(gradient[e]), low, high);
                x[e] = Math.Clamp(at + (ascended - at) * momentum + (at - previous[e]) * (1 - momentum), low, high);
                previous[e] = at;
            }
        }
    }

    // Losses, logits and gradients at x.
    private void Evaluate(AttackBatch batch)
    {
        _model.Forward(_x, _logits);
        for (int s = 0; s < batch.Count; s++)
        {
            Span<float> gradient = _logitGradient.AsSpan(s * _model.Classes, _model.Classes);
            _losses[s] = _targeted ? LogitLoss.TargetedDlr(Logits(s), batch.Labels[s], _targets[s], gradient)
                : _byMargin[s] ? LogitLoss.SmoothMargin(Logits(s), batch.Labels[s], gradient)
                : LogitLoss.CrossEntropy(Logits(s), batch.Labels[s], gradient);
        }
        _model.Backward(_logitGradient, _gradient);
    }

    private void Keep(AttackBatch batch)
    {
        for (int s = 0; s < batch.Count; s++)
        {
            ref Course course = ref _courses[s];
            KeepFooled(batch, s);
            course.Improving += _losses[s] > course.Last ? 1 : 0;
            course.Last = _losses[s];
            if (_losses[s] > course.Best)
            {
                course.Best = _losses[s];
                Of(_x, s).CopyTo(Of(_best, s));
                Of(_gradient, s).CopyTo(Of(_bestGradient, s));
            }
        }
    }

    // The first one: which others follow depends on how long the rest of the batch goes on.
    private void KeepFooled(AttackBatch batch, int s)
    {
        if (_courses[s].Fooled || AttackBatch.IsCorrect(Logits(s), batch.Labels[s]))
            return;
        _courses[s].Fooled = true;
        Of(_x, s).CopyTo(Of(batch.Adversarial, s));
    }

    private void Check(int interval)
    {
        for (int s = 0; s < _courses.Length; s++)
        {
            ref Course course = ref _courses[s];
            bool reduce = course.Improving <= LeastImproving * interval
                || (!course.WasReduced && course.BestAtCheck >= course.Best);
            course.Improving = 0;
            course.WasReduced = reduce;
            course.BestAtCheck = course.Best;
            if (!reduce)
                continue;
            course.StepSize /= 2;
            Of(_best, s).CopyTo(Of(_x, s));
            Of(_bestGradient, s).CopyTo(Of(_gradient, s));
        }
    }

    private Span<float> Of(float[] images, int sample) => images.AsSpan(sample * _model.Shape.Length, _model.Shape.Length);

    private ReadOnlySpan<float> Logits(int sample) => _logits.AsSpan(sample * _model.Classes, _model.Classes);

    // Unlike Math.Sign, a gradient that is no number takes no step instead of ending the attack.
    private static float SignOf(float value) => value > 0 ? 1 : value < 0 ? -1 : 0;

    private struct Course
    {
        public float StepSize;
        public double Last;
        public double Best;
        public double BestAtCheck;
        public int Improving;
        public bool WasReduced;
        public bool Fooled;
    }
}
