using System.Diagnostics;

namespace BoostingTicket.Engine.Ranks;

/// <summary>Pauses of a process that asks again and again whether another one is ready. Partners of a step arrive within
/// milliseconds of one another, so it asks without pause first; then it leaves the processor to them.</summary>
internal readonly struct RankPatience
{
    private static readonly TimeSpan Spin = TimeSpan.FromMilliseconds(0.05), Yield = TimeSpan.FromMilliseconds(20);

    private readonly long _start;

    private RankPatience(long start) => _start = start;

    /// <summary>A wait that begins now.</summary>
    public static RankPatience Begin() => new(Stopwatch.GetTimestamp());

    /// <summary>How long it has lasted.</summary>
    public TimeSpan Waited => Stopwatch.GetElapsedTime(_start);

    /// <summary>Pauses, after the group has said whether waiting is of any use.</summary>
    /// <exception cref="TeamException">Another process failed or was lost.</exception>
    public void Pause(IRankGroup group)
    {
        TimeSpan waited = Waited;
        if (waited < Spin)
            return;
        group.WhileWaiting?.Invoke();
        if (waited < Yield)
            Thread.Yield();
        else
            Thread.Sleep(1);
    }
}
