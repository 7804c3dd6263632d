using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Plans;

namespace BoostingTicket.Training.Attacks;

/// <summary><see cref="ProjectedGradientDescent"/> as evaluations use it: it does not take a gradient that has vanished for
/// robustness. After the attack it looks at the gradient of the last step. Where that has vanished and the sample is still right,
/// cross-entropy (whose gradient underflows where logits are large) is replaced by the margin loss of Carlini and Wagner, from
/// the same start.</summary>
/// <remarks>Costs a download of the gradients a batch, and a second attack of batches in which it is needed. With several
/// restarts, the gradient of the last decides. Training does not use it.</remarks>
internal sealed class EvaluationPgd : IDisposable
{
    private readonly IAttackTarget _target;
    private readonly AttackBudget _budget;
    private readonly ProjectedGradientDescent _attack;
    private readonly float[] _gradients;
    private readonly float[] _correct;
    private readonly float[] _losses;
    private readonly bool[] _stuck;
    private ProjectedGradientDescent? _margin;

    /// <summary>Prepares the attack.</summary>
    /// <param name="target">The network and the batch.</param>
    /// <param name="budget">What the attack may do.</param>
    /// <exception cref="ConfigurationException">The budget cannot move an image.</exception>
    public EvaluationPgd(IAttackTarget target, in AttackBudget budget)
    {
        ArgumentNullException.ThrowIfNull(target);
        _target = target;
        _budget = budget;
        _attack = new ProjectedGradientDescent(target, budget);
        _gradients = new float[target.Buffers.InputGradient.Length];
        _correct = new float[target.Buffers.Batch];
        _losses = new float[target.Buffers.Batch];
        _stuck = new bool[target.Buffers.Batch];
    }

    /// <summary>What the attack may do.</summary>
    public AttackBudget Budget => _budget;

    /// <summary>Attacks the batch in the target's buffers, as <see cref="ProjectedGradientDescent.Run"/> does.</summary>
    /// <param name="stream">Key of the random starts.</param>
    /// <param name="used">Samples that count, from the first on.</param>
    /// <returns>What gradients it met.</returns>
    public GradientCounts Run(ulong stream, int used)
    {
        _attack.Run(stream, epoch: 0);
        if (_budget.Epsilon == 0)
            return new GradientCounts(used, 0, 0, 0);
        bool replaces = _budget.Loss == LossKind.CrossEntropy;
        int stuck = FindStuck(used, replaces);
        if (stuck == 0)
            return new GradientCounts(used, 0, 0, 0);
        return replaces
            ? new GradientCounts(used, stuck, stuck, AttackByMargin(stream, used))
            : new GradientCounts(used, stuck, 0, stuck);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _attack.Dispose();
        _margin?.Dispose();
    }

    // Which samples are right still without a gradient. One that is fooled needs none.
    private int FindStuck(int used, bool small)
    {
        BatchBuffers buffers = _target.Buffers;
        _target.Backend.Download(buffers.InputGradient, _gradients);
        int length = buffers.Input.Shape.Length, found = 0;
        for (int i = 0; i < buffers.Batch; i++)
        {
            ReadOnlySpan<float> gradient = _gradients.AsSpan(i * length, length);
            _stuck[i] = i < used && (small ? GradientCounts.HasVanished(gradient) : GradientCounts.IsZero(gradient));
            found += _stuck[i] ? 1 : 0;
        }
        if (found == 0)
            return 0;
        _target.Losses(_budget.Loss);
        _target.Backend.Download(buffers.Correct.All, _correct);
        _target.Backend.Download(buffers.Losses.All, _losses);
        found = 0;
        for (int i = 0; i < used; i++)
        {
            // A logit of +∞ is the largest, but a sample with a loss that is no number is wrong.
            _stuck[i] &= _correct[i] != 0 && float.IsFinite(_losses[i]);
            found += _stuck[i] ? 1 : 0;
        }
        return found;
    }

    // Puts the images of the margin's attack in the place of those that are stuck. Returns how many have no gradient by it
    // either.
    private int AttackByMargin(ulong stream, int used)
    {
        BatchBuffers buffers = _target.Buffers;
        IBackend backend = _target.Backend;
        int length = buffers.Input.Shape.Length;
        float[] images = new float[_gradients.Length], others = new float[_gradients.Length];
        bool[] replaced = [.. _stuck];
        backend.Download(buffers.Input, images);
        _margin ??= new ProjectedGradientDescent(_target, _budget with { Loss = LossKind.CarliniWagner });
        _margin.Run(stream, epoch: 0);
        backend.Download(buffers.Input, others);
        FindStuck(used, small: false);
        int blind = 0;
        for (int i = 0; i < used; i++)
        {
            if (!replaced[i])
                continue;
            others.AsSpan(i * length, length).CopyTo(images.AsSpan(i * length));
            blind += _stuck[i] ? 1 : 0;
        }
        backend.Upload(images, buffers.Input);
        return blind;
    }
}
