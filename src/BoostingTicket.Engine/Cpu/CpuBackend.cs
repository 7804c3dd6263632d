using System.Numerics;
using System.Runtime.Intrinsics;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cpu.BFloat16;

namespace BoostingTicket.Engine.Cpu;

/// <summary>The embedded default backend: runs on any machine .NET runs on.</summary>
internal static class CpuBackend
{
    /// <summary>Opens the CPU.</summary>
    /// <param name="threads">Threads to compute on, at least 1; 0 for one a processor.</param>
    /// <param name="instructionSet">Vector instructions, the best at hand when null.</param>
    /// <exception cref="DeviceException">The machine lacks the instruction set.</exception>
    public static IBackend Create(int threads = 0, InstructionSet? instructionSet = null) =>
        Create(threads, instructionSet, null);

    /// <summary>Whether attacks can be computed in bfloat16, and with what or why not, for people.</summary>
    public static string BFloat16Attacks => BFloat16Support.Kernels is { } kernels
        ? $"bf16 attacks by {kernels.Name}"
        : $"no bf16: {BFloat16Support.Reason}";

    /// <summary>Opens the CPU with attacks in bfloat16: their convolutions round weights and feature maps to bfloat16 and add up
    /// in float32 wherever that is cheaper. Everything else is float32, training included.</summary>
    /// <param name="threads">As of <see cref="Create(int, InstructionSet?)"/>.</param>
    /// <param name="lacking">Why the processor does not do that, as part of a sentence; then the backend is float32 throughout.
    /// Null where it does.</param>
    public static IBackend CreateWithBFloat16Attacks(int threads, out string? lacking)
    {
        lacking = BFloat16Support.Kernels is null ? BFloat16Support.Reason : null;
        return Create(threads, null, BFloat16Support.Kernels);
    }

    /// <summary>Opens the CPU.</summary>
    /// <param name="threads">As above.</param>
    /// <param name="instructionSet">As above.</param>
    /// <param name="attackKernels">What computes attacks in bfloat16; null for float32.</param>
    internal static IBackend Create(int threads, InstructionSet? instructionSet, BFloat16Kernels? attackKernels)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(threads);
        if (threads == 0)
            threads = Environment.ProcessorCount;
        InstructionSet chosen = instructionSet ?? InstructionSets.Best;
        if (!InstructionSets.Available.Contains(chosen))
            throw new DeviceException(
                $"This machine has no {chosen}; it has {string.Join(", ", InstructionSets.Available)}.");
        return chosen switch
        {
            InstructionSet.Avx512 => new CpuBackend<Avx512Lanes, Vector512<float>>(threads, chosen, attackKernels),
            InstructionSet.Avx2 => new CpuBackend<Avx2Lanes, Vector256<float>>(threads, chosen, attackKernels),
            _ => new CpuBackend<PortableLanes, Vector<float>>(threads, chosen, attackKernels),
        };
    }
}
