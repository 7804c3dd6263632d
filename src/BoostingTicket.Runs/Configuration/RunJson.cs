using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using BoostingTicket.Training;
using BoostingTicket.Training.Files;

namespace BoostingTicket.Runs.Configuration;

/// <summary>How configurations, results and everything else of a run are written as JSON, in one place: names in camel case,
/// enumerations as their words, numbers in the shortest form that reads back as the same value.</summary>
internal static class RunJson
{
    /// <summary>The options of every JSON document of the program; indented.</summary>
    public static JsonSerializerOptions Options { get; } = Create(indented: true);

    /// <summary>The same on a single line.</summary>
    public static JsonSerializerOptions Compact { get; } = Create(indented: false);

    /// <summary>A document, indented, ending in a line feed.</summary>
    public static string Write<T>(T value) => JsonSerializer.Serialize(value, Options) + "\n";

    /// <summary>Reads what <see cref="Write"/> wrote, and believes nothing of it; see <see cref="StoredJson"/>.</summary>
    /// <param name="json">The document.</param>
    /// <param name="file">Where it came from, for the error.</param>
    /// <exception cref="DamagedFileException">It is not such a document.</exception>
    public static T Read<T>(string json, string file)
    {
        try
        {
            return StoredJson.Read<T>(json, Options);
        }
        catch (JsonException error)
        {
            throw new DamagedFileException(
                $"The file {file} is damaged ({StorageErrors.Reason(error)}); delete it and run the command that wrote it again.",
                error);
        }
    }

    /// <summary>SHA-256 of the configuration as <see cref="SettingsIdentity"/> sees it, lower-case hexadecimal: equal for equal
    /// settings, however they were given.</summary>
    public static string Hash(RunConfiguration configuration) => SettingsIdentity.Hash(configuration);

    private static JsonSerializerOptions Create(bool indented)
    {
        var options = new JsonSerializerOptions
        {
            PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
            WriteIndented = indented,
            NewLine = "\n",
            AllowTrailingCommas = true,
            ReadCommentHandling = JsonCommentHandling.Skip,
            // ε, α and × stay readable; the documents are never put inside HTML as they are.
            Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        };
        StoredJson.MakeStrict(options);
        options.Converters.Add(new NumberConverter());
        options.Converters.Add(new SettingNameConverterFactory());
        options.MakeReadOnly(populateMissingResolver: true);
        return options;
    }
}

/// <summary>Reads a number or a text such as <c>"8/255"</c>; writes a number, or the name of one that JSON has no number
/// for.</summary>
internal sealed class NumberConverter : JsonConverter<double>
{
    /// <inheritdoc/>
    public override double Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType == JsonTokenType.Number)
            return reader.GetDouble();
        string? text = reader.TokenType == JsonTokenType.String ? reader.GetString() : null;
        if (Fraction.TryParse(text, out double value))
            return value;
        return text switch
        {
            "NaN" => double.NaN,
            "Infinity" => double.PositiveInfinity,
            "-Infinity" => double.NegativeInfinity,
            _ => throw new JsonException("expected a number"),
        };
    }

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, double value, JsonSerializerOptions options)
    {
        if (double.IsFinite(value))
            writer.WriteNumberValue(value);
        else
            writer.WriteStringValue(double.IsNaN(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity");
    }
}

/// <summary>Writes enumerations as the words of <see cref="SettingNames"/>.</summary>
internal sealed class SettingNameConverterFactory : JsonConverterFactory
{
    /// <inheritdoc/>
    public override bool CanConvert(Type typeToConvert) => typeToConvert.IsEnum;

    /// <inheritdoc/>
    public override JsonConverter CreateConverter(Type typeToConvert, JsonSerializerOptions options) =>
        (JsonConverter)Activator.CreateInstance(typeof(SettingNameConverter<>).MakeGenericType(typeToConvert))!;
}

/// <summary>Writes one enumeration as its words.</summary>
/// <typeparam name="TEnum">The enumeration.</typeparam>
internal sealed class SettingNameConverter<TEnum> : JsonConverter<TEnum>
    where TEnum : struct, Enum
{
    /// <inheritdoc/>
    public override TEnum Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.TokenType == JsonTokenType.String
            ? (TEnum)SettingNames.Parse(typeof(TEnum), reader.GetString() ?? "", typeof(TEnum).Name)
            : throw new JsonException("expected a word");

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, TEnum value, JsonSerializerOptions options) =>
        writer.WriteStringValue(SettingNames.Of(value));
}
