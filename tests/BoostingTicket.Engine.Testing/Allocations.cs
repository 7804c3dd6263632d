namespace BoostingTicket.Engine.Testing;

/// <summary>Measures what code allocates on the managed heap.</summary>
internal static class Allocations
{
    private const int Attempts = 400;

    /// <summary>The fewest bytes that the whole process allocated during two calls of <paramref name="action"/>. All threads
    /// count, since the work is done on several; the test host's own threads allocate now and then, so one clean stretch of
    /// many is enough. What allocates at every call never has one. On a busy machine a long action may have none either, so
    /// work of one thread is measured by <see cref="LeastBytesOfThread"/>.</summary>
    public static long LeastBytes(Action action) => Least(action, () => GC.GetTotalAllocatedBytes(precise: true));

    /// <summary>The fewest bytes that the calling thread allocated during two calls of <paramref name="action"/>, of many: code
    /// that is not optimised yet may allocate.</summary>
    public static long LeastBytesOfThread(Action action) => Least(action, GC.GetAllocatedBytesForCurrentThread);

    private static long Least(Action action, Func<long> allocated)
    {
        ArgumentNullException.ThrowIfNull(action);
        action();
        long least = long.MaxValue;
        for (int attempt = 0; attempt < Attempts && least > 0; attempt++)
        {
            long before = allocated();
            action();
            action();
            least = Math.Min(least, allocated() - before);
        }
        return least;
    }
}
