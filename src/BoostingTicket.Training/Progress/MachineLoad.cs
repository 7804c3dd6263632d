using System.Diagnostics;
using System.Globalization;
using System.Text;
using BoostingTicket.Training.Files;

namespace BoostingTicket.Training.Progress;

/// <summary>What processors did up to an instant.</summary>
/// <param name="Own">Seconds that this process used; of several that compute together, their sum.</param>
/// <param name="All">Seconds that all processes used, those of other virtual machines on the same hardware included; null where
/// the system does not say, and of several processes, which may be on several machines.</param>
/// <param name="Processors">Processors of which <see cref="All"/> tells: those of the machine, not those that this process may
/// use.</param>
/// <param name="Timestamp">The instant, of <see cref="Stopwatch"/>.</param>
internal readonly record struct MachineLoad(double Own, double? All, int Processors, long Timestamp)
{
    // Processors that others use from which on, and idle ones up to which, times say little.
    private const double Disturbing = 0.2;

    // Units of /proc/stat a second, on every Linux of today.
    private const double UnitsPerSecond = 100;

    /// <summary>Now. Takes some microseconds.</summary>
    public static MachineLoad Now()
    {
        (double? all, int processors) = OfAll();
        return new(Environment.CpuUsage.TotalTime.TotalSeconds, all, processors, Stopwatch.GetTimestamp());
    }

    /// <summary>What happened since an earlier instant.</summary>
    /// <param name="earlier">The instant.</param>
    /// <param name="steps">Steps done since.</param>
    /// <param name="operations">Floating-point operations done since.</param>
    public TrainingWork Since(MachineLoad earlier, long steps, double operations)
    {
        double own = Math.Max(Own - earlier.Own, 0);
        double wall = Stopwatch.GetElapsedTime(earlier.Timestamp, Timestamp).TotalSeconds;
        double? others = All - earlier.All - own;
        // Where processors were idle, nobody waited.
        double? disturbed = others is not { } seconds ? null
            : seconds > Disturbing * wall && seconds + own > (Processors - Disturbing) * wall ? wall : 0;
        return new TrainingWork(steps, operations, own, wall, disturbed);
    }

    /// <summary>Reads <c>/proc/stat</c>: seconds that all processors were busy, null where it does not say, and how many
    /// processors it lists.</summary>
    internal static (double? Seconds, int Processors) Read(TextReader stat)
    {
        // Of all processors, and then of each.
        string[][] lines =
        [
            .. Lines(stat).TakeWhile(line => line.StartsWith("cpu", StringComparison.Ordinal))
                .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)),
        ];
        // user, nice, system, idle, iowait, irq, softirq, steal; guests are counted among users.
        if (lines is not [["cpu", _, _, _, _, _, _, _, _, ..] all, .., _])
            return (null, 0);
        double units = 0;
        foreach (int field in (int[])[1, 2, 3, 6, 7, 8])
        {
            if (!double.TryParse(all[field], NumberStyles.None, CultureInfo.InvariantCulture, out double value))
                return (null, 0);
            units += value;
        }
        return (units / UnitsPerSecond, lines.Length - 1);
    }

    private static IEnumerable<string> Lines(TextReader reader)
    {
        while (reader.ReadLine() is { } line)
            yield return line;
    }

    private static (double? Seconds, int Processors) OfAll()
    {
        if (!OperatingSystem.IsLinux())
            return (null, 0);
        try
        {
            using var reader = new StreamReader("/proc/stat", Encoding.ASCII);
            return Read(reader);
        }
        catch (Exception error) when (StorageErrors.IsStorage(error))
        {
            return (null, 0);
        }
    }
}
