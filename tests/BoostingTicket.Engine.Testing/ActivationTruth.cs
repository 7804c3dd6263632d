using BoostingTicket.Engine.Backends;

namespace BoostingTicket.Engine.Testing;

/// <summary>Activations and their derivatives in double precision.</summary>
internal static class ActivationTruth
{
    /// <summary>One of each kind, and none.</summary>
    public static IReadOnlyList<Activation> All { get; } =
        [Activation.None, Activation.Relu, Activation.LeakyRelu(0.125f), Activation.Silu];

    /// <summary>The function; NaN stays.</summary>
    public static double Apply(Activation activation, double value) => activation.Kind switch
    {
        ActivationKind.None => value,
        ActivationKind.Relu => value < 0 ? 0 : value,
        ActivationKind.LeakyRelu => value < 0 ? activation.Slope * value : value,
        ActivationKind.Silu => value / (1 + Math.Exp(-value)),
        _ => throw new ArgumentException($"There is no activation {activation.Kind}.", nameof(activation)),
    };

    /// <summary>A gradient times the derivative.</summary>
    /// <param name="activation">The function.</param>
    /// <param name="gradient">The gradient.</param>
    /// <param name="through">The input of SiLU, the output of the others.</param>
    public static double Backward(Activation activation, double gradient, double through) => activation.Kind switch
    {
        ActivationKind.None => gradient,
        ActivationKind.Relu => through > 0 ? gradient : 0,
        ActivationKind.LeakyRelu => through > 0 ? gradient : activation.Slope * gradient,
        ActivationKind.Silu => gradient * SiluDerivative(through),
        _ => throw new ArgumentException($"There is no activation {activation.Kind}.", nameof(activation)),
    };

    private static double SiluDerivative(double x)
    {
        double share = 1 / (1 + Math.Exp(-x));
        return share * (1 + x * (1 - share));
    }
}
