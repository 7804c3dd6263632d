using BoostingTicket.Runs.Configuration;
using BoostingTicket.Runs.Stages;
using BoostingTicket.Training.Optimization;

namespace BoostingTicket.Runs.Reporting;

/// <summary>What a report shows: a run or a single training, finished or not.</summary>
/// <param name="Result">What is known: seeds with the arms that are done.</param>
/// <param name="Trainings">Every training so far.</param>
/// <param name="CommandLine">Command that produces it.</param>
/// <param name="Extras">What the folder holds besides; null for nothing.</param>
internal sealed record ReportContent(
    RunResult Result, IReadOnlyList<StageHistory> Trainings, string CommandLine, RunExtras? Extras)
{
    private const string Run = "Boosting ticket run", Training = "Training of one network";

    /// <summary>How far it is; null where it is finished.</summary>
    public ReportStatus? Status { get; init; }

    /// <summary>What trains the only network; null for a whole run.</summary>
    public TrainingMethod? Method { get; private init; }

    /// <summary>The settings as they were asked for.</summary>
    public RunConfiguration Asked { get; private init; } = Result.Configuration;

    /// <summary>Its heading.</summary>
    public string Title { get; init; } =
        $"{Result.Configuration.Preset}: {Result.Configuration.Model} on {Result.Configuration.Data.Name}";

    /// <summary>What it reports on, in a few words.</summary>
    public string Kind => Method is null ? Run : Training;

    /// <summary>A finished run.</summary>
    public static ReportContent Of(RunResult result, string commandLine, RunExtras? extras) =>
        new(result, StageHistory.Of(result), commandLine, extras);

    /// <summary>A single training as a run of one arm, whose table and colours it has.</summary>
    /// <param name="result">The run with the configuration that was asked for.</param>
    /// <param name="arm">What is trained.</param>
    /// <param name="trainings">Its training so far.</param>
    /// <param name="commandLine">Command that produces it.</param>
    /// <param name="extras">What the folder holds besides; null for nothing.</param>
    public static ReportContent OfTraining(
        RunResult result, Arm arm, IReadOnlyList<StageHistory> trainings, string commandLine, RunExtras? extras)
    {
        ArgumentNullException.ThrowIfNull(result);
        RunConfiguration asked = result.Configuration;
        TrainingSettings settings = arm == Arm.Dense ? asked.Dense : asked.Retrain;
        return new ReportContent(
            result with { Configuration = asked with { Arms = [arm], Seeds = 1, Retrain = settings } },
            [.. trainings.Select(training => training with { Style = SettingNames.Of(arm) })], commandLine, extras)
        {
            Method = settings.Method,
            Asked = asked,
        };
    }
}

/// <summary>How far a run is that is not finished.</summary>
/// <param name="Text">In a sentence or two.</param>
/// <param name="Reload">Seconds after which the page is to be loaded again; null where nothing will change.</param>
internal sealed record ReportStatus(string Text, int? Reload);
