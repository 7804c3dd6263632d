using System.Globalization;
using System.Text;
using BoostingTicket.Runs.Reporting.Figures;
using BoostingTicket.Training;
using BoostingTicket.Training.Progress;

namespace BoostingTicket.Runs.Experiments.Reports;

/// <summary>An experiment as tables for spreadsheets and scripts: comma-separated, point for decimals, an empty field for what
/// there is not, lines ending in line feeds.</summary>
internal static class ExperimentCsv
{
    /// <summary>The paper's values, ours, differences.</summary>
    public static string Rows(ExperimentResult result)
    {
        var text = new StringBuilder("item,measure,unit,paper,source,mean,deviation,seeds,difference\n");
        foreach (ComparedRow row in result.Rows)
        {
            text.Append(
                CultureInfo.InvariantCulture,
                $"{Quote(row.Item)},{Quote(row.Measure)},{QuantityText.Of(row.Unit)},{row.Paper?.Value},"
                + $"{PlainText.Csv(row.Paper?.Source)},");
            text.Append(
                CultureInfo.InvariantCulture,
                $"{row.Ours.Mean},{(row.Ours.Count > 1 ? row.Ours.Deviation : null)},{row.Ours.Count},{row.Difference}\n");
        }
        return text.ToString();
    }

    /// <summary>Every point of every curve.</summary>
    public static string Points(FigureData figure)
    {
        var text = new StringBuilder("panel,series,x,mean,deviation\n");
        foreach (FigurePanel panel in figure.Panels)
        {
            foreach (FigureSeries series in panel.Series)
            {
                foreach (FigurePoint point in series.Points)
                    text.Append(CultureInfo.InvariantCulture,
                        $"{Quote(panel.Title)},{Quote(series.Name)},{point.X},{point.Y},{point.Deviation}\n");
            }
        }
        return text.ToString();
    }

    /// <summary>Tickets with their weight distances.</summary>
    public static string Tickets(ExperimentResult result)
    {
        var text = new StringBuilder(
            "training,seed,sparsity,distance_start_to_donor,distance_trained_to_donor,distance_trained_to_dense\n");
        foreach (TicketRow row in result.Tickets)
            text.Append(CultureInfo.InvariantCulture,
                $"{Quote(row.Training)},{row.Seed},{row.Sparsity},{row.StartDistance},{row.DonorDistance},{row.DenseDistance}\n");
        return text.ToString();
    }

    /// <summary>Every epoch of every training.</summary>
    public static string Metrics(ExperimentResult result)
    {
        var text = new StringBuilder(
            "training,seed,folder,epoch,learning_rate,train_loss,train_accuracy,validation_clean,validation_robust,"
            + "data_seconds,attack_seconds,train_seconds,evaluate_seconds\n");
        foreach (TrainingRow row in result.Trainings)
        {
            foreach (EpochRecord epoch in row.Record.History)
            {
                PhaseTimes times = epoch.Times;
                text.Append(CultureInfo.InvariantCulture,
                    $"{Quote(row.Training)},{row.Seed},{Quote(row.Folder)},{epoch.Epoch},{epoch.LearningRate},"
                    + $"{epoch.TrainLoss},");
                text.Append(
                    CultureInfo.InvariantCulture, $"{epoch.TrainAccuracy},{epoch.ValidationClean},{epoch.ValidationRobust},");
                text.Append(
                    CultureInfo.InvariantCulture, $"{times.Data:F4},{times.Attack:F4},{times.Train:F4},{times.Evaluate:F4}\n");
            }
        }
        return text.ToString();
    }

    private static string Quote(string value) => PlainText.Csv(value);
}
