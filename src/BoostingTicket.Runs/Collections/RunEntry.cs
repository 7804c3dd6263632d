using BoostingTicket.Runs.Configuration;
using BoostingTicket.Runs.Reporting;
using BoostingTicket.Runs.Stages;
using BoostingTicket.Training.Optimization;

namespace BoostingTicket.Runs.Collections;

/// <summary>A line of the list of runs: one an arm that is done, or one for a folder without any.</summary>
/// <param name="Folder">The folder, relative to the one that was listed.</param>
/// <param name="Command">The command that filled it; null where it does not say.</param>
/// <param name="State">How far it is.</param>
/// <param name="Model">The network; null where unknown, and where there are several.</param>
/// <param name="DataSet">The data set; null where unknown.</param>
/// <param name="Method">What trains the network; null for an evaluation, and where unknown.</param>
/// <param name="Arm">What the numbers are of; null without numbers.</param>
/// <param name="Seeds">Seeds that the numbers are means of.</param>
/// <param name="Clean">Clean test accuracy in [0, 1]; null where it was not measured.</param>
/// <param name="Robust">Test accuracy under the evaluation's attack, of all attacks together in an evaluation; null where it was
/// not measured.</param>
/// <param name="Attack">Name of that attack.</param>
/// <param name="Seconds">Seconds to find and train the network, mean of the seeds; null where unknown.</param>
/// <param name="Date">When its last result was written, or when it was begun.</param>
/// <param name="Problem">Why it cannot be read; null where it can.</param>
internal sealed record RunEntry(
    string Folder, string? Command, RunState State, string? Model, string? DataSet, TrainingMethod? Method, Arm? Arm, int Seeds,
    double? Clean, double? Robust, string? Attack, double? Seconds, DateTimeOffset Date, string? Problem)
{
    /// <summary>The lines of a folder.</summary>
    /// <param name="run">What it keeps.</param>
    /// <param name="name">What to call it.</param>
    public static IEnumerable<RunEntry> Of(KeptRun run, string name)
    {
        ArgumentNullException.ThrowIfNull(run);
        RunConfiguration configuration = run.Configuration;
        var plain = new RunEntry(
            name, run.Command, run.State, configuration.Model, configuration.Data.Name,
            run.Command == DenseTraining.Stage ? configuration.Dense.Method : configuration.Retrain.Method, null, 0, null, null,
            null,
            null, run.Date, null);
        if (run.Command == WeightsAttack.Command)
        {
            string[] attacks = [.. run.Robustness?.Attacks.Select(attack => attack.Attack) ?? []];
            return
            [
                plain with
                {
                    Method = null,
                    Clean = run.Robustness?.Clean,
                    Robust = run.Robustness?.WorstCase,
                    Attack = attacks.Length == 1 ? attacks[0] : attacks.Length > 1 ? "all attacks" : null,
                },
            ];
        }
        IReadOnlyList<ArmSummary> rows = RunSummary.Of(run.Result);
        return rows.Count == 0 ? [plain] :
        [
            .. rows.Select(row => plain with
            {
                Method = row.Arm == Configuration.Arm.Dense ? configuration.Dense.Method : configuration.Retrain.Method,
                Arm = row.Arm,
                Seeds = row.Clean.Count,
                Clean = row.Clean.Mean,
                Robust = row.Robust.Mean,
                Attack = RunSummary.AttackName(configuration),
                Seconds = row.TotalSeconds.Mean,
            }),
        ];
    }
}
