using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

namespace BoostingTicket.Training.Files;

/// <summary>
/// Names of files while they are written: <c>TARGET.MACHINE-PROCESS-START-NUMBER.tmp</c> beside the target. No two writes of
/// all processes on all machines have the same, and those of processes that were killed can be told.
/// </summary>
internal static partial class TemporaryName
{
    /// <summary>What they end in; no finished file of the program does.</summary>
    public const string Suffix = ".tmp";

    // Bytes of a name to which as much can be added as is added here, on every file system. What is longer is shortened, unless
    // no file can have that name: then the temporary file fails as the file would.
    private const int LongestName = 100, LongestFile = 255;

    private static readonly TimeSpan Forgotten = TimeSpan.FromHours(1);
    private static readonly string Machine = MarkOf($"{Environment.MachineName} {LocalProcess.Machine}", 8);
    private static readonly string Started = LocalProcess.StartOf(Environment.ProcessId) ?? "0";
    private static long _number;

    /// <summary>A name of this process for the next write of a file.</summary>
    /// <param name="target">Full path of the file.</param>
    public static string For(string target) => string.Create(
        CultureInfo.InvariantCulture,
        $"{StemOf(target)}{Machine}-{Environment.ProcessId}-{Started}-{Interlocked.Increment(ref _number)}{Suffix}");

    /// <summary>Removes what killed processes left of earlier writes of a file: of this machine's at once, of others when it was
    /// not written to for an hour. What cannot be removed is left.</summary>
    /// <param name="target">Full path of the file.</param>
    /// <param name="written">A file in its folder that was just written: ages are read by the file system's own clock.</param>
    public static void RemoveLeftOvers(string target, string written)
    {
        string stem = StemOf(target);
        try
        {
            foreach (string path in Directory.GetFiles(Path.GetDirectoryName(target)!, "*" + Suffix))
            {
                if (path.StartsWith(stem, StringComparison.Ordinal) && Mark().Match(path[stem.Length..]) is { Success: true } mark
                    && IsLeftOver(mark, path, written))
                    File.Delete(path);
            }
        }
        catch (Exception error) when (StorageErrors.IsStorage(error))
        {
            // The next write tries again.
        }
    }

    private static bool IsLeftOver(Match mark, string path, string written) =>
        mark.Groups["machine"].Value == Machine && LocalProcess.Machine.Length > 0
            ? !int.TryParse(mark.Groups["process"].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out int process)
                || LocalProcess.HasEnded(LocalProcess.Machine, process, mark.Groups["started"].Value)
            : File.GetLastWriteTimeUtc(written) - File.GetLastWriteTimeUtc(path) > Forgotten;

    private static string StemOf(string target)
    {
        string name = Path.GetFileName(target);
        string stem = Encoding.UTF8.GetByteCount(name) is > LongestName and <= LongestFile ? MarkOf(name, 32) : name;
        return Path.Combine(Path.GetDirectoryName(target) ?? "", stem) + ".";
    }

    private static string MarkOf(string text, int length) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..length];

    [GeneratedRegex(@"^(?<machine>[0-9a-f]{8})-(?<process>\d+)-(?<started>\d+)-\d+\.tmp\z")]
    private static partial Regex Mark();
}
