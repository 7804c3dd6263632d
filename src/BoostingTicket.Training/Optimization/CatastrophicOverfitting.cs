using System.Globalization;
using BoostingTicket.Training.Progress;

namespace BoostingTicket.Training.Optimization;

/// <summary>Recognises catastrophic overfitting (Wong et al., 2020): the network learns the training attack by heart and loses
/// its robustness to any other within an epoch or two, or never gains any.</summary>
/// <remarks>
/// Two rules, since a network that was never robust cannot fall. The first compares the probe with its past. The second compares
/// it with the training attack of the same epoch: what the probe leaves is less than <see cref="Remainder"/> of what the training
/// attack promises, which is the smaller of accuracy under it and clean validation accuracy. Clean accuracy is in it because
/// memorised training samples, which robust overfitting (Rice et al., 2020) leaves after PGD, promise nothing for others: there
/// validation accuracy, clean and robust, is low together. Of the epochs in which the probe was more than <see cref="Fall"/>
/// below the promise, those of FGSM at ε = 0.35 (LeNet, MNIST) kept 0.01 to 0.20 of it, and those of TRADES and FGSM-RS at ε =
/// 0.3 and of PGD at 0.1 on 200 images until it knew them by heart 0.40 or more; PGD, FGSM-RS, free, YOPO and N-FGSM elsewhere
/// (LeNet; a narrow ResNet-18 on CIFAR-10) had no such epoch.
/// </remarks>
internal static class CatastrophicOverfitting
{
    /// <summary>Fall of the probe's robust accuracy from its best that counts, as in Wong et al.'s code; also how far the probe
    /// has to be below what the training attack promises.</summary>
    public const double Fall = 0.2;

    /// <summary>Share of what the training attack promises below which the probe's robust accuracy contradicts it.</summary>
    public const double Remainder = 0.25;

    private const string Beginning = "catastrophic overfitting in epoch ";

    /// <summary>Whether a sentence is one of <see cref="Warning"/>.</summary>
    public static bool IsWarning(string sentence)
    {
        ArgumentNullException.ThrowIfNull(sentence);
        return sentence.StartsWith(Beginning, StringComparison.Ordinal);
    }

    /// <summary>What to warn of after the last epoch of a history: the probe's robust accuracy is more than <see cref="Fall"/>
    /// below its best, and accuracy under the training attack is higher than it was then; or it is next to nothing of what the
    /// training attack of the same epoch promises.</summary>
    /// <param name="history">Epochs of one adversarial training, at least one.</param>
    /// <returns>A sentence; null where there is nothing to warn of.</returns>
    public static string? Warning(IReadOnlyList<EpochRecord> history)
    {
        ArgumentNullException.ThrowIfNull(history);
        EpochRecord last = history[^1];
        if (last.ValidationRobust is not { } robust)
            return null;
        EpochRecord? best = history.SkipLast(1).Where(epoch => epoch.ValidationRobust is not null)
            .MaxBy(epoch => epoch.ValidationRobust);
        if (best is not null && robust < best.ValidationRobust - Fall && last.TrainAccuracy > best.TrainAccuracy)
            return string.Create(
                CultureInfo.InvariantCulture,
                $"{Beginning}{last.Epoch}: robust accuracy on validation samples fell from "
                + $"{best.ValidationRobust:P1} (epoch {best.Epoch}) to {robust:P1}, while accuracy under the training attack "
                + $"rose from {best.TrainAccuracy:P1} to {last.TrainAccuracy:P1}.");
        double promised = Math.Min(last.TrainAccuracy, last.ValidationClean);
        if (robust >= Remainder * promised || robust >= promised - Fall)
            return null;
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{Beginning}{last.Epoch}: accuracy under the training attack is {last.TrainAccuracy:P1} and clean accuracy on "
            + $"validation samples {last.ValidationClean:P1}, but under the probe's attack only {robust:P1} are left; the "
            + $"network resists the training attack and no other.");
    }
}
