using System.Globalization;
using System.Text;
using BoostingTicket.Training;
using BoostingTicket.Training.Files;

namespace BoostingTicket.Runs.Experiments.Speed;

/// <summary>Points of trainings as comma-separated lines, a header before them: what an experiment writes of its own trainings,
/// and reads of those that other programs did.</summary>
internal static class CourseFile
{
    /// <summary>The first line.</summary>
    public const string Header =
        "model,arm,seed,epoch,processor_seconds,wall_seconds,clean,robust,test_samples";

    private const int Fields = 9, LongestName = 100;
    private const long LargestFile = 16 << 20;

    /// <summary>The text of a file, lines ending in line feeds.</summary>
    /// <param name="points">Points of trainings whose names have no commas and no quotes.</param>
    public static string Write(IEnumerable<CoursePoint> points)
    {
        ArgumentNullException.ThrowIfNull(points);
        var text = new StringBuilder(Header).Append('\n');
        foreach (CoursePoint point in points)
            text.Append(
                CultureInfo.InvariantCulture,
                $"{point.Model},{point.Arm},{point.Seed},{point.Epoch},{point.Seconds.Processor},{point.Seconds.Wall},"
                + $"{point.Clean},{point.Robust},{point.Samples}\n");
        return text.ToString();
    }

    /// <summary>The points of all files of a folder, in the order of their names.</summary>
    /// <param name="folder">The folder; one that is not there has none.</param>
    /// <param name="leaveOut">Told, in a sentence or two, of each file that cannot be used, which is left out then; null to
    /// refuse it.</param>
    /// <exception cref="ConfigurationException">The folder or a file cannot be read, or two files have the same
    /// training.</exception>
    /// <exception cref="DamagedFileException">A file has something else in it.</exception>
    public static IReadOnlyList<CoursePoint> ReadAll(string folder, Action<string>? leaveOut = null)
    {
        string[] paths = [];
        var owners = new Dictionary<(string, string, ulong), string>();
        var points = new List<CoursePoint>();
        Try(() => paths = List(folder));
        foreach (string path in paths)
            Try(() => Add(path));
        return points;

        void Add(string path)
        {
            IReadOnlyList<CoursePoint> read = Read(path);
            foreach (CoursePoint point in read)
            {
                if (owners.TryGetValue(Training(point), out string? owner))
                    throw new ConfigurationException(string.Create(
                        CultureInfo.InvariantCulture,
                        $"The training {point.Model}, {point.Arm}, seed {point.Seed} is in two files, {owner} and {path}; take "
                        + $"one of them out of the folder, or name the arm of one differently."));
            }

            foreach (CoursePoint point in read)
                owners[Training(point)] = path;
            points.AddRange(read);
        }

        void Try(Action read)
        {
            try
            {
                read();
            }
            catch (BoostingTicketException error) when (leaveOut is not null)
            {
                leaveOut($"{error.Message} The result goes without it; repeat the command afterwards.");
            }
        }
    }

    private static string[] List(string folder)
    {
        try
        {
            return Directory.Exists(folder) ? [.. Directory.GetFiles(folder, "*.csv").Order(StringComparer.Ordinal)] : [];
        }
        catch (Exception error) when (StorageErrors.IsStorage(error))
        {
            throw StorageErrors.CannotRead(folder, error);
        }
    }

    private static (string Model, string Arm, ulong Seed) Training(CoursePoint point) => (point.Model, point.Arm, point.Seed);

    /// <summary>The points of a file.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="ConfigurationException">It cannot be read.</exception>
    /// <exception cref="DamagedFileException">It has something else in it: another header, a field that is no possible value,
    /// epochs that are not 1, 2, 3 … in order, or times that fall.</exception>
    public static IReadOnlyList<CoursePoint> Read(string path)
    {
        if (new FileInfo(path) is { Exists: true, Length: > LargestFile })
            throw Damaged(path, 1, "the file is larger than any table of epochs");
        string[] lines = StoredFiles.ReadText(path).Replace("\r\n", "\n", StringComparison.Ordinal).Split('\n');
        if (lines[0] != Header)
            throw Damaged(path, 1, $"the header is not '{Header}'");
        var points = new List<CoursePoint>();
        var last = new Dictionary<(string, string, ulong), CoursePoint>();
        for (int i = 1; i < lines.Length; i++)
        {
            if (lines[i].Length == 0)
                continue;
            CoursePoint point = Parse(path, i + 1, lines[i]);
            last.TryGetValue(Training(point), out CoursePoint? before);
            if (point.Epoch != (before?.Epoch ?? 0) + 1)
                throw Damaged(path, i + 1, FormattableString.Invariant(
                    $"epoch {point.Epoch} comes after epoch {before?.Epoch ?? 0} of its training"));
            if (before is not null && (point.Seconds.Processor < before.Seconds.Processor
                || point.Seconds.Wall < before.Seconds.Wall))
                throw Damaged(path, i + 1, "a time is less than that of the epoch before");
            last[Training(point)] = point;
            points.Add(point);
        }

        return points;
    }

    private static CoursePoint Parse(string path, int line, string text)
    {
        string[] fields = text.Split(',');
        if (fields.Length != Fields || text.Contains('"', StringComparison.Ordinal))
            throw Damaged(path, line, FormattableString.Invariant($"it does not have {Fields} fields without quotes"));
        string[] names = Header.Split(',');
        foreach (int field in (int[])[0, 1])
        {
            if (fields[field].Trim().Length == 0 || fields[field].Length > LongestName
                || PlainText.Escape(fields[field]) != fields[field])
                throw Wrong(field, "a short name");
        }
        return new CoursePoint(
            fields[0], fields[1],
            ulong.TryParse(fields[2], NumberStyles.None, CultureInfo.InvariantCulture, out ulong seed)
                ? seed : throw Wrong(2, "a whole number"),
            Count(3), new ElapsedSeconds(Time(4), Time(5)), Share(6), Share(7), Count(8));

        int Count(int field) => int.TryParse(fields[field], NumberStyles.None, CultureInfo.InvariantCulture, out int value)
            && value >= 1 ? value : throw Wrong(field, "a whole number from 1 on");

        double Time(int field) => Number(field) is { } value && value > 0 && StoredValues.IsAmount(value)
            ? value : throw Wrong(field, "a number of seconds above 0");

        double Share(int field) => Number(field) is { } value && StoredValues.IsShare(value)
            ? value : throw Wrong(field, "a share from 0 to 1");

        double? Number(int field) =>
            double.TryParse(fields[field], NumberStyles.Float, CultureInfo.InvariantCulture, out double value) ? value : null;

        DamagedFileException Wrong(int field, string expected) =>
            Damaged(path, line, $"{names[field]} is '{PlainText.Name(fields[field])}', not {expected}");
    }

    private static DamagedFileException Damaged(string path, int line, string what) => new(FormattableString.Invariant(
        $"The table of epochs {path} cannot be read: in line {line}, {what}; write it again, or take it out of its folder."));
}
