using System.Collections.Concurrent;

namespace BoostingTicket.Training.Data.Own;

/// <summary>Data sets of one's own, by path. Each is read once a process, unless it changes.</summary>
public static class OwnDataSets
{
    private static readonly ConcurrentDictionary<string, (string Stamp, OwnDataSet Set)> Known = new(StringComparer.Ordinal);

    /// <summary>What reads image files; null where no program gave one.</summary>
    public static IImageDecoder? Decoder { get; set; }

    /// <summary>Whether a name is a path: it has a separator or ends in <c>.npz</c>, or there is such a file or folder.</summary>
    /// <param name="name">What was given as the name of a data set.</param>
    internal static bool IsPath(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return name.Contains('/', StringComparison.Ordinal) || name.Contains('\\', StringComparison.Ordinal)
            || name.EndsWith(".npz", StringComparison.OrdinalIgnoreCase) || Directory.Exists(name) || File.Exists(name);
    }

    /// <summary>The data set of a path; it need not exist.</summary>
    /// <param name="path">The path.</param>
    internal static OwnDataSet Find(string path)
    {
        string stamp = Stamp(path);
        return Known.AddOrUpdate(
            Path.GetFullPath(path) + "\0" + path, _ => (stamp, new OwnDataSet(path)),
            (_, known) => known.Stamp == stamp ? known : (stamp, new OwnDataSet(path))).Set;
    }

    // When and how large: enough to notice that somebody changed it while the process lives.
    private static string Stamp(string path)
    {
        try
        {
            FileInfo[] files = Directory.Exists(path)
                ? new DirectoryInfo(path).GetFiles("*", SearchOption.AllDirectories)
                : [new FileInfo(path)];
            long bytes = 0, ticks = 0;
            foreach (FileInfo file in files.Where(file => file.Exists))
            {
                bytes += file.Length;
                ticks = Math.Max(ticks, file.LastWriteTimeUtc.Ticks);
            }

            return FormattableString.Invariant($"{files.Length} {bytes} {ticks}");
        }
        catch (Exception error) when (Files.StorageErrors.IsStorage(error))
        {
            // Whoever reads it says what is wrong.
            return "";
        }
    }
}
