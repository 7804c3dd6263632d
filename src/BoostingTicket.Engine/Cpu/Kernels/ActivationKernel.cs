using System.Runtime.CompilerServices;
using BoostingTicket.Engine.Backends;

namespace BoostingTicket.Engine.Cpu.Kernels;

/// <summary>Activations that are no ReLU, over values that an operation has just written and that the cache still holds. Kernels
/// apply a ReLU in their registers; a leaky ReLU and SiLU come after them, piece by piece, so that no kernel calls
/// anything.</summary>
/// <remarks>SiLU is <c>x / (1 + e)</c> with <c>e = exp(-x)</c> to one unit in the last place. Its relative error is at most four
/// units, 2.4e-7, for x above -87; below, where the function is closer to zero than 1.5e-36, its absolute error is at most that.
/// The derivative is <c>s (1 + x (e s))</c> with <c>s = 1 / (1 + e)</c>, to an absolute error of at most 5e-7.</remarks>
/// <typeparam name="TLanes">Instructions.</typeparam>
/// <typeparam name="TVector">Their vector.</typeparam>
internal static unsafe class ActivationKernel<TLanes, TVector>
    where TLanes : struct, ILanes<TVector>
    where TVector : struct
{
    /// <summary>Where exp(-x) is still finite, its reciprocal still normal, and the derivative zero but for 1e-35.</summary>
    private const float LeastInput = -87;

    /// <summary><c>values = activation(values)</c>.</summary>
    /// <param name="activation">Any; of <see cref="Activation.None"/> and a ReLU nothing is done.</param>
    /// <param name="values">Read and written.</param>
    /// <param name="length">A multiple of sixteen.</param>
    public static void Forward(Activation activation, float* values, nint length)
    {
        if (activation.Kind == ActivationKind.LeakyRelu)
            LeakyRelu(activation.Slope, values, length);
        else if (activation.Kind == ActivationKind.Silu)
            Silu(values, length);
    }

    /// <summary><c>gradients = gradients * activation'(through)</c>.</summary>
    /// <param name="activation">Any; of <see cref="Activation.None"/> and a ReLU nothing is done.</param>
    /// <param name="through">What the derivative is taken from (<see cref="GradientEpilogue"/>).</param>
    /// <param name="gradients">Read and written.</param>
    /// <param name="length">A multiple of sixteen.</param>
    public static void Backward(Activation activation, float* through, float* gradients, nint length)
    {
        if (activation.Kind == ActivationKind.LeakyRelu)
            LeakyReluGradient(activation.Slope, through, gradients, length);
        else if (activation.Kind == ActivationKind.Silu)
            SiluGradient(through, gradients, length);
    }

    /// <summary>Whichever of the two an epilogue asks for.</summary>
    /// <param name="epilogue">Of a pass.</param>
    /// <param name="target">The pass's target.</param>
    /// <param name="at">Floats from the target's first value to the first of these.</param>
    /// <param name="length">A multiple of sixteen.</param>
    public static void Finish(in PassEpilogue epilogue, float* target, nint at, nint length)
    {
        if (epilogue.Through == null)
            Forward(epilogue.Late, target + at, length);
        else
            Backward(epilogue.Late, epilogue.Through + at, target + at, length);
    }

    // The operands' order matters: on x86 the second one of a maximum comes through when one is NaN.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void LeakyRelu(float slope, float* values, nint length)
    {
        TVector s = TLanes.Create(slope);
        for (nint i = 0; i < length; i += TLanes.Width)
        {
            TVector value = TLanes.Load(values + i);
            TLanes.Store(values + i, TLanes.Max(TLanes.Multiply(value, s), value));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void LeakyReluGradient(float slope, float* through, float* gradients, nint length)
    {
        TVector s = TLanes.Create(slope), zero = TLanes.Zero, one = TLanes.Create(1);
        for (nint i = 0; i < length; i += TLanes.Width)
        {
            TVector gradient = TLanes.Load(gradients + i), open = TLanes.WherePositive(TLanes.Load(through + i), one);
            TLanes.Store(gradients + i, TLanes.WhereEqual(open, zero, TLanes.Multiply(gradient, s), gradient));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Silu(float* values, nint length)
    {
        TVector zero = TLanes.Zero, one = TLanes.Create(1);
        for (nint i = 0; i < length; i += TLanes.Width)
        {
            TVector value = TLanes.Load(values + i);
            TVector e = TLanes.Exp(TLanes.Subtract(zero, value));
            TLanes.Store(values + i, TLanes.Divide(value, TLanes.Add(one, e)));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void SiluGradient(float* through, float* gradients, nint length)
    {
        TVector zero = TLanes.Zero, one = TLanes.Create(1), least = TLanes.Create(LeastInput);
        for (nint i = 0; i < length; i += TLanes.Width)
        {
            TVector value = TLanes.Max(least, TLanes.Load(through + i));
            TVector e = TLanes.Exp(TLanes.Subtract(zero, value));
            TVector s = TLanes.Divide(one, TLanes.Add(one, e));
            TVector slope = TLanes.Multiply(s, TLanes.MultiplyAdd(value, TLanes.Multiply(e, s), one));
            TLanes.Store(gradients + i, TLanes.Multiply(TLanes.Load(gradients + i), slope));
        }
    }
}
