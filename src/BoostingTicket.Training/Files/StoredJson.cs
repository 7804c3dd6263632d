using System.Collections;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace BoostingTicket.Training.Files;

/// <summary>Reads back objects that the program wrote as JSON, and believes nothing: no member missing, none twice, no null where
/// none can be (nor inside a list), no number that the object cannot have (<see cref="IStoredRecord"/>).</summary>
internal static class StoredJson
{
    /// <summary>Options of objects that files carry in their metadata: names as in the code.</summary>
    public static JsonSerializerOptions Embedded { get; } = CreateEmbedded();

    /// <summary>Makes options refuse what <see cref="Read"/> refuses as far as the serialiser can.</summary>
    public static void MakeStrict(JsonSerializerOptions options)
    {
        options.AllowDuplicateProperties = false;
        options.RespectNullableAnnotations = true;
        options.RespectRequiredConstructorParameters = true;
    }

    /// <summary>Reads a document.</summary>
    /// <typeparam name="T">What it must be.</typeparam>
    /// <param name="json">The document.</param>
    /// <param name="options">Read-only options that <see cref="MakeStrict"/> has seen.</param>
    /// <exception cref="JsonException">It is not that, or holds what that cannot be. No other error comes from it.</exception>
    public static T Read<T>(string json, JsonSerializerOptions options)
    {
        T value;
        try
        {
            value = JsonSerializer.Deserialize<T>(json, options) ?? throw new JsonException("it holds nothing");
        }
        catch (Exception error) when (error is InvalidOperationException or NotSupportedException or ArgumentException
            or FormatException or OverflowException or ConfigurationException)
        {
            // Halves of surrogate pairs, and values that a type refuses.
            throw new JsonException(error.Message, error);
        }

        Check(value, options.GetTypeInfo(value.GetType()), options, "$");
        return value;
    }

    private static void Check(object value, JsonTypeInfo info, JsonSerializerOptions options, string path)
    {
        switch (info.Kind)
        {
            case JsonTypeInfoKind.Dictionary:
                foreach (DictionaryEntry entry in (IDictionary)value)
                    CheckItem(entry.Value, info, options, $"{path}.{entry.Key}");
                break;
            case JsonTypeInfoKind.Enumerable:
                int index = 0;
                foreach (object? item in (IEnumerable)value)
                    CheckItem(item, info, options, $"{path}[{index++}]");
                break;
            case JsonTypeInfoKind.Object:
                if ((value as IStoredRecord)?.WrongMember() is { } wrong)
                    throw new JsonException($"{Camel(path)} has no possible {wrong}");
                foreach (JsonPropertyInfo property in info.Properties)
                {
                    // What is computed is no part of the document.
                    if (property.Get is not { } get || (property.Set is null && property.AssociatedParameter is null))
                        continue;
                    if (get(value) is { } member && options.GetTypeInfo(
                        member.GetType()) is { Kind: not JsonTypeInfoKind.None } own)
                        Check(member, own, options, $"{path}.{property.Name}");
                }

                break;
        }
    }

    private static void CheckItem(object? item, JsonTypeInfo list, JsonSerializerOptions options, string path)
    {
        if (item is null)
        {
            if (list.ElementType is { } type && Nullable.GetUnderlyingType(type) is not null)
                return;
            throw new JsonException($"{path} is null");
        }

        JsonTypeInfo own = options.GetTypeInfo(item.GetType());
        if (own.Kind != JsonTypeInfoKind.None)
            Check(item, own, options, path);
    }

    private static string Camel(string path) => path == "$" ? "it" : path;

    private static JsonSerializerOptions CreateEmbedded()
    {
        var options = new JsonSerializerOptions();
        MakeStrict(options);
        options.MakeReadOnly(populateMissingResolver: true);
        return options;
    }
}
