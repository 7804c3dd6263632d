using System.Globalization;
using System.Text.Json.Serialization;
using BoostingTicket.Engine.Graph;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Training.Models;

namespace BoostingTicket.Training.Checkpoints;

/// <summary>Where the tensors of a file come from: the model, enough to build it again, and the run. Kept as text in a file's
/// metadata under keys that begin with <see cref="Prefix"/>.</summary>
internal sealed record ModelFileMetadata
{
    /// <summary>How the keys begin.</summary>
    public const string Prefix = "boosting-ticket.";

    /// <summary>Longest <see cref="Settings"/> that are read; those of a run have about 3,000 characters.</summary>
    public const int LongestSettings = 1 << 16;

    /// <summary>The key of the <see cref="FileKind"/>.</summary>
    public const string KindKey = Prefix + "kind";

    private const string ChannelsKey = "channels";
    private const string SettingsKey = "settings";
    private const string FormatKey = Prefix + "format";
    private const int Format = 1;

    /// <summary>Name of the model.</summary>
    public required string Model { get; init; }

    /// <summary>Shape of its images.</summary>
    public required FeatureShape Input { get; init; }

    /// <summary>Its classes.</summary>
    public required int Classes { get; init; }

    /// <summary>What its first layer normalises images by; null for none.</summary>
    public InputNormalizationConstants? Normalization { get; init; }

    /// <summary>Channels of each of the model's groups, for a network that is narrower than it; else null.</summary>
    public IReadOnlyList<int>? Channels { get; init; }

    /// <summary>Preset of the run; null if it had none.</summary>
    public string? Preset { get; init; }

    /// <summary>Seed of the run.</summary>
    public ulong? Seed { get; init; }

    /// <summary>Hash of the run's configuration.</summary>
    public string? ConfigurationHash { get; init; }

    /// <summary>Ratio that was asked for in pruning, in [0, 1); null where nothing was pruned.</summary>
    public double? PruningRatio { get; init; }

    /// <summary>Name of the pruner.</summary>
    public string? PruningScope { get; init; }

    /// <summary>Every setting that the tensors come from, as compact JSON of at most <see cref="LongestSettings"/> characters;
    /// null where the file does not say. Not checked here: whoever uses it reads it as a configuration file is read.</summary>
    [JsonIgnore]
    public string? Settings { get; init; }

    /// <summary>What a graph says about itself; the rest is for the run to add.</summary>
    /// <param name="graph">The model.</param>
    /// <param name="normalization">What it was built to normalise images by.</param>
    public static ModelFileMetadata Of(NetworkGraph graph, InputNormalizationConstants? normalization = null)
    {
        ArgumentNullException.ThrowIfNull(graph);
        return new ModelFileMetadata
        {
            Model = graph.Name,
            Input = graph.Input.Shape,
            Classes = graph.Classes,
            Normalization = normalization,
            Channels = graph.Channels,
        };
    }

    /// <summary>The network that a file describes, with as many channels as it says.</summary>
    /// <param name="graph">The model of the file, whole.</param>
    /// <param name="path">What messages call the file.</param>
    /// <exception cref="DamagedFileException">The model cannot have so many channels.</exception>
    public NetworkGraph Narrow(NetworkGraph graph, string path)
    {
        ArgumentNullException.ThrowIfNull(graph);
        if (Channels is null || graph.Name != Model)
            return graph;
        try
        {
            return graph.Narrow(Channels);
        }
        catch (ArgumentException error)
        {
            throw new DamagedFileException(
                $"{path} gives numbers of channels that {Model} cannot have ({error.Message.TrimEnd('.')}); restore it from a "
                + $"copy "
                + "or give another file.", error);
        }
    }

    /// <summary>Makes sure that the model is for certain images and classes.</summary>
    /// <param name="path">What messages call the file.</param>
    /// <param name="input">Shape of the images.</param>
    /// <param name="classes">Number of the classes.</param>
    /// <exception cref="ConfigurationException">It is for others.</exception>
    public void RequireFits(string path, FeatureShape input, int classes)
    {
        if (Input != input || Classes != classes)
        {
            throw new ConfigurationException(
                $"{path} is for {Classes} classes of images of {Input}, but {classes} classes of images of {input} are asked "
                + $"for; "
                + $"choose the data set that it was made with ({Setting.Named("data.name")}), or give another file.");
        }
    }

    /// <summary>The metadata of a file of some kind.</summary>
    public IEnumerable<KeyValuePair<string, string>> ToPairs(FileKind kind)
    {
        (string Key, string? Value)[] pairs =
        [
            ("kind", NameOf(kind)),
            ("format", Format.ToString(CultureInfo.InvariantCulture)),
            ("model", Model),
            ("input", string.Create(CultureInfo.InvariantCulture, $"{Input.Channels}x{Input.Height}x{Input.Width}")),
            ("classes", Classes.ToString(CultureInfo.InvariantCulture)),
            ("normalization.mean", Normalization is null ? null : Join(Normalization.Mean)),
            ("normalization.deviation", Normalization is null ? null : Join(Normalization.Deviation)),
            (ChannelsKey, Channels is null ? null : string.Join(',', Channels)),
            ("preset", Preset),
            ("seed", Seed?.ToString(CultureInfo.InvariantCulture)),
            ("configuration", ConfigurationHash),
            ("pruning.ratio", PruningRatio?.ToString("R", CultureInfo.InvariantCulture)),
            ("pruning.scope", PruningScope),
            (SettingsKey, Settings),
        ];
        return pairs.Where(pair => pair.Value is not null).Select(pair => KeyValuePair.Create(Prefix + pair.Key, pair.Value!));
    }

