using System.Diagnostics;

namespace BoostingTicket.Engine.Cpu;

/// <summary>How long a thread waits for another one before it sleeps: for a number of short pauses, or until a yield shows that
/// other threads want its processor.</summary>
internal struct BriefSpin
{
    private const int Spins = 2000;
    private const int SpinsBeforeYield = 8;

    // A yield of 50 µs or more: another thread ran meanwhile.
    private static readonly long TakenUp = Stopwatch.Frequency / 20_000;

    private int _count;

    /// <summary>Waits a moment. False once it is time to sleep.</summary>
    public bool Again()
    {
        if (++_count > Spins)
            return false;
        if (_count % SpinsBeforeYield != 0)
        {
            Thread.SpinWait(SpinsBeforeYield);
            return true;
        }
        long before = Stopwatch.GetTimestamp();
        Thread.Yield();
        return Stopwatch.GetTimestamp() - before < TakenUp;
    }
}
