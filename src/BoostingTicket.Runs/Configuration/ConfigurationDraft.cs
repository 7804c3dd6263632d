using System.Text.Json;
using System.Text.Json.Nodes;
using BoostingTicket.Training;

namespace BoostingTicket.Runs.Configuration;

/// <summary>A configuration while its layers are being laid over one another: preset, then file, then options.</summary>
internal sealed class ConfigurationDraft
{
    private readonly JsonObject _root;

    /// <summary>Starts from a whole configuration.</summary>
    public ConfigurationDraft(RunConfiguration start) =>
        _root = JsonSerializer.SerializeToNode(start, RunJson.Compact)!.AsObject();

    /// <summary>What is configured so far. Ranges are not checked.</summary>
    public RunConfiguration Build() => _root.Deserialize<RunConfiguration>(RunJson.Compact)!;

    /// <summary>Lays a file's settings over what there is; groups are merged, single settings and lists replaced.</summary>
    /// <param name="settings">The file's object.</param>
    /// <param name="file">Its name, for errors.</param>
    /// <exception cref="ConfigurationException">It names a setting that does not exist, or gives one a wrong value.</exception>
    public void Overlay(JsonObject settings, string file) => Overlay(_root, settings, ConfigurationSchema.Root, file);

    /// <summary>Gives one setting a value that is spelled as text; <c>none</c> removes an optional one.</summary>
    /// <param name="path">Such as <c>donor.learningRate</c>.</param>
    /// <param name="text">The value.</param>
    /// <param name="where">What to call the setting in errors.</param>
    /// <exception cref="ConfigurationException">The text is no value of the setting.</exception>
    public void Set(string path, string text, string where)
    {
        SettingNode setting = ConfigurationSchema.Leaf(path);
        if (text == SettingText.None && setting.OptionalPath is { } optional)
            Put(optional, null);
        else
            Put(path, SettingText.FromText(setting, text, where));
    }

    private void Put(string path, JsonNode? value)
    {
        string[] names = path.Split('.');
        JsonObject group = _root;
        foreach (string name in names[..^1])
        {
            if (group[name] is not JsonObject inner)
            {
                // To remove a setting of a group that is not there leaves the group absent.
                if (value is null)
                    return;
                group[name] = inner = [];
            }
            group = inner;
        }

        group[names[^1]] = value;
    }

    private static void Overlay(JsonObject target, JsonObject source, SettingNode group, string file)
    {
        foreach ((string name, JsonNode? value) in source)
        {
            string path = group.Path.Length == 0 ? name : $"{group.Path}.{name}";
            SettingNode? setting = group.Children.FirstOrDefault(child => child.Name == name);
            if (setting is null)
            {
                string suggestion = NearestName.Find(name, group.Children.Select(child => child.Name).Concat(
                    group.Path.Length == 0 ? MachineSettings.Names : [])) is { } nearest
                    ? $"did you mean '{(group.Path.Length == 0 ? "" : group.Path + ".")}{nearest}'?"
                    : $"choose one of: {string.Join(", ", group.Children.Select(child => child.Name))}.";
                throw new ConfigurationException($"The configuration file {file} has an unknown setting '{path}'; {suggestion}");
            }

            if (setting.IsLeaf)
            {
                target[name] = SettingText.FromJson(setting, value, $"{path} in {file}");
                continue;
            }

            switch (value)
            {
                case null when setting.OptionalPath == setting.Path:
                    target[name] = null;
                    break;
                case JsonObject settings:
                    if (target[name] is not JsonObject inner)
                        target[name] = inner = [];
                    Overlay(inner, settings, setting, file);
                    break;
                default:
                    throw new ConfigurationException(
                        $"{path} in {file} is {value?.ToJsonString() ?? "null"}; give an object with settings such as "
                        + $"'{setting.Children[0].Name}'.");
            }
        }
    }
}
