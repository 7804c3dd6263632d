using System.Globalization;
using System.Text;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Runs.Stages;
using BoostingTicket.Training.Progress;

namespace BoostingTicket.Runs.Reporting;

/// <summary>Every epoch of a run as one table for spreadsheets and scripts: comma-separated, point for decimals, an empty field
/// for what was not measured.</summary>
public static class MetricsCsv
{
    private const string Header =
        "seed,stage,epoch,learning_rate,train_loss,train_accuracy,validation_clean,validation_robust,"
        + "data_seconds,attack_seconds,train_seconds,evaluate_seconds";

    /// <summary>The table, lines ending in line feeds.</summary>
    public static string Write(RunResult result)
    {
        ArgumentNullException.ThrowIfNull(result);
        var text = new StringBuilder(Header).Append('\n');
        foreach (SeedResult seed in result.Seeds)
        {
            Append(text, seed.Seed, "donor", seed.Donor);
            Append(text, seed.Seed, "winning-donor", seed.WinningDonor);
            foreach (ArmResult arm in seed.Arms)
                Append(text, seed.Seed, SettingNames.Of(arm.Arm), arm.History);
        }

        return text.ToString();
    }

    private static void Append(StringBuilder text, ulong seed, string stage, IReadOnlyList<EpochRecord> history)
    {
        foreach (EpochRecord epoch in history)
        {
            text.Append(CultureInfo.InvariantCulture, $"{seed},{stage},{epoch.Epoch},{epoch.LearningRate},{epoch.TrainLoss},");
            text.Append(CultureInfo.InvariantCulture, $"{epoch.TrainAccuracy},{epoch.ValidationClean},{epoch.ValidationRobust},");
            PhaseTimes times = epoch.Times;
            text.Append(
                CultureInfo.InvariantCulture, $"{times.Data:F4},{times.Attack:F4},{times.Train:F4},{times.Evaluate:F4}\n");
        }
    }
}
