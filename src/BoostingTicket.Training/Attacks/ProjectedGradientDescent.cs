using System.Buffers;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Plans;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Training.Attacks;

/// <summary>Projected gradient descent on the L∞ ball (Madry et al., 2017), of which FGSM is the one-step case. Reads
/// <see cref="BatchBuffers.Clean"/>, leaves its result in <see cref="BatchBuffers.Input"/>.</summary>
public static class ProjectedGradientDescent
{
    /// <summary>Attacks the batch.</summary>
    /// <param name="target">The network and the batch.</param>
    /// <param name="budget">What the attack may do.</param>
    /// <param name="stream">Key of the random starts.</param>
    /// <param name="epoch">Epoch of training, 0 in evaluation.</param>
    public static void Run(IAttackTarget target, in AttackBudget budget, ulong stream, int epoch)
    {
        ArgumentNullException.ThrowIfNull(target);
        if (budget.Restarts == 1)
        {
            Attempt(target, budget, new RandomStartKey(stream, epoch, 0));
            return;
        }
        IBackend backend = target.Backend;
        BatchBuffers buffers = target.Buffers;
        backend.Fill(buffers.BestLosses.All, float.NegativeInfinity);
        for (int restart = 0; restart < budget.Restarts; restart++)
        {
            Attempt(target, budget, new RandomStartKey(stream, epoch, restart));
            target.Losses(budget.Loss);
            PreferMisclassified(backend, buffers);
            backend.KeepWorst(buffers.Input, buffers.Losses, buffers.Best, buffers.BestLosses);
        }
        backend.Copy(buffers.Best, buffers.Input);
    }

    // A misclassified image beats every correctly classified one, whatever the losses say.
    private static void PreferMisclassified(IBackend backend, BatchBuffers buffers)
    {
        float[] rented = ArrayPool<float>.Shared.Rent(2 * buffers.Batch);
        Span<float> losses = rented.AsSpan(0, buffers.Batch), correct = rented.AsSpan(buffers.Batch, buffers.Batch);
        backend.Download(buffers.Losses.All, losses);
        backend.Download(buffers.Correct.All, correct);
        for (int i = 0; i < losses.Length; i++)
        {
            if (correct[i] == 0)
                losses[i] = float.PositiveInfinity;
        }
        backend.Upload(losses, buffers.Losses.All);
        ArrayPool<float>.Shared.Return(rented);
    }

    private static void Attempt(IAttackTarget target, in AttackBudget budget, RandomStartKey key)
    {
        IBackend backend = target.Backend;
        BatchBuffers buffers = target.Buffers;
        Tensor adversarial = buffers.Input;
        if (budget.Start == AttackStart.Random)
            backend.RandomStart(buffers.Clean, buffers.Samples, budget.Epsilon, key, adversarial);
        else
            backend.Copy(buffers.Clean, adversarial);
        for (int step = 0; step < budget.Steps; step++)
        {
            target.Gradients(budget.Loss);
            backend.AttackStep(buffers.Clean, buffers.InputGradient, budget.Epsilon, budget.StepSize, adversarial);
        }
    }
}
