using BoostingTicket.Engine.Backends;

namespace BoostingTicket.Training.Attacks;

/// <summary>Targeted FAB of Croce and Hein, "Minimally distorted adversarial examples with a fast adaptive boundary attack" (ICML
/// 2020), on L∞: looks for the nearest misclassified image by projecting onto linearisations of the boundary between the true
/// and one target class, the likeliest class in the first round. What it finds counts if it is in the ball. Keeps the first
/// misclassified image in the ball of each sample and ends early when there is one for all; the published program goes on to make
/// them nearer still.</summary>
internal sealed class FastAdaptiveBoundary : IAttack
{
    private const double LargestBias = 0.1;
    private const double Overshoot = 1.05;
    private const double BackwardStep = 0.9;
    private const double LeastDistance = 1e-8;

    private readonly IAttackModel _model;
    private readonly float _epsilon;
    private readonly float[] _x;
    private readonly float[] _gradient;
    private readonly float[] _logits;
    private readonly float[] _logitGradient;
    private readonly int[] _targets;
    private readonly float[] _distances;
    private readonly double[] _fromCurrent;
    private readonly double[] _fromClean;

    /// <summary>Prepares the attack.</summary>
    /// <param name="model">What is attacked.</param>
    /// <param name="epsilon">Radius of the ball in pixel units.</param>
    /// <param name="iterations">Iterations of a round.</param>
    /// <param name="targets">Classes to try one by one, fewer where there are fewer.</param>
    /// <exception cref="ConfigurationException">There is only one class.</exception>
    public FastAdaptiveBoundary(IAttackModel model, float epsilon, int iterations = 100, int targets = 9)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(iterations);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(targets);
        Radius.Require(epsilon);
        if (model.Classes < 2)
            throw new ConfigurationException(
                "An attack (fab-t) needs at least 2 classes, but the network has 1; evaluate it without attacks.");
        _model = model;
        _epsilon = epsilon;
        Rounds = Math.Min(targets, model.Classes - 1);
        Iterations = iterations;
        int pixels = model.Batch * model.Shape.Length, logits = model.Batch * model.Classes;
        _x = new float[pixels];
        _gradient = new float[pixels];
        _logits = new float[logits];
        _logitGradient = new float[logits];
        _targets = new int[model.Batch];
        _distances = new float[model.Batch];
        _fromCurrent = new double[model.Shape.Length];
        _fromClean = new double[model.Shape.Length];
    }

    /// <inheritdoc/>
    public int Rounds { get; }

    /// <inheritdoc/>
    public int Iterations { get; }

    /// <summary>Told after every iteration of its number, its images, and the least distance of a misclassified image to each
    /// sample so far, infinite where there is none.</summary>
    public Action<int, ReadOnlyMemory<float>, IReadOnlyList<float>>? Observer { get; set; }

    /// <inheritdoc/>
    public void Run(AttackBatch batch, int round)
    {
        ArgumentNullException.ThrowIfNull(batch);
        batch.Clean.CopyTo(_x, 0);
        batch.Clean.CopyTo(batch.Adversarial, 0);
        _model.Logits(batch.Clean, _logits);
        for (int s = 0; s < batch.Count; s++)
            _targets[s] = LogitLoss.Rank(Logits(s), round + 2);
        Array.Fill(_distances, float.PositiveInfinity);
        for (int i = 0; i < Iterations && _distances.AsSpan().ContainsAnyExceptInRange(0, _epsilon); i++)
        {
            Linearise(batch);
            if (i == 0)
                batch.CountZeroGradients(_gradient);
            for (int s = 0; s < batch.Count; s++)
                Move(batch, s);
            _model.Logits(_x, _logits);
            for (int s = 0; s < batch.Count; s++)
            {
                if (!AttackBatch.IsCorrect(Logits(s), batch.Labels[s]))
                    KeepAndStepBack(batch, s);
            }
            Observer?.Invoke(i, _x, [.. _distances]);
            batch.Advance(i + 1);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
    }

    // Logits at x, and the gradient of how far the target's is above the label's.
    private void Linearise(AttackBatch batch)
    {
        _model.Forward(_x, _logits);
        Array.Clear(_logitGradient);
        for (int s = 0; s < batch.Count; s++)
        {
            _logitGradient[s * _model.Classes + _targets[s]] += 1;
            _logitGradient[s * _model.Classes + batch.Labels[s]] -= 1;
        }
        _model.Backward(_logitGradient, _gradient);
    }

    // x = (1 - α) (x + η d(x)) + α (clean + η d(clean)), clamped, d projecting onto the linearised boundary.
    private void Move(AttackBatch batch, int s)
    {
        Span<float> x = Of(_x, s);
        ReadOnlySpan<float> clean = Of(batch.Clean, s), normal = Of(_gradient, s), logits = Logits(s);
        double gap = (double)logits[batch.Labels[s]] - logits[_targets[s]];
        double way = 0;
        for (int e = 0; e < x.Length; e++)
            way += (double)normal[e] * ((double)x[e] - clean[e]);
        double current = Math.Max(BoxHyperplane.Project(x, normal, gap, _fromCurrent), LeastDistance);
        double original = Math.Max(BoxHyperplane.Project(clean, normal, gap + way, _fromClean), LeastDistance);
        double bias = Math.Min(current / (current + original), LargestBias);
        for (int e = 0; e < x.Length; e++)
        {
            double moved = (1 - bias) * (x[e] + Overshoot * _fromCurrent[e]) + bias * (clean[e] + Overshoot * _fromClean[e]);
            x[e] = (float)Math.Clamp(moved, 0, 1);
        }
    }

    private void KeepAndStepBack(AttackBatch batch, int s)
    {
        Span<float> x = Of(_x, s);
        ReadOnlySpan<float> clean = Of(batch.Clean, s);
        float distance = 0;
        for (int e = 0; e < x.Length; e++)
            distance = Math.Max(distance, PixelBall.Distance(clean[e], x[e]));
        if (distance < _distances[s])
        {
            // The first one: whether a nearer one follows depends on how long the rest of the batch goes on.
            if (distance <= _epsilon && _distances[s] > _epsilon)
                x.CopyTo(Of(batch.Adversarial, s));
            _distances[s] = distance;
        }
        for (int e = 0; e < x.Length; e++)
            x[e] = (float)(clean[e] + ((double)x[e] - clean[e]) * BackwardStep);
    }

    private Span<float> Of(float[] images, int sample) => images.AsSpan(sample * _model.Shape.Length, _model.Shape.Length);

    private ReadOnlySpan<float> Logits(int sample) => _logits.AsSpan(sample * _model.Classes, _model.Classes);
}
