using System.Runtime.InteropServices;

namespace BoostingTicket.Cli.Signals;

/// <summary>What a signal means that comes after the first.</summary>
internal static class SecondSignal
{
    /// <summary>Ctrl-C twice within this time is one that was delivered twice, by a terminal and by <c>timeout</c> for
    /// example.</summary>
    public static readonly TimeSpan SamePress = TimeSpan.FromMilliseconds(250);

    /// <summary>Terminations within this time belong together: Slurm sends two within 4 ms at a job's time limit.</summary>
    public static readonly TimeSpan SameRequest = TimeSpan.FromSeconds(2);

    /// <summary>Whether it stops the process at once, saved or not.</summary>
    /// <param name="signal">The signal.</param>
    /// <param name="since">Time since the first one.</param>
    public static bool StopsAtOnce(PosixSignal signal, TimeSpan since) => signal switch
    {
        PosixSignal.SIGINT => since >= SamePress,
        PosixSignal.SIGTERM => since >= SameRequest,
        _ => false,
    };
}
