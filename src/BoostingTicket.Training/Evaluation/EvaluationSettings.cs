using BoostingTicket.Engine.Plans;
using BoostingTicket.Training.Attacks;

namespace BoostingTicket.Training.Evaluation;

/// <summary>How accuracy is measured after each epoch and at the end.</summary>
public sealed record EvaluationSettings
{
    /// <summary>Attack of the final evaluation; PGD-20 by the paper.</summary>
    public AttackSettings Attack { get; init; } = new() { Steps = 20 };

    /// <summary>PGD steps of the per-epoch validation probe; 0 for none.</summary>
    public int ProbeSteps { get; init; } = 10;

    /// <summary>Validation samples that the probe attacks; 0 for all.</summary>
    public int ProbeSamples { get; init; } = 1_000;

    /// <summary>Epochs between robust probes.</summary>
    public int ProbeEvery { get; init; } = 1;

    /// <summary>Samples a batch of evaluation.</summary>
    public int BatchSize { get; init; } = 128;

    /// <summary>Checks the ranges.</summary>
    /// <exception cref="ConfigurationException">One is violated; the message names the option.</exception>
    public void Validate()
    {
        Attack.Validate("evaluation-");
        if (Attack.Statistics != AttackStatistics.Running)
            throw new ConfigurationException(
                "evaluation.attack.statistics is not running; evaluation always attacks the network as it is used, so leave it out.");
        Require.InRange("probe-steps", ProbeSteps, 0, 100_000);
        Require.InRange("probe-samples", ProbeSamples, 0, 100_000_000);
        Require.InRange("probe-every", ProbeEvery, 1, 100_000);
        Require.InRange("evaluation-batch", BatchSize, 1, 65_536);
    }
}
