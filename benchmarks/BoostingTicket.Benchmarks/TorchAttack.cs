using static TorchSharp.torch;
using Tensor = TorchSharp.torch.Tensor;

namespace BoostingTicket.Benchmarks;

/// <summary>L∞ PGD in TorchSharp. Results belong to the caller's dispose scope.</summary>
internal static class TorchAttack
{
    /// <summary>A random point of the ball and of [0, 1].</summary>
    public static Tensor Start(Tensor images, float epsilon)
    {
        using var guard = no_grad();
        return (images + empty_like(images).uniform_(-epsilon, epsilon)).clamp_(0, 1);
    }

    /// <summary>One step along the sign of the gradient, back into the ball and [0, 1]; after
    /// <see cref="TorchNetwork.BeginAttack"/>.</summary>
    public static Tensor Step(
        TorchNetwork network, Tensor adversarial, Tensor images, Tensor labels, float epsilon, float stepSize)
    {
        (_, Tensor gradient) = network.InputGradient(adversarial, labels);
        using var guard = no_grad();
        Tensor stepped = adversarial + stepSize * gradient.sign();
        return maximum(minimum(stepped, images + epsilon), images - epsilon).clamp_(0, 1);
    }
}
