using System.Numerics;
using System.Runtime.Intrinsics;
using BoostingTicket.Engine.Backends;

namespace BoostingTicket.Engine.Cpu;

/// <summary>The embedded default backend: runs on any machine .NET runs on.</summary>
public static class CpuBackend
{
    /// <summary>Opens the CPU.</summary>
    /// <param name="threads">Threads to compute on, at least 1; 0 for one a processor.</param>
    /// <param name="instructionSet">Vector instructions, the best at hand when null.</param>
    /// <exception cref="DeviceException">The machine lacks the instruction set.</exception>
    public static IBackend Create(int threads = 0, InstructionSet? instructionSet = null)
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
            InstructionSet.Avx512 => new CpuBackend<Avx512Lanes, Vector512<float>>(threads, chosen),
            InstructionSet.Avx2 => new CpuBackend<Avx2Lanes, Vector256<float>>(threads, chosen),
            _ => new CpuBackend<PortableLanes, Vector<float>>(threads, chosen),
        };
    }
}
