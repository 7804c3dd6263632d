namespace BoostingTicket.Training.Data;

/// <summary>What became of a published file on this machine.</summary>
internal enum DataFileState
{
    /// <summary>It has the published checksum.</summary>
    Intact,

    /// <summary>It has another checksum than the published one.</summary>
    Changed,

    /// <summary>It is there in a form for which no checksum is known.</summary>
    Unknown,

    /// <summary>It is not there.</summary>
    Missing,
}

/// <summary>The state of one file.</summary>
/// <param name="Path">Where it is, or where it was looked for.</param>
/// <param name="State">Its state.</param>
internal readonly record struct DataFileReport(string Path, DataFileState State);

/// <summary>Compares the files of a data set with their published checksums.</summary>
internal static class DataVerifier
{
    /// <summary>The state of every file of a set, in the form or forms in which it is there.</summary>
    /// <param name="set">The data set; a generated one has no files.</param>
    /// <param name="root">The data folder.</param>
    /// <exception cref="DataException">A file cannot be read.</exception>
    public static IReadOnlyList<DataFileReport> Verify(IDataSet set, string root)
    {
        ArgumentNullException.ThrowIfNull(set);
        return [.. set.Files.SelectMany(file => Verify(file, root))];
    }

    /// <summary>Makes sure that all files of a set are there and none is changed.</summary>
    /// <param name="set">The data set.</param>
    /// <param name="root">The data folder.</param>
    /// <exception cref="DataException">A file is missing or changed.</exception>
    public static void Require(IDataSet set, string root)
    {
        foreach (DataFileReport report in Verify(set, root))
        {
            if (report.State == DataFileState.Missing)
                throw MissingData.Error(set.Name, [report.Path]);
            if (report.State == DataFileState.Changed)
                throw new DataException(
                    $"{report.Path} does not have the published checksum; run 'data fetch {set.Name}' to download it again.");
        }
    }

    /// <summary>Whether a published file is there, packed or unpacked, and intact.</summary>
    internal static bool IsIntact(PublishedFile file, string root) =>
        Verify(file, root).All(report => report.State == DataFileState.Intact);

    private static IEnumerable<DataFileReport> Verify(PublishedFile file, string root)
    {
        string packed = DataRoot.PathOf(root, file.Path);
        bool packedExists = File.Exists(packed);
        if (packedExists)
            yield return Report(packed, file.Checksum);
        bool anyMember = file.Members.Any(member => File.Exists(DataRoot.PathOf(root, member.Path)));
        if (anyMember)
        {
            foreach (PublishedMember member in file.Members)
                yield return Report(DataRoot.PathOf(root, member.Path), member.Checksum);
        }

        if (packedExists || anyMember)
            yield break;
        string unpacked = Path.ChangeExtension(packed, null);
        bool unknown = file.Members.Count == 0 && File.Exists(unpacked);
        yield return unknown
            ? new DataFileReport(unpacked, DataFileState.Unknown)
            : new DataFileReport(packed, DataFileState.Missing);
    }

    private static DataFileReport Report(string path, FileChecksum checksum) => new(
        path,
        !File.Exists(path) ? DataFileState.Missing : checksum.MatchesFile(path) ? DataFileState.Intact : DataFileState.Changed);
}
