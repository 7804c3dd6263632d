using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace BoostingTicket.Engine.Cpu.Kernels;

/// <summary>Hints and fences to the memory system.</summary>
internal static unsafe class Prefetch
{
    /// <summary>Asks for the cache line of an address that will be used soon; it need not be valid.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Line(float* address)
    {
        if (Sse.IsSupported)
            Sse.Prefetch0(address);
    }

    /// <summary>Makes what was stored past the caches visible to other threads, before anything that tells them of it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void CompleteStreams()
    {
        if (Sse.IsSupported)
            Sse.StoreFence();
    }
}
