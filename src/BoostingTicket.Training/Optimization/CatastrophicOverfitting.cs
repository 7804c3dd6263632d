using System.Globalization;
using BoostingTicket.Training.Progress;

namespace BoostingTicket.Training.Optimization;

/// <summary>Recognises catastrophic overfitting (Wong et al., 2020): the network learns the training attack by heart and loses its
/// robustness to any other within an epoch or two.</summary>
public static class CatastrophicOverfitting
{
    /// <summary>Fall of the probe's robust accuracy from its best that counts, as in Wong et al.'s code.</summary>
    public const double Fall = 0.2;

    /// <summary>What to warn of after the last epoch of a history: the probe's robust accuracy is more than <see cref="Fall"/> below its
    /// best, and accuracy under the training attack is higher than it was then.</summary>
    /// <param name="history">Epochs of one adversarial training, at least one.</param>
    /// <returns>A sentence; null where there is nothing to warn of.</returns>
    public static string? Warning(IReadOnlyList<EpochRecord> history)
    {
        ArgumentNullException.ThrowIfNull(history);
        EpochRecord last = history[^1];
        EpochRecord? best = history.SkipLast(1).Where(epoch => epoch.ValidationRobust is not null)
            .MaxBy(epoch => epoch.ValidationRobust);
        if (best is null || !(last.ValidationRobust < best.ValidationRobust - Fall && last.TrainAccuracy > best.TrainAccuracy))
            return null;
        return string.Create(
            CultureInfo.InvariantCulture,
            $"catastrophic overfitting in epoch {last.Epoch}: robust accuracy on validation samples fell from "
            + $"{best.ValidationRobust:P1} (epoch {best.Epoch}) to {last.ValidationRobust:P1}, while accuracy under the training attack rose "
            + $"from {best.TrainAccuracy:P1} to {last.TrainAccuracy:P1}.");
    }
}
