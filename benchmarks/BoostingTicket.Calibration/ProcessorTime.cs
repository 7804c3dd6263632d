using System.Diagnostics;
using System.Runtime.InteropServices;

namespace BoostingTicket.Calibration;

/// <summary>A clock that stands still while other work has the processor, where the system has one.</summary>
internal static unsafe partial class ProcessorTime
{
    private const int ThreadClock = 3;

    /// <summary>Seconds that this thread has computed.</summary>
    public static double Seconds
    {
        get
        {
            if (!OperatingSystem.IsLinux())
                return Stopwatch.GetTimestamp() / (double)Stopwatch.Frequency;
            long* time = stackalloc long[2];
            return ClockGetTime(ThreadClock, time) == 0
                ? time[0] + time[1] * 1e-9
                : throw new InvalidOperationException("The system has no clock of a thread's time.");
        }
    }

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    private static partial int ClockGetTime(int clock, long* time);
}
