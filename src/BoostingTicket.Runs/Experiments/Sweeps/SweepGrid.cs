using BoostingTicket.Runs.Configuration;
using BoostingTicket.Runs.Experiments.Nodes;
using BoostingTicket.Training;
using BoostingTicket.Training.Evaluation;
using BoostingTicket.Training.Optimization;
using BoostingTicket.Training.Pruning;

namespace BoostingTicket.Runs.Experiments.Sweeps;

/// <summary>A point of a sweep.</summary>
/// <param name="Values">The values of the swept options.</param>
/// <param name="Configuration">All settings.</param>
internal sealed record SweepPoint(IReadOnlyList<string> Values, RunConfiguration Configuration);

/// <summary>The pieces of work of a sweep: of each point and seed the trainings, tickets and tests that <c>run</c> would do, each
/// once wherever two points need the same.</summary>
internal sealed class SweepGrid
{
    private const string Attack = "pgd";

    private readonly GridFingerprints _fingerprints;
    private readonly NodeSet _nodes = new();
    private readonly List<SweepTrial> _trials = [];

    /// <summary>Declares the work of all points.</summary>
    /// <exception cref="ConfigurationException">A point asks for what the parts of experiments cannot do.</exception>
    public SweepGrid(IReadOnlyList<SweepPoint> points, GridFingerprints fingerprints)
    {
        _fingerprints = fingerprints;
        foreach (SweepPoint point in points)
        {
            RunConfiguration configuration = point.Configuration;
            if (configuration.Arms.Contains(Arm.Shuffle))
                throw new ConfigurationException(
                    $"A sweep has no shuffled masks; leave shuffle out of {Setting.Named("arms")}, or use run for it.");
            if (configuration.Pruning.EarlyBird is not null)
                throw new ConfigurationException(
                    $"A sweep trains donors to the end; leave {Setting.Named("pruning.earlyBird")} out, or use run for it.");
            foreach (Arm arm in configuration.Arms)
            {
                _trials.Add(new SweepTrial(point, arm, [
                    .. Enumerable.Range(0, configuration.Seeds).Select(
                        index => Declare(configuration, arm, configuration.Seed + (ulong)index)),
                ]));
            }
        }
    }

    /// <summary>All pieces of work, a seed's together, each after its inputs.</summary>
    public IReadOnlyList<ExperimentNode> Nodes => _nodes.BySeed;

    /// <summary>What is measured, point by point and arm by arm.</summary>
    public IReadOnlyList<SweepTrial> Trials => _trials;

    private TestNode Declare(RunConfiguration configuration, Arm arm, ulong seed)
    {
        TrainingNode training = arm == Arm.Dense
            ? Train("dense", configuration, configuration.Dense, seed, null)
            : Train(
                SettingNames.Of(arm), configuration, configuration.Retrain, seed,
                Ticket(
                    configuration, arm == Arm.Winning ? configuration.WinningDonor : configuration.Donor, seed,
                    arm == Arm.Winning ? "winning donor" : "donor"),
                arm == Arm.Reinit);
        EvaluationSettings evaluation = configuration.Evaluation;
        return _nodes.Add(new TestNode(training, best: true, [Attack], evaluation.Attack, _fingerprints.Test));
    }

    private TicketNode Ticket(RunConfiguration configuration, TrainingSettings donor, ulong seed, string label)
    {
        PruningSettings pruning = configuration.Pruning;
        TicketNode? ticket = null;
        foreach (double ratio in PruningSchedule.CumulativeRatios(pruning.Ratio, pruning.Rounds))
        {
            TrainingNode trained = Train(label, configuration, donor, seed, ticket);
            ticket = _nodes.Add(new TicketNode(trained, pruning with { Ratio = ratio, Rounds = 1 }, ticket));
        }
        return ticket!;
    }

    private TrainingNode Train(
        string label, RunConfiguration configuration, TrainingSettings settings, ulong seed, TicketNode? ticket,
        bool redrawn = false)
    {
        TrainingJob job = TrainingJob.Of(configuration, settings, seed) with
        {
            Start = redrawn ? TrainingStart.Redrawn : TrainingStart.Initial,
        };
        return _nodes.Add(new TrainingNode(
            $"{configuration.Model} {label} ({SettingNames.Of(settings.Method)})", job, _fingerprints.Train, ticket));
    }
}

/// <summary>An arm of a point.</summary>
/// <param name="Point">The point.</param>
/// <param name="Arm">The arm.</param>
/// <param name="Tests">Its test of each seed.</param>
internal sealed record SweepTrial(SweepPoint Point, Arm Arm, IReadOnlyList<TestNode> Tests);
