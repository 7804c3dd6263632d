using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace BoostingTicket.Runs.Configuration;

/// <summary>The reference of all settings in Markdown, made from the tables that the program itself works with.</summary>
internal static class ConfigurationReference
{
    /// <summary>The options with what they change, then the JSON properties with the presets' values.</summary>
    /// <param name="nameOf">How the command line spells an option.</param>
    public static string Markdown(Func<ConfigurationOption, string> nameOf)
    {
        ArgumentNullException.ThrowIfNull(nameOf);
        var text = new StringBuilder();
        foreach (IGrouping<OptionGroup,
        ConfigurationOption> group in ConfigurationOptions.All.Where(option => option.Listed).GroupBy(option => option.Group))
        {
            text.Append($"### {group.Key}\n\n| option | takes | what | JSON property |\n| --- | --- | --- | --- |\n");
            foreach (ConfigurationOption option in group)
            {
                string paths = option.Paths.Count == 0 ? "–" : string.Join(", ", option.Paths.Select(path => $"`{path}`"));
                text.Append($"| `{nameOf(option)}` | {Escape(option.Hint)} | {Escape(option.Description)} | {paths} |\n");
            }

            text.Append('\n');
        }

        text.Append($"### Values of the presets\n\n| JSON property | {string.Join(" | ", Presets.Names)} |\n");
        text.Append($"| --- | {string.Join(" | ", Presets.Names.Select(_ => "---"))} |\n");
        List<JsonNode?> presets = [.. Presets.All.Select(preset => JsonSerializer.SerializeToNode(
            preset.Configuration, RunJson.Compact))];
        foreach (SettingNode leaf in ConfigurationSchema.Leaves)
            text.Append($"| `{leaf.Path}` | {string.Join(" | ", presets.Select(preset => Value(preset, leaf.Path)))} |\n");
        return text.ToString();
    }

    private static string Value(JsonNode? preset, string path)
    {
        JsonNode? value = path.Split('.').Aggregate(preset, (node, name) => node?[name]);
        if (value is JsonValue number && number.GetValueKind() == JsonValueKind.Number && number.TryGetValue(out double real))
            return Fraction.Text(real);
        return Escape((value?.ToJsonString(RunJson.Compact) ?? "null").Replace("\"", "", StringComparison.Ordinal));
    }

    private static string Escape(string value) => value.Replace("|", "\\|", StringComparison.Ordinal);
}
