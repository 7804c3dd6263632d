using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Nodes;
using BoostingTicket.Training;
using BoostingTicket.Training.Data;
using BoostingTicket.Training.Files;

namespace BoostingTicket.Runs.Configuration;

/// <summary>A configuration, checked, and what it started from.</summary>
/// <param name="Configuration">The settings.</param>
/// <param name="Source">What they come from besides single options, in a few words.</param>
internal sealed record ComposedConfiguration(RunConfiguration Configuration, string Source);

/// <summary>Where a configuration comes from: single options over a file over what they start from. That is the preset that one
/// of them names; else the settings that weights, a ticket or a mask come from, if they are for the data set in question; else
/// the defaults of that data set.</summary>
/// <param name="Preset">Preset that an option names; null for the file's.</param>
/// <param name="File">JSON file with settings; null for none. Comments and trailing commas are allowed.</param>
/// <param name="Options">Options with their values.</param>
internal sealed record ConfigurationSources(
    string? Preset, string? File, IReadOnlyList<(ConfigurationOption Option, string Value)> Options)
{
    private const string DataSetOption = "dataset", ModelOption = "model";

    /// <summary>Where the weights, the ticket or the mask come from that the command is given; null without any.</summary>
    public FileOrigin? Origin { get; init; }

    /// <summary>The configuration that results, checked.</summary>
    /// <exception cref="ConfigurationException">A layer names what does not exist, or a value is out of range.</exception>
    public RunConfiguration Compose() => ComposeNamed().Configuration;

    /// <summary>The configuration that results, checked, and what it started from.</summary>
    /// <exception cref="ConfigurationException">A layer names what does not exist, or a value is out of range.</exception>
    public ComposedConfiguration ComposeNamed()
    {
        JsonObject? file = File is null ? null : ReadFile(File);
        (RunConfiguration start, string source) = Start(file);
        if (Origin is { Model: { } model, Normalize: { } normalize })
            start = start with { Model = model, Data = start.Data with { Normalize = normalize } };
        var draft = new ConfigurationDraft(start);
        if (file is not null)
        {
            // What the file was made for is known by now, and an option may have named another.
            file.Remove("preset");
            MachineSettings.Take(file, File!);
            draft.Overlay(file, File!);
        }

        foreach ((ConfigurationOption option, string value) in InOrder(Options))
            option.Apply(draft, value);
        RunConfiguration configuration = draft.Build();
        configuration.Validate();
        configuration = configuration with { Data = OwnData.Record(configuration.Data) };
        return new ComposedConfiguration(configuration, File is null ? source : $"{File} over {source}");
    }

    private (RunConfiguration Start, string Source) Start(JsonObject? file)
    {
        if ((Preset ?? PresetOf(file, File)) is { } preset)
            return (Presets.Find(preset).Configuration, $"preset {preset}");
        string? asked = Value(DataSetOption) ?? TextIn(file?["data"], "name");
        if (Origin?.Configuration is { } settings && (asked is null || asked == settings.Data.Name))
            return (settings, Origin.Source);
        string name = asked ?? Origin?.AssumedDataSet ?? DataSetDefaults.DataSet;
        IDataSet set = DataSetCatalog.Find(name);
        string? model = Value(ModelOption) ?? TextIn(file, "model") ?? Origin?.Model;
        string source = Origin is { AssumedDataSet: not null } && asked is null ? Origin.Source : $"defaults of {set.Name}";
        return (DataSetDefaults.Of(set, model), source);
    }

    private string? Value(string option) =>
        Options.Where(given => given.Option.Name == option).Select(given => given.Value).LastOrDefault();

    // A value of another kind is refused where the file is laid over.
    private static string? TextIn(JsonNode? group, string name) =>
        group is JsonObject settings && settings[name] is JsonValue value && value.TryGetValue(out string? text) ? text : null;

    /// <summary>What a file says besides settings.</summary>
    /// <param name="file">The file.</param>
    /// <exception cref="ConfigurationException">It cannot be read, or a value in it cannot be used.</exception>
    public static MachineSettings ReadSurroundings(string file) => MachineSettings.Take(ReadFile(file), file);

    /// <summary>Options in the order in which they are applied: that of <see cref="ConfigurationOptions.All"/>, by their
    /// names.</summary>
    public static IEnumerable<(ConfigurationOption Option, string Value)> InOrder(
        IEnumerable<(ConfigurationOption Option, string Value)> options)
    {
        var order = ConfigurationOptions.All.Select((option, index) => (option.Name, index)).ToDictionary(
            entry => entry.Name, entry => entry.index);
        return options.OrderBy(entry => order[entry.Option.Name]);
    }

    private static string? PresetOf(JsonObject? file, string? name)
    {
        if (file is null || !file.TryGetPropertyValue("preset", out JsonNode? preset))
            return null;
        return preset?.GetValueKind() == JsonValueKind.String
            ? preset.GetValue<string>()
            : throw new ConfigurationException(
                $"preset in {name} is not text; choose one of: {string.Join(", ", Presets.Names)}.");
    }

    // A pipe gives its content once, and a file is looked at for settings and for what else it says.
    private static readonly ConcurrentDictionary<string, string> Piped = new();

    private static string ReadText(string path)
    {
        if (Piped.TryGetValue(path, out string? known))
            return known;
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 1);
        using var reader = new StreamReader(file);
        string text = reader.ReadToEnd();
        if (!file.CanSeek)
            Piped[path] = text;
        return text;
    }

    /// <summary>Reads a configuration file's object.</summary>
    /// <exception cref="ConfigurationException">It cannot be read, or is no JSON object.</exception>
    internal static JsonObject ReadFile(string path)
    {
        try
        {
            var options = new JsonDocumentOptions
            {
                CommentHandling = JsonCommentHandling.Skip,
                AllowTrailingCommas = true,
                AllowDuplicateProperties = false,
            };
            JsonNode? document = JsonNode.Parse(ReadText(path), documentOptions: options);
            RequireText(document);
            return document as JsonObject
                ?? throw new ConfigurationException(
                    $"The configuration file {path} does not hold a JSON object; write settings between {{ and }}.");
        }
        catch (Exception error) when (error is InvalidOperationException or ArgumentException)
        {
            // What System.Text.Json throws for an escaped half of a surrogate pair.
            throw new ConfigurationException(
                $"The configuration file {path} holds a text that is not Unicode, or a name twice; correct it there.", error);
        }
        catch (JsonException error)
        {
            string place = error.LineNumber is { } line ? $" in line {line + 1}" : "";
            throw new ConfigurationException($"The configuration file {path} is not valid JSON{place}; correct it there.", error);
        }
        catch (Exception error) when (StorageErrors.IsStorage(error))
        {
            throw new ConfigurationException(
                $"The configuration file {path} cannot be read: {StorageErrors.Reason(error)}; name a file that exists.", error);
        }
    }

    // Names and texts are decoded when they are asked for, and only then refused; here all are asked for.
    private static void RequireText(JsonNode? node)
    {
        switch (node)
        {
            case JsonObject members:
                foreach ((string _, JsonNode? member) in members)
                    RequireText(member);
                break;
            case JsonArray items:
                foreach (JsonNode? item in items)
                    RequireText(item);
                break;
            case JsonValue value when value.GetValueKind() == JsonValueKind.String:
                value.GetValue<string>();
                break;
        }
    }
}
