namespace BoostingTicket.Engine.Cpu.Kernels;

/// <summary>Decides which results are stored past the caches: those of which a thread's share would be evicted before anyone
/// reads it. Their lines then need not be read to be written. No bit of a result depends on it.</summary>
internal static class StreamedStores
{
    // Bytes of a thread's share. Intel: the second-level cache, measured on Emerald Rapids with two threads. Others: measured on
    // Zen 4 with two threads, whose third-level cache holds more than that of a share.
    private static readonly long LeastBytes = (ProcessorFeatures.IsIntel ? 2 : 6) << 20;

    /// <summary>Whether results should be stored past the caches.</summary>
    /// <param name="bytes">Bytes of the whole tensor.</param>
    /// <param name="threads">Threads that write it.</param>
    public static bool Pay(long bytes, int threads) => bytes > threads * LeastBytes;
}
