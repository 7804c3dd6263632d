using System.Runtime.Intrinsics.X86;

namespace BoostingTicket.Engine.Cpu;

/// <summary>Which vector instructions the CPU backend computes with.</summary>
internal enum InstructionSet
{
    /// <summary>The widest vectors that .NET's <c>Vector&lt;T&gt;</c> has on this machine; runs anywhere, Arm included.</summary>
    Portable,

    /// <summary>256-bit vectors with fused multiply-add.</summary>
    Avx2,

    /// <summary>512-bit vectors with 32 registers.</summary>
    Avx512,
}

/// <summary>What the machine has.</summary>
internal static class InstructionSets
{
    /// <summary>The instruction sets that this process can use, best last.</summary>
    public static IReadOnlyList<InstructionSet> Available { get; } = Detect();

    /// <summary>The best of <see cref="Available"/>.</summary>
    public static InstructionSet Best => Available[^1];

    private static InstructionSet[] Detect()
    {
        var found = new List<InstructionSet> { InstructionSet.Portable };
        if (Avx2.IsSupported && Fma.IsSupported)
            found.Add(InstructionSet.Avx2);
        if (Avx512F.IsSupported && Avx512DQ.IsSupported)
            found.Add(InstructionSet.Avx512);
        return [.. found];
    }
}
