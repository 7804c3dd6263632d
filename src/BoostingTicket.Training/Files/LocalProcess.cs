using System.Globalization;
using System.Text;

namespace BoostingTicket.Training.Files;

/// <summary>Tells processes of this machine that have ended from those that run, by marks that outlive them in files and
/// names.</summary>
internal static class LocalProcess
{
    /// <summary>What tells this start of the machine, and its set of processes, from others; empty where that is not
    /// known. Equal names of machines are no proof: containers share them, and a machine is started again.</summary>
    public static string Machine { get; } = FindMachine();

    /// <summary>When a process of this machine started, in the system's own units; null if it runs no more, or where that is not
    /// known.</summary>
    /// <param name="process">Its number.</param>
    public static string? StartOf(int process)
    {
        try
        {
            // The 22nd field of the line, of which the second, the name in brackets, may hold anything.
            string line = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{process}/stat"), Encoding.Latin1);
            string[] fields = line[(line.LastIndexOf(')') + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
            // A process that has ended, but whose parent has not asked, holds nothing.
            return fields[0] is "Z" or "X" ? null : fields[19];
        }
        catch (Exception error) when (StorageErrors.IsStorage(error) || error is IndexOutOfRangeException)
        {
            return null;
        }
    }

    /// <summary>Whether a process is known to have ended: it ran on this machine, and is no more.</summary>
    /// <param name="machine">Its <see cref="Machine"/>.</param>
    /// <param name="process">Its number.</param>
    /// <param name="started">When it started.</param>
    public static bool HasEnded(string machine, int process, string started) =>
        Machine.Length > 0 && machine == Machine && StartOf(process) != started;

    private static string FindMachine()
    {
        try
        {
            string boot = File.ReadAllText("/proc/sys/kernel/random/boot_id", Encoding.ASCII).Trim();
            return new FileInfo("/proc/self/ns/pid").LinkTarget is { } processes ? $"{boot} {processes}" : "";
        }
        catch (Exception error) when (StorageErrors.IsStorage(error))
        {
            return "";
        }
    }
}
