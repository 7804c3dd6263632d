using System.Globalization;
using BoostingTicket.Training;

namespace BoostingTicket.Runs.Configuration;

/// <summary>Which weights of its donor's training a ticket starts from (<see cref="PruningSettings.Reset"/>).</summary>
/// <param name="Epoch">Epoch of the donor's training after which they are taken; 0 for the weights that the training began
/// from; null for those at its end, which pruning then keeps as they are.</param>
internal readonly record struct ResetPoint(int? Epoch)
{
    /// <summary>The weights that the donor's training began from (Frankle and Carbin, 2019).</summary>
    public const string Initial = "initial";

    /// <summary>No reset: the donor's last weights.</summary>
    public const string None = "none";

    /// <summary>Whether the weights are those that the donor's training began from.</summary>
    public bool IsInitial => Epoch == 0;

    /// <summary>Reads what people write: <c>initial</c>, <c>none</c> or a number of epochs.</summary>
    /// <param name="text">The text.</param>
    /// <exception cref="ConfigurationException">It is none of them.</exception>
    public static ResetPoint Parse(string text)
    {
        return text switch
        {
            Initial => new ResetPoint(0),
            None => new ResetPoint(null),
            _ when int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int epoch) && epoch >= 1 =>
                new ResetPoint(epoch),
            _ => throw new ConfigurationException(
                $"{Setting.Named("pruning.reset")} is '{text}'; give {Initial}, {None}, or an epoch of the donor's training such "
                + "as 2."),
        };
    }
}
