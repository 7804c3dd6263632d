using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace BoostingTicket.Training.Optimization;

/// <summary>Unit of a <see cref="StepLength"/>.</summary>
public enum StepUnit
{
    /// <summary>Epochs.</summary>
    Epochs,

    /// <summary>Iterations, that is batches.</summary>
    Iterations,

    /// <summary>Percent of the training's iterations.</summary>
    Percent,
}

/// <summary>A length of training: <c>2ep</c>, <c>800it</c> or <c>5%</c>. Ends the confusion of epochs and iterations.</summary>
/// <param name="Value">Amount, not negative.</param>
/// <param name="Unit">Unit.</param>
[JsonConverter(typeof(StepLengthConverter))]
public readonly record struct StepLength(double Value, StepUnit Unit)
{
    /// <summary>Parses <c>2ep</c>, <c>800it</c> or <c>5%</c>.</summary>
    /// <param name="text">What was written.</param>
    /// <param name="where">What errors call the setting.</param>
    /// <exception cref="ConfigurationException">The text is not a length.</exception>
    public static StepLength Parse(string text, string where)
    {
        ArgumentNullException.ThrowIfNull(text);
        (string suffix, StepUnit unit)[] units =
            [("ep", StepUnit.Epochs), ("it", StepUnit.Iterations), ("%", StepUnit.Percent)];
        foreach ((string suffix, StepUnit unit) in units)
        {
            if (text.EndsWith(suffix, StringComparison.Ordinal)
                && double.TryParse(text[..^suffix.Length], NumberStyles.Float, CultureInfo.InvariantCulture, out double value)
                && double.IsFinite(value) && value >= 0)
                return new StepLength(value, unit);
        }
        throw new ConfigurationException(
            $"{where} is \"{text}\", which is not a length; write epochs (2ep), iterations (800it) or a share (5%).");
    }

    /// <summary>The length in iterations, rounded to the nearest.</summary>
    /// <param name="iterationsPerEpoch">Batches of an epoch.</param>
    /// <param name="totalIterations">Batches of the whole training.</param>
    internal long ToIterations(int iterationsPerEpoch, long totalIterations) => (long)Math.Round(Unit switch
    {
        StepUnit.Epochs => Value * iterationsPerEpoch,
        StepUnit.Iterations => Value,
        _ => Value / 100 * totalIterations,
    });

    /// <inheritdoc/>
    public override string ToString() => Value.ToString(CultureInfo.InvariantCulture) + Unit switch
    {
        StepUnit.Epochs => "ep",
        StepUnit.Iterations => "it",
        _ => "%",
    };
}

/// <summary>Writes a <see cref="StepLength"/> as its text.</summary>
internal sealed class StepLengthConverter : JsonConverter<StepLength>
{
    /// <inheritdoc/>
    public override StepLength Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        StepLength.Parse(reader.GetString() ?? "", "a length in the configuration");

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, StepLength value, JsonSerializerOptions options)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.WriteStringValue(value.ToString());
    }
}
