using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace BoostingTicket.Engine.Cpu.Kernels;

/// <summary>Puts the weights of four channels side by side.</summary>
internal static unsafe class WeightPacking
{
    /// <summary>Channels side by side.</summary>
    public const int Channels = 4;

    /// <summary>Interleaves four runs: first values, second values, and so on, each times its run's factor.</summary>
    /// <param name="first">First run.</param>
    /// <param name="stride">Floats from a run to the next.</param>
    /// <param name="factors">A factor for each run.</param>
    /// <param name="length">Values of a run.</param>
    /// <param name="to">Receives four times as many values.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Interleave(float* first, nint stride, Vector128<float> factors, int length, float* to)
    {
        float* second = first + stride, third = second + stride, fourth = third + stride;
        int i = 0;
        for (; i + Channels <= length; i += Channels, to += Channels * Channels)
        {
            Vector128<float> a = Vector128.Load(first + i), b = Vector128.Load(second + i);
            Vector128<float> c = Vector128.Load(third + i), d = Vector128.Load(fourth + i);
            // Rows become columns: pairs of rows, then pairs of pairs.
            Vector128<float> ac0 = Zip(a, c, low: true), ac1 = Zip(a, c, low: false);
            Vector128<float> bd0 = Zip(b, d, low: true), bd1 = Zip(b, d, low: false);
            (Zip(ac0, bd0, low: true) * factors).Store(to);
            (Zip(ac0, bd0, low: false) * factors).Store(to + Channels);
            (Zip(ac1, bd1, low: true) * factors).Store(to + 2 * Channels);
            (Zip(ac1, bd1, low: false) * factors).Store(to + 3 * Channels);
        }
        for (; i < length; i++, to += Channels)
            (Vector128.Create(first[i], second[i], third[i], fourth[i]) * factors).Store(to);
    }

    // The lower or upper halves of two vectors, value by value in turn.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Zip(Vector128<float> a, Vector128<float> b, bool low)
    {
        if (System.Runtime.Intrinsics.X86.Sse.IsSupported)
        {
            return low
                ? System.Runtime.Intrinsics.X86.Sse.UnpackLow(a, b)
                : System.Runtime.Intrinsics.X86.Sse.UnpackHigh(a, b);
        }
        int at = low ? 0 : 2;
        return Vector128.Create(a[at], b[at], a[at + 1], b[at + 1]);
    }
}