    /// <summary>The kind that a file's metadata names; <see cref="FileKind.Other"/> for a file of somebody else.</summary>
    /// <exception cref="ConfigurationException">The file was written by a later version.</exception>
    public static FileKind KindOf(IReadOnlyDictionary<string, string> pairs, string path)
    {
        ArgumentNullException.ThrowIfNull(pairs);
        if (!pairs.TryGetValue(KindKey, out string? kind))
            return FileKind.Other;
        if (pairs.TryGetValue(FormatKey, out string? format)
            && int.TryParse(format, CultureInfo.InvariantCulture, out int number) && number > Format)
            throw new ConfigurationException(
                $"{path} was written by a later version of the program (format {number}); update the program.");
        return Enum.GetValues<FileKind>().FirstOrDefault(known => NameOf(known) == kind);
    }

    /// <summary>Reads a file's metadata back; null if they are not this project's.</summary>
    /// <param name="pairs">The pairs.</param>
    /// <param name="path">What messages call the file.</param>
    /// <exception cref="DamagedFileException">A value is not what it must be.</exception>
    public static ModelFileMetadata? FromPairs(IReadOnlyDictionary<string, string> pairs, string path)
    {
        ArgumentNullException.ThrowIfNull(pairs);
        if (!pairs.ContainsKey(KindKey) || !pairs.TryGetValue(Prefix + "model", out string? model))
            return null;
        var reader = new PairReader(pairs, path);
        int classes = reader.Parse("classes", text => int.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture)) ?? 0;
        double? ratio = reader.Parse("pruning.ratio", text => double.Parse(text, CultureInfo.InvariantCulture));
        return new ModelFileMetadata
        {
            Model = model,
            Input = reader.Shape("input"),
            Classes = classes >= 2 ? classes : throw reader.Wrong("classes"),
            Normalization = reader.Normalization(),
            Channels = reader.Channels(ChannelsKey),
            Preset = reader.Text("preset"),
            Seed = reader.Parse("seed", text => ulong.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture)),
            ConfigurationHash = reader.Text("configuration"),
            PruningRatio = ratio is null or (>= 0 and <= 1) ? ratio : throw reader.Wrong("pruning.ratio"),
            PruningScope = reader.Text("pruning.scope"),
            Settings = reader.Text(SettingsKey) is { Length: > LongestSettings } settings
                ? throw new DamagedFileException($"{path} is damaged: its metadata give {settings.Length} characters of "
                    + "settings; restore it from a copy or make it again.")
                : reader.Text(SettingsKey),
        };
    }

    /// <summary>A kind as metadata and messages spell it.</summary>
    internal static string NameOf(FileKind kind) => kind.ToString().ToLowerInvariant();

    private static string Join(IEnumerable<float> values) =>
        string.Join(',', values.Select(value => value.ToString("R", CultureInfo.InvariantCulture)));

    private readonly record struct PairReader(IReadOnlyDictionary<string, string> Pairs, string Path)
    {
        public string? Text(string key) => Pairs.GetValueOrDefault(Prefix + key);

        public T? Parse<T>(string key, Func<string, T> parse) where T : struct
        {
            if (Text(key) is not { } text)
                return null;
            try
            {
                return parse(text);
            }
            catch (Exception error) when (error is FormatException or OverflowException)
            {
                throw Wrong(key);
            }
        }

        public FeatureShape Shape(string key)
        {
            const int LargestSize = 1 << 16;
            int[]? sizes = Numbers(key, 'x', text => int.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture));
            return sizes is [>= 1 and <= LargestSize, >= 1 and <= LargestSize, >= 1 and <= LargestSize]
                && (long)sizes[0] * sizes[1] * sizes[2] <= int.MaxValue
                ? new FeatureShape(sizes[0], sizes[1], sizes[2])
                : throw Wrong(key);
        }

        // How many groups there are, and how wide, the model says.
        public int[]? Channels(string key) =>
            Numbers(key, ',', text => int.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture));

        public InputNormalizationConstants? Normalization()
        {
            const string Mean = "normalization.mean", Deviation = "normalization.deviation";
            float[]? mean = Numbers(Mean, ',', text => float.Parse(text, CultureInfo.InvariantCulture));
            float[]? deviation = Numbers(Deviation, ',', text => float.Parse(text, CultureInfo.InvariantCulture));
            if (mean is null && deviation is null)
                return null;
            try
            {
                var constants = new InputNormalizationConstants(mean ?? throw Wrong(Mean), deviation ?? throw Wrong(Deviation));
                return constants.AreForUnitPixels ? constants : throw new DamagedFileException(
                    $"{Path} records a normalisation that is not for images in [0, 1], mean {Join(mean)} and deviation "
                    + $"{Join(deviation)}; import the original again, with constants divided by "
                    + $"255.");
            }
            catch (ArgumentException)
            {
                throw Wrong(Deviation);
            }
        }

        public DamagedFileException Wrong(string key) => new(
            $"{Path} is damaged: its metadata give '{Text(key)}' as {Prefix}{key}; restore it from a copy or make it again.");

        private T[]? Numbers<T>(string key, char separator, Func<string, T> parse)
        {
            try
            {
                return Text(key) is { } text ? [.. text.Split(separator).Select(parse)] : null;
            }
            catch (Exception error) when (error is FormatException or OverflowException)
            {
                throw Wrong(key);
            }
        }
    }
}
