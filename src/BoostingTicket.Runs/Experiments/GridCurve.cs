using BoostingTicket.Runs.Experiments.Nodes;
using BoostingTicket.Runs.Reporting;
using BoostingTicket.Runs.Reporting.Figures;
using BoostingTicket.Training.Progress;

namespace BoostingTicket.Runs.Experiments;

/// <summary>A curve whose points are measured when the experiment is done.</summary>
/// <param name="name">Its name in the legend.</param>
/// <param name="style">How it is drawn.</param>
/// <param name="measure">Its points.</param>
internal sealed class GridCurve(string name, FigureStyle style, Func<ExperimentStore, IReadOnlyList<FigurePoint>> measure)
{
    /// <summary>The curve with its points.</summary>
    public FigureSeries Measure(ExperimentStore store) => new(name, measure(store), style);

    /// <summary>A quantity at several places.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="style">Its style.</param>
    /// <param name="points">Place and quantity.</param>
    public static GridCurve Over(string name, FigureStyle style, IEnumerable<(double X, Quantity Y)> points)
    {
        List<(double X, Quantity Y)> kept = [.. points];
        return new GridCurve(
            name, style, store => [.. kept.Select(point => Point(point.X, point.Y.Measure(store))).DistinctBy(point => point.X)]);
    }

    /// <summary>A value of every epoch of trainings, in percent.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="style">Its style.</param>
    /// <param name="trainings">One training a seed.</param>
    /// <param name="value">The value, in [0, 1]; null for an epoch in which it was not measured.</param>
    /// <param name="from">Share of the training before which nothing is shown, in [0, 1).</param>
    public static GridCurve ByEpoch(
        string name, FigureStyle style, IEnumerable<TrainingNode> trainings, Func<EpochRecord, double?> value, double from = 0)
    {
        List<TrainingNode> kept = [.. trainings];
        return new GridCurve(name, style, store =>
        {
            List<TrainingRecord> records = [.. kept.Select(training => training.Read(store))];
            int first = (int)Math.Ceiling(from * kept[0].Settings.Epochs);
            // Early stopping may end seeds after different numbers of epochs: a mean over fewer seeds would jump.
            int last = records.Min(record => record.History.Count);
            return
            [
                .. from epoch in Enumerable.Range(1, last)
                   where epoch >= first
                   let values = records.Select(record => value(record.History[epoch - 1])).OfType<double>().ToList()
                   where values.Count == records.Count
                   select Point(epoch, Spread.Of([.. values.Select(each => 100 * each)])),
            ];
        });
    }

    private static FigurePoint Point(double x, Spread y) => new(x, y.Mean, y.Count > 1 ? y.Deviation : null);
}
