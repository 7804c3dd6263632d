using BoostingTicket.Runs.Configuration;
using BoostingTicket.Runs.Reporting;
using BoostingTicket.Runs.Stages;
using BoostingTicket.Training.Evaluation;

namespace BoostingTicket.Runs.Collections;

/// <summary>How far the work of a folder is.</summary>
internal enum RunState
{
    /// <summary>Done; its result is kept.</summary>
    Finished,

    /// <summary>A process works on it.</summary>
    Running,

    /// <summary>Begun, and nobody works on it.</summary>
    Interrupted,

    /// <summary>Its files cannot be read.</summary>
    Broken,
}

/// <summary>What a folder keeps of its work.</summary>
/// <param name="Folder">The folder, absolute.</param>
/// <param name="Command">The command that filled it.</param>
/// <param name="State">How far it is.</param>
/// <param name="Date">When its last result was written; where there is none, when it was begun.</param>
/// <param name="Configuration">What was asked for.</param>
/// <param name="Environment">Device, versions and data by name; empty where the folder does not say.</param>
internal sealed record KeptRun(
    string Folder, string Command, RunState State, DateTimeOffset Date, RunConfiguration Configuration,
    IReadOnlyDictionary<string, string> Environment)
{
    /// <summary>Seeds with the arms that are done; a single training is a run of one arm. Empty where nothing is done, and for
    /// an evaluation.</summary>
    public IReadOnlyList<SeedResult> Seeds { get; init; } = [];

    /// <summary>The arms that are compared, in their order.</summary>
    public IReadOnlyList<Arm> Arms { get; init; } = [];

    /// <summary>What an evaluation by attacks measured; null for other commands.</summary>
    public RobustnessResult? Robustness { get; init; }

    /// <summary>The work as a run, for tables and charts.</summary>
    internal RunResult Result =>
        new(Configuration with { Arms = Arms }, RunJson.Hash(Configuration), Environment, Seeds);

    /// <summary>Seconds of all trainings that are done, without validation.</summary>
    public double Seconds => StageHistory.Of(Result).Sum(training => training.Epochs.Sum(epoch => epoch.Times.Training));
}
