using System.Globalization;
using BoostingTicket.Runs.Experiments.Nodes;
using BoostingTicket.Runs.Reporting;

namespace BoostingTicket.Runs.Experiments;

/// <summary>Unit of a quantity.</summary>
internal enum QuantityUnit
{
    /// <summary>Percent.</summary>
    Percent,

    /// <summary>Seconds.</summary>
    Seconds,

    /// <summary>Epochs.</summary>
    Epochs,

    /// <summary>A ratio of two quantities of the same unit.</summary>
    Ratio,
}

/// <summary>A number that an experiment measures once a seed.</summary>
/// <param name="Unit">Unit.</param>
/// <param name="Nodes">What must be done for it, seed by seed.</param>
/// <param name="Read">Its value for a seed, by the seed's number from 0 on.</param>
internal sealed record Quantity(
    QuantityUnit Unit, IReadOnlyList<IReadOnlyList<ExperimentNode>> Nodes, Func<ExperimentStore, int, double> Read)
{
    /// <summary>Its values over all seeds.</summary>
    public Spread Measure(ExperimentStore store) =>
        Spread.Of([.. Enumerable.Range(0, Nodes.Count).Select(seed => Read(store, seed))]);
}

/// <summary>How quantities are written.</summary>
internal static class QuantityText
{
    /// <summary>The unit's sign.</summary>
    public static string Of(QuantityUnit unit) => unit switch
    {
        QuantityUnit.Percent => "%",
        QuantityUnit.Seconds => "s",
        QuantityUnit.Epochs => "epochs",
        _ => "",
    };

    /// <summary>Numeric format.</summary>
    public static string Format(QuantityUnit unit) => unit switch
    {
        QuantityUnit.Seconds => "N1",
        QuantityUnit.Epochs => "0.#",
        _ => "F2",
    };

    /// <summary>A difference with its sign.</summary>
    public static string Signed(double value, QuantityUnit unit)
    {
        string text = Math.Abs(value).ToString(Format(unit), CultureInfo.InvariantCulture);
        return value < 0 ? $"−{text}" : $"+{text}";
    }
}
