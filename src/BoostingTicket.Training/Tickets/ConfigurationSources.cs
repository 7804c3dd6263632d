using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Nodes;
using BoostingTicket.Training.Files;

namespace BoostingTicket.Training.Tickets;

/// <summary>Where a configuration comes from: the command line over a file over a preset.</summary>
/// <param name="Preset">Preset that the command line names; null for the file's, or <see cref="Presets.Default"/>.</param>
/// <param name="File">JSON file with settings; null for none. Comments and trailing commas are allowed.</param>
/// <param name="Options">Options of the command line with their values.</param>
public sealed record ConfigurationSources(
    string? Preset, string? File, IReadOnlyList<(ConfigurationOption Option, string Value)> Options)
{
    /// <summary>The configuration that results, checked.</summary>
    /// <exception cref="ConfigurationException">A layer names what does not exist, or a value is out of range.</exception>
    public RunConfiguration Compose()
    {
        JsonObject? file = File is null ? null : ReadFile(File);
        var draft = new ConfigurationDraft(Presets.Find(Preset ?? PresetOf(file, File) ?? Presets.Default).Configuration);
        if (file is not null)
        {
            // What the file was made for is known by now, and the command line may have named another.
            file.Remove("preset");
            FileSurroundings.Take(file, File!);
            draft.Overlay(file, File!);
        }

        foreach ((ConfigurationOption option, string value) in InOrder(Options))
            option.Apply(draft, value);
        RunConfiguration configuration = draft.Build();
        configuration.Validate();
        return configuration;
    }

    /// <summary>What a file says besides settings.</summary>
    /// <param name="file">The file.</param>
    /// <exception cref="ConfigurationException">It cannot be read, or a value in it cannot be used.</exception>
    public static FileSurroundings ReadSurroundings(string file) => FileSurroundings.Take(ReadFile(file), file);

    /// <summary>Options in the order in which they are applied: that of <see cref="ConfigurationOptions.All"/>, by their
    /// names.</summary>
    public static IEnumerable<(ConfigurationOption Option, string Value)> InOrder(IEnumerable<(ConfigurationOption Option, string Value)> options)
    {
        var order = ConfigurationOptions.All.Select((option, index) => (option.Name, index)).ToDictionary(entry => entry.Name, entry => entry.index);
        return options.OrderBy(entry => order[entry.Option.Name]);
    }

    private static string? PresetOf(JsonObject? file, string? name)
    {
        if (file is null || !file.TryGetPropertyValue("preset", out JsonNode? preset))
            return null;
        return preset?.GetValueKind() == JsonValueKind.String
            ? preset.GetValue<string>()
            : throw new ConfigurationException($"preset in {name} is no text; choose one of: {string.Join(", ", Presets.Names)}.");
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

    private static JsonObject ReadFile(string path)
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
                ?? throw new ConfigurationException($"The configuration file {path} holds no JSON object; write settings between {{ and }}.");
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
            throw new ConfigurationException($"The configuration file {path} is no valid JSON{place}; correct it there.", error);
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
