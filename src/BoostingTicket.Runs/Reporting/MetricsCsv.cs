using System.Globalization;
using System.Text;
using BoostingTicket.Runs.Stages;
using BoostingTicket.Training.Progress;

namespace BoostingTicket.Runs.Reporting;

/// <summary>Every epoch of a run as one table for spreadsheets and scripts: comma-separated, point for decimals, an empty field
/// for what was not measured.</summary>
internal static class MetricsCsv
{
    private const string Header =
        "seed,stage,epoch,learning_rate,train_loss,train_accuracy,validation_clean,validation_robust,"
        + "data_seconds,attack_seconds,train_seconds,evaluate_seconds";

    /// <summary>The header, with its line feed.</summary>
    public static string HeaderLine => Header + "\n";

    /// <summary>The table, lines ending in line feeds.</summary>
    public static string Write(RunResult result) => Write(StageHistory.Of(result));

    /// <summary>The table of trainings, finished or not.</summary>
    public static string Write(IEnumerable<StageHistory> histories)
    {
        ArgumentNullException.ThrowIfNull(histories);
        return HeaderLine + string.Concat(histories.SelectMany(
            history => history.Epochs.Select(epoch => Line(history.Seed, history.Name, epoch))));
    }

    /// <summary>The line of an epoch, with its line feed.</summary>
    public static string Line(ulong seed, string stage, EpochRecord epoch)
    {
        ArgumentNullException.ThrowIfNull(epoch);
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"{seed},{stage},{epoch.Epoch},{epoch.LearningRate},{epoch.TrainLoss},");
        text.Append(CultureInfo.InvariantCulture, $"{epoch.TrainAccuracy},{epoch.ValidationClean},{epoch.ValidationRobust},");
        PhaseTimes times = epoch.Times;
        text.Append(
            CultureInfo.InvariantCulture, $"{times.Data:F4},{times.Attack:F4},{times.Train:F4},{times.Evaluate:F4}\n");
        return text.ToString();
    }
}
