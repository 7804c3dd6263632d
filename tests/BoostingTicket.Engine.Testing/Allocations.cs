namespace BoostingTicket.Engine.Testing;

/// <summary>Measures what code allocates on the managed heap.</summary>
internal static class Allocations
{
    private const int Attempts = 400;

    /// <summary>The fewest bytes that the whole process allocated during two calls of <paramref name="action"/>. All threads
    /// count, since the work is done on several; the test host's own threads allocate now and then, so one clean stretch of
    /// many is enough. What allocates at every call never has one.</summary>
    public static long LeastBytes(Action action)
    {
        ArgumentNullException.ThrowIfNull(action);
        action();
        long least = long.MaxValue;
        for (int attempt = 0; attempt < Attempts && least > 0; attempt++)
        {
            long before = GC.GetTotalAllocatedBytes(precise: true);
            action();
            action();
            least = Math.Min(least, GC.GetTotalAllocatedBytes(precise: true) - before);
        }
        return least;
    }
}
