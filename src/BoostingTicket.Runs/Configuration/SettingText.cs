using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using BoostingTicket.Training;
using BoostingTicket.Training.Optimization;

namespace BoostingTicket.Runs.Configuration;

/// <summary>Turns what people write for a setting, as an option or in a file, into its JSON value.</summary>
internal static class SettingText
{
    /// <summary>Word for the absence of an optional setting, and for an empty list.</summary>
    public const string None = "none";

    /// <summary>The value of a text.</summary>
    /// <param name="setting">A single setting.</param>
    /// <param name="text">What was written; lists with commas between items.</param>
    /// <param name="where">What to call the setting in errors: as of <see cref="Setting.Named"/>, or <c>dense.epochs in
    /// FILE</c>.</param>
    /// <exception cref="ConfigurationException">The text is no value of the setting.</exception>
    public static JsonNode FromText(SettingNode setting, string text, string where)
    {
        if (setting.ItemType is not { } item)
            return Scalar(setting.Type, text, where);
        var list = new JsonArray();
        if (text != None)
        {
            foreach (string part in text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
                list.Add(Scalar(item, part, where));
        }

        return list;
    }

    /// <summary>The value of what a file says.</summary>
    /// <param name="setting">A single setting.</param>
    /// <param name="value">A JSON value; a text is read as that of an option.</param>
    /// <param name="where">What to call the setting in errors.</param>
    /// <exception cref="ConfigurationException">The value does not fit the setting.</exception>
    public static JsonNode? FromJson(SettingNode setting, JsonNode? value, string where)
    {
        switch (value?.GetValueKind() ?? JsonValueKind.Null)
        {
            case JsonValueKind.Null:
                return setting.OptionalPath == setting.Path
                    ? null
                    : throw new ConfigurationException($"{where} is null; give {Expected(setting.Type)} or leave the line out.");
            case JsonValueKind.String:
                return FromText(setting, value!.GetValue<string>(), where);
            case JsonValueKind.Array when setting.ItemType is { } item:
                return new JsonArray([.. value!.AsArray().Select(entry => (JsonNode?)Scalar(item, TextOf(entry), where))]);
            default:
                return FromText(setting, TextOf(value), where);
        }
    }

    /// <summary>The value of a setting in a configuration, as it would be typed.</summary>
    /// <param name="configuration">The configuration as JSON.</param>
    /// <param name="path">Path of the setting.</param>
    public static string Of(JsonNode configuration, string path)
    {
        JsonNode? node = configuration;
        foreach (string name in path.Split('.'))
            node = node is JsonObject group ? group[name] : null;
        return node switch
        {
            null => None,
            JsonArray { Count: 0 } => None,
            JsonArray list => string.Join(",", list.Select(item => item?.ToString())),
            JsonValue value when value.GetValueKind() == JsonValueKind.Number && value.TryGetValue(out double number) =>
                Fraction.Text(number),
            _ => node.ToString(),
        };
    }

    /// <summary>What a setting takes, for help: <c>N</c>, <c>X</c>, <c>a|b</c>, …</summary>
    public static string Hint(SettingNode setting) =>
        Hint(setting.ItemType ?? setting.Type) + (setting.ItemType is null ? "" : ",…");

    private static string Hint(Type type) =>
        type.IsEnum ? string.Join('|', SettingNames.All(type))
        : type == typeof(bool) ? "true|false"
        : type == typeof(int) || type == typeof(ulong) ? "N"
        : type == typeof(double) ? "X"
        : type == typeof(StepLength) ? "LENGTH"
        : "NAME";

    private static string TextOf(JsonNode? value) => value?.GetValueKind() == JsonValueKind.String
        ? value.GetValue<string>()
        : value?.ToJsonString() ?? "null";

    private static JsonValue Scalar(Type type, string text, string where)
    {
        if (type == typeof(string))
            return text.Length > 0 ? JsonValue.Create(text) : throw Wrong(type, text, where);
        if (type.IsEnum)
        {
            object value = SettingNames.Parse(type, text, where);
            return JsonValue.Create(SettingNames.All(type)[Array.IndexOf(Enum.GetValues(type), value)]);
        }

        if (type == typeof(StepLength))
            return JsonValue.Create(StepLength.Parse(text, where).ToString());
        if (type == typeof(bool))
        {
            return text.ToLowerInvariant() switch
            {
                "true" or "on" or "yes" => JsonValue.Create(true),
                "false" or "off" or "no" => JsonValue.Create(false),
                _ => throw Wrong(type, text, where),
            };
        }

        if (type == typeof(int)
            && int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int number))
            return JsonValue.Create(number);
        if (type == typeof(ulong) && ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out ulong large))
            return JsonValue.Create(large);
        if (type == typeof(double) && Fraction.TryParse(text, out double real))
            return JsonValue.Create(real);
        throw Wrong(type, text, where);
    }

    private static ConfigurationException Wrong(Type type, string text, string where) =>
        new($"{where} is '{text}'; give {Expected(type)}.");

    private static string Expected(Type type) =>
        type == typeof(int) ? "a whole number"
        : type == typeof(ulong) ? "a whole number that is not negative"
        : type == typeof(double) ? "a number such as 0.1, 2e-4 or 8/255"
        : type == typeof(bool) ? "true or false"
        : type == typeof(StepLength) ? "a length such as 2ep, 800it or 5%"
        : type.IsEnum ? $"one of {string.Join(", ", SettingNames.All(type))}"
        : type == typeof(string) ? "a name"
        : "a value";
}
