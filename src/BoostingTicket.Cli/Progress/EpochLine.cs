using System.Globalization;
using System.Text;
using BoostingTicket.Training.Progress;

namespace BoostingTicket.Cli.Progress;

/// <summary>An epoch in one line.</summary>
internal static class EpochLine
{
    /// <summary>Such as <c>epoch 3/10  loss 1.204  train 58.1 %  val 66.0 %  robust 49.5 %  2.1 s</c>.</summary>
    public static string Of(EpochRecord epoch, int totalEpochs)
    {
        int digits = totalEpochs.ToString(CultureInfo.InvariantCulture).Length;
        string number = epoch.Epoch.ToString(CultureInfo.InvariantCulture).PadLeft(digits);
        var line = new StringBuilder();
        line.Append(
            CultureInfo.InvariantCulture,
            $"epoch {number}/{totalEpochs}  loss {epoch.TrainLoss:F4}  train {Percent(epoch.TrainAccuracy)}  val "
            + $"{Percent(epoch.ValidationClean)}");
        if (epoch.ValidationRobust is { } robust)
            line.Append(CultureInfo.InvariantCulture, $"  robust {Percent(robust)}");
        double seconds = epoch.Times.Training + epoch.Times.Evaluate;
        return line.Append(CultureInfo.InvariantCulture, $"  rate {epoch.LearningRate:0.#####}  {seconds:F1} s").ToString();
    }

    private static string Percent(double share) => (100 * share).ToString("F1", CultureInfo.InvariantCulture).PadLeft(5) + " %";
}
