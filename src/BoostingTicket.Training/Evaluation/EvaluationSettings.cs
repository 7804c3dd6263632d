using BoostingTicket.Engine.Plans;
using BoostingTicket.Training.Attacks;

namespace BoostingTicket.Training.Evaluation;

/// <summary>How accuracy is measured after each epoch and at the end. What takes settings throws
/// <see cref="ConfigurationException"/> for a value out of its range.</summary>
public sealed record EvaluationSettings
{
    /// <summary>Attack of the final evaluation; PGD-20 by the paper. Its statistics are running.</summary>
    public AttackSettings Attack { get; init; } = new() { Steps = 20 };

    /// <summary>PGD steps of the per-epoch validation probe, up to 100,000; 0 for none.</summary>
    public int ProbeSteps { get; init; } = 10;

    /// <summary>Validation samples that the probe attacks, up to 100,000,000; 0 for all.</summary>
    public int ProbeSamples { get; init; } = 1_000;

    /// <summary>Epochs between robust probes, from 1 to 100,000.</summary>
    public int ProbeEvery { get; init; } = 1;

    /// <summary>Samples a batch of evaluation, from 1 to 65,536.</summary>
    public int BatchSize { get; init; } = 128;

    /// <summary>Checks the ranges.</summary>
    /// <param name="group">Path of these settings in a configuration, with a dot behind; empty for none.</param>
    /// <exception cref="ConfigurationException">One is violated; the message names the setting.</exception>
    internal void Validate(string group)
    {
        Attack.Validate($"{group}attack.");
        if (Attack.Statistics != AttackStatistics.Running)
            throw new ConfigurationException(
                $"{Setting.Named($"{group}attack.statistics")} is not running; evaluation always attacks the network as it is "
                + $"used, so leave "
                + "it out.");
        Require.InRange($"{group}probeSteps", ProbeSteps, 0, 100_000);
        Require.InRange($"{group}probeSamples", ProbeSamples, 0, 100_000_000);
        Require.InRange($"{group}probeEvery", ProbeEvery, 1, 100_000);
        Require.InRange($"{group}batchSize", BatchSize, 1, 65_536);
    }
}
