using System.Globalization;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Runs.Reporting.TensorBoard;
using BoostingTicket.Runs.Stages;
using BoostingTicket.Training;
using BoostingTicket.Training.Evaluation;
using BoostingTicket.Training.Progress;

namespace BoostingTicket.Runs.Reporting.Watching;

/// <summary>What of a run is shown while it goes.</summary>
/// <param name="CommandLine">Command that reports name.</param>
/// <param name="Continue">Command that continues the run.</param>
/// <param name="TensorBoard">Folder for TensorBoard's event files; null for none.</param>
internal sealed record WatchOptions(string CommandLine, string Continue, string? TensorBoard);

/// <summary>Lets people look at a run while it goes: adds to <c>metrics.csv</c> and TensorBoard's event files as epochs end, and
/// writes <c>report.html</c> anew. A file that cannot be written is warned of once and tried again at the next epoch; the run
/// goes on.</summary>
/// <param name="options">What is shown, and where.</param>
internal sealed class RunWatch(WatchOptions options) : IRunWatch
{
    private readonly HashSet<string> _refused = [];
    private WatchedRun? _run;
    private RunRecord? _record;
    private MetricsFile? _metrics;
    private LiveReport? _report;
    private EventFolder? _events;
    private string _doing = "about to begin";

    /// <summary>Seconds between two reports at least; 0 for one at every occasion.</summary>
    internal double LeastSeconds { get; init; } = 1;

    private WatchedRun Run => _run ?? throw new InvalidOperationException("the run has not begun");

    private RunRecord Record => _record ?? throw new InvalidOperationException("the run has not begun");

    /// <inheritdoc/>
    public void Begin(WatchedRun run)
    {
        ArgumentNullException.ThrowIfNull(run);
        _run = run;
        _record = new RunRecord(run);
        _metrics = new MetricsFile(run.Folder.Metrics);
        _report = new LiveReport(run.Folder, LeastSeconds);
        _events = options.TensorBoard is { } folder ? new EventFolder(folder) : null;
    }

    /// <inheritdoc/>
    public void TrainingStarted(WatchedTraining training, IReadOnlyList<EpochRecord> history)
    {
        ArgumentNullException.ThrowIfNull(training);
        ArgumentNullException.ThrowIfNull(history);
        Record.Add(training.Seed, training.Name, history);
        Try("metrics", () => _metrics!.Hold(Record.Trainings));
        Try("events", () => _events?.Start(training, history));
        Doing(training, history.Count);
    }

    /// <inheritdoc/>
    public void EpochDone(WatchedTraining training, EpochRecord epoch)
    {
        ArgumentNullException.ThrowIfNull(training);
        ArgumentNullException.ThrowIfNull(epoch);
        Record.Add(training.Seed, training.Name, [epoch]);
        Try("metrics", () => _metrics!.Add(
            MetricsCsv.Line(training.Seed, training.Name, epoch), Record.Trainings));
        Try("events", () => _events?.Add(training, epoch));
        Doing(training, epoch.Epoch);
    }

    /// <inheritdoc/>
    public void DonorDone(WatchedDonor donor)
    {
        ArgumentNullException.ThrowIfNull(donor);
        Record.Take(donor);
    }

    /// <inheritdoc/>
    public void ArmDone(ulong seed, string stage, ArmResult result, AdversarialExamples? examples)
    {
        ArgumentNullException.ThrowIfNull(result);
        Record.Take(seed, stage, result);
        Try("events", () => _events?.Finish(
            seed, stage, result, examples ?? EventFolder.Kept(Run.Folder.Examples(seed, stage))));
        _doing = string.Create(CultureInfo.InvariantCulture, $"seed {seed} · {stage} is done");
        WriteReport(always: false);
    }

    /// <inheritdoc/>
    public void SeedDone(SeedResult result)
    {
        ArgumentNullException.ThrowIfNull(result);
        Record.Take(result);
        foreach (ArmResult arm in result.Arms)
        {
            string stage = SettingNames.Of(arm.Arm);
            Try("events", () => _events?.Finish(
                result.Seed, stage, arm, EventFolder.Kept(Run.Folder.Examples(result.Seed, stage))));
        }
    }

    /// <inheritdoc/>
    public void Ended(Exception error)
    {
        ArgumentNullException.ThrowIfNull(error);
        string when = Clock();
        string text = error is OperationCanceledException
            ? $"Interrupted and saved at {when}, while {_doing}. This page stays as it is until the run goes on: "
                + $"{options.Continue}"
            : $"Ended by an error at {when}, while {_doing}: {error.Message.ReplaceLineEndings(" ")} This page stays as it is.";
        Try("report", () => _report!.Write(() => Content(new ReportStatus(text, null)), always: true));
        Try("events", () => _events?.Close());
    }

    private void Doing(WatchedTraining training, int epochs)
    {
        string next = epochs < training.Epochs
            ? string.Create(CultureInfo.InvariantCulture, $"epoch {epochs + 1} of {training.Epochs}")
            : "its last epoch is done";
        _doing = string.Create(
            CultureInfo.InvariantCulture,
            $"seed {training.Seed} · {training.Stage} ({SettingNames.Of(training.Method)}), {next}");
        WriteReport(always: false);
    }

    private void WriteReport(bool always) => Try("report", () => _report!.Write(() =>
    {
        string left = Run.SecondsLeft() is { } seconds ? $", about {LiveReport.Left(seconds)} left of the whole run" : "";
        return Content(new ReportStatus(
            string.Create(
                CultureInfo.InvariantCulture,
                $"The run goes on: {_doing}{left}. Written at {Clock()}; this page loads itself again every "
                + $"{LiveReport.Reload} s."),
            LiveReport.Reload));
    }, always));

    private ReportContent Content(ReportStatus status)
    {
        RunResult result = Record.Result;
        ReportContent content = Run.Single is { } arm
            ? ReportContent.OfTraining(result, arm, Record.Trainings, options.CommandLine, null)
            : new ReportContent(result, Record.Trainings, options.CommandLine, null);
        return content with { Status = status };
    }

    private static string Clock() => DateTimeOffset.Now.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);

    // Whoever watches loses a view, never the run its work.
    private void Try(string what, Action write)
    {
        try
        {
            write();
        }
        catch (BoostingTicketException error)
        {
            if (_refused.Add(what))
                Run.Progress.Warn($"{error.Message.TrimEnd('.')}. The run goes on without that file, and tries again.");
        }
    }
}
