using System.Diagnostics;
using System.Globalization;
using System.Text;
using BoostingTicket.Training.Files;

namespace BoostingTicket.Training.Progress;

/// <summary>What processors did up to an instant.</summary>
/// <param name="Own">Seconds that this process used.</param>
/// <param name="All">Seconds that all processes used, those of other virtual machines on the same hardware included; null where
/// the system does not say.</param>
/// <param name="Timestamp">The instant, of <see cref="Stopwatch"/>.</param>
internal readonly record struct MachineLoad(double Own, double? All, long Timestamp)
{
    // Processors that others use from which on, and idle ones up to which, times say little.
    private const double Disturbing = 0.2;

    // Units of /proc/stat a second, on every Linux of today.
    private const double UnitsPerSecond = 100;

    /// <summary>Now. Takes some microseconds.</summary>
    public static MachineLoad Now() =>
        new(Environment.CpuUsage.TotalTime.TotalSeconds, SecondsOfAll(), Stopwatch.GetTimestamp());

    /// <summary>What happened since an earlier instant.</summary>
    /// <param name="earlier">The instant.</param>
    /// <param name="steps">Steps done since.</param>
    /// <param name="operations">Floating-point operations done since.</param>
    /// <param name="processors">Processors of the machine.</param>
    public TrainingWork Since(MachineLoad earlier, long steps, double operations, int processors)
    {
        double own = Math.Max(Own - earlier.Own, 0);
        double wall = Stopwatch.GetElapsedTime(earlier.Timestamp, Timestamp).TotalSeconds;
        double? others = All - earlier.All - own;
        // Where processors were idle, nobody waited.
        double? disturbed = others is not { } seconds ? null
            : seconds > Disturbing * wall && seconds + own > (processors - Disturbing) * wall ? wall : 0;
        return new TrainingWork(steps, operations, own, wall, disturbed);
    }

    // user, nice, system, idle, iowait, irq, softirq, steal; guests are counted among users.
    private static double? SecondsOfAll()
    {
        if (!OperatingSystem.IsLinux())
            return null;
        try
        {
            using var reader = new StreamReader("/proc/stat", Encoding.ASCII);
            string[] fields = reader.ReadLine()!.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            return ((int[])[1, 2, 3, 6, 7, 8]).Sum(field => double.Parse(fields[field], CultureInfo.InvariantCulture))
                / UnitsPerSecond;
        }
        catch (Exception error) when (
            StorageErrors.IsStorage(error) || error is FormatException or IndexOutOfRangeException or NullReferenceException)
        {
            return null;
        }
    }
}
