using BoostingTicket.Runs.Configuration;
using BoostingTicket.Runs.Folders;
using BoostingTicket.Runs.Stages;
using BoostingTicket.Training;
using BoostingTicket.Training.Evaluation;

namespace BoostingTicket.Runs.Reporting;

/// <summary>What a run's folder holds for its report besides the result.</summary>
/// <param name="Evaluations">Robustness by attack of weights that <c>evaluate</c> measured.</param>
/// <param name="Examples">Images before and after the attack, of the first seed's arms.</param>
internal sealed record RunExtras(IReadOnlyList<KeptEvaluation> Evaluations, IReadOnlyList<KeptExamples> Examples)
{
    /// <summary>Reads them; what is missing is left out, as in a folder of an earlier version.</summary>
    /// <param name="folder">The run's folder.</param>
    /// <param name="result">The run, or a single training as one.</param>
    /// <param name="single">Whether it is a single training, whose files have its command's name.</param>
    /// <exception cref="DamagedFileException">A file of them is damaged.</exception>
    public static RunExtras Read(RunFolder folder, RunResult result, bool single = false)
    {
        ArgumentNullException.ThrowIfNull(folder);
        ArgumentNullException.ThrowIfNull(result);
        var evaluations = new List<KeptEvaluation>();
        var examples = new List<KeptExamples>();
        string[] arms = single
            ? [result.Configuration.Arms[0] == Arm.Dense ? DenseTraining.Stage : TicketTraining.Stage]
            : [.. result.Configuration.Arms.Select(SettingNames.Of)];
        foreach (SeedResult seed in result.Seeds)
        {
            foreach (string stage in (string[])[ReportCharts.Donor, ReportCharts.WinningDonor, .. arms])
            {
                foreach ((string weights, string which) in ((string, string)[])[(folder.BestWeights(seed.Seed, stage), "best"), (
                    folder.LastWeights(seed.Seed, stage), "last")])
                {
                    string name = FormattableString.Invariant($"{stage}, {which} (seed {seed.Seed})");
                    evaluations.AddRange(
                        WeightsEvaluation.ReadBeside(weights).Select(evaluation => new KeptEvaluation(name, evaluation)));
                }
            }
        }

        if (result.Seeds.Count > 0)
        {
            ulong first = result.Seeds[0].Seed;
            examples.AddRange(arms.Where(arm => File.Exists(folder.Examples(first, arm)))
                .Select(arm => new KeptExamples(arm, first, AdversarialExamples.Load(folder.Examples(first, arm)))));
        }

        return new RunExtras(evaluations, examples);
    }
}

/// <summary>Robustness of weights of a run.</summary>
/// <param name="Weights">Which.</param>
/// <param name="Evaluation">What was measured, and by what.</param>
internal sealed record KeptEvaluation(string Weights, WeightsEvaluation Evaluation);

/// <summary>Images of an arm before and after the attack.</summary>
/// <param name="Arm">The arm.</param>
/// <param name="Seed">The seed.</param>
/// <param name="Examples">The images.</param>
internal sealed record KeptExamples(string Arm, ulong Seed, AdversarialExamples Examples);
