using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace BoostingTicket.Engine.Cpu.Kernels;

/// <summary>Hints to the memory system; the address need not be valid.</summary>
internal static unsafe class Prefetch
{
    /// <summary>Asks for the cache line of an address that will be used soon.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Line(float* address)
    {
        if (Sse.IsSupported)
            Sse.Prefetch0(address);
    }
}
