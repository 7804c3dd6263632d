namespace BoostingTicket.Training.Files;

/// <summary>Checks that stored records share.</summary>
internal static class StoredValues
{
    /// <summary>Whether a number is a share: from 0 to 1.</summary>
    public static bool IsShare(double value) => value is >= 0 and <= 1;

    /// <summary>Whether a number is an amount: finite and not negative.</summary>
    public static bool IsAmount(double value) => value >= 0 && double.IsFinite(value);

    /// <summary>The name of the first member that is not right; null if all are.</summary>
    public static string? First(params ReadOnlySpan<(string Name, bool IsRight)> members)
    {
        foreach ((string name, bool isRight) in members)
        {
            if (!isRight)
                return name;
        }

        return null;
    }
}
