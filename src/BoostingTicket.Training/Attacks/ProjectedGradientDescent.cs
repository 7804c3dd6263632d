using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Plans;
using BoostingTicket.Training.Progress;

namespace BoostingTicket.Training.Attacks;

/// <summary>Projected gradient descent on the L∞ ball (Madry et al., 2017), of which FGSM is the one-step case. Reads
/// <see cref="BatchBuffers.Clean"/>, leaves its result in <see cref="BatchBuffers.Input"/>. Its steps are the same for every
/// batch, so that a backend may replay them as a whole.</summary>
internal sealed class ProjectedGradientDescent : IDisposable
{
    private readonly IAttackTarget _target;
    private readonly AttackBudget _budget;
    private readonly RepeatedWork _steps;

    /// <summary>Prepares the attack.</summary>
    /// <param name="target">The network and the batch.</param>
    /// <param name="budget">What the attack may do.</param>
    /// <exception cref="ConfigurationException">The budget cannot move an image.</exception>
    public ProjectedGradientDescent(IAttackTarget target, in AttackBudget budget)
    {
        ArgumentNullException.ThrowIfNull(target);
        budget.Validate();
        _target = target;
        _budget = budget;
        _steps = target.Backend.Repeat(TakeSteps);
    }

    /// <summary>What the attack may do.</summary>
    public AttackBudget Budget => _budget;

    /// <summary>Attacks the batch.</summary>
    /// <param name="stream">Key of the random starts.</param>
    /// <param name="epoch">Epoch of training, 0 in evaluation.</param>
    public void Run(ulong stream, int epoch)
    {
        if (_budget.Restarts == 1)
        {
            Attempt(new RandomStartKey(stream, epoch, 0));
            return;
        }
        IBackend backend = _target.Backend;
        BatchBuffers buffers = _target.Buffers;
        // What stays where no loss is a number.
        backend.Copy(buffers.Clean, buffers.Worst);
        backend.Fill(buffers.WorstLosses.All, float.NegativeInfinity);
        for (int restart = 0; restart < _budget.Restarts; restart++)
        {
            Attempt(new RandomStartKey(stream, epoch, restart));
            _target.Losses(_budget.Loss);
            _target.Observer?.Enter(StepPhase.AttackStep);
            // A misclassified image beats every correctly classified one, whatever the losses say.
            backend.KeepWorst(buffers.Input, buffers.Losses, buffers.Worst, buffers.WorstLosses, buffers.Correct);
        }
        backend.Copy(buffers.Worst, buffers.Input);
    }

    /// <inheritdoc/>
    public void Dispose() => _steps.Dispose();

    private void Attempt(RandomStartKey key)
    {
        BatchBuffers buffers = _target.Buffers;
        _target.Observer?.Enter(StepPhase.AttackStart);
        switch (_budget.Start)
        {
            case AttackStart.Random:
                _target.Backend.RandomStart(buffers.Clean, buffers.Samples, _budget.StartRadius, key, buffers.Input);
                break;
            case AttackStart.Normal:
                _target.Backend.NormalStart(buffers.Clean, buffers.Samples, _budget.StartRadius, key, buffers.Input);
                break;
            default:
                _target.Backend.Copy(buffers.Clean, buffers.Input);
                break;
        }
        _target.Observer?.Enter(StepPhase.Filters);
        _target.Prepare();
        if (_target.MayRepeat)
            _steps.Run();
        else
            TakeSteps();
    }

    private void TakeSteps()
    {
        BatchBuffers buffers = _target.Buffers;
        for (int step = 0; step < _budget.Steps; step++)
        {
            _target.Gradients(_budget.Loss);
            _target.Observer?.Enter(StepPhase.AttackStep);
            _target.Backend.AttackStep(
                buffers.Clean, buffers.InputGradient, _budget.Epsilon, _budget.StepSize, buffers.Input);
        }
    }
}
