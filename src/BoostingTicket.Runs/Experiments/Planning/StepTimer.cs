using System.Diagnostics;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Devices;
using BoostingTicket.Engine.Graph;
using BoostingTicket.Engine.Plans;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Runs.Experiments.Nodes;
using BoostingTicket.Runs.Stages;
using BoostingTicket.Training.Attacks;
using BoostingTicket.Training.Data;
using BoostingTicket.Training.Evaluation;
using BoostingTicket.Training.Models;
using BoostingTicket.Training.Optimization;
using BoostingTicket.Training.Pruning;

namespace BoostingTicket.Runs.Experiments.Planning;

/// <summary>Measures steps of training on the device, one kind after the other, and estimates from them what pieces of work
/// take. A measured step is a real one: images, attack, forward and backward pass, SGD, mask. Attacks are measured with two steps
/// and large networks with few images, and both are scaled, so that a plan takes seconds and not hours.</summary>
/// <param name="context">Device, images, networks.</param>
internal sealed class StepTimer(NodeContext context)
{
    private const int FewImages = 16, MostAttackSteps = 2, MostSteps = 5;

    // Seconds: what a full batch may be expected to take for it to be measured, and when enough was measured.
    private const double LongStep = 8, Enough = 0.5;

    private readonly Dictionary<(string, SubNetworkOptions?, Precision?, TrainingMethod, int), StepTime> _times = [];

    /// <summary>Plans an experiment.</summary>
    public ExperimentPlan Plan(ExperimentConfiguration configuration, ExperimentGrid grid)
    {
        IReadOnlyList<ExperimentNode> nodes = grid.Nodes;
        List<NodeCost> costs = [.. nodes.Select(node => node.Cost(context))];
        // Networks are made one at a time, so that what needs the same is measured together.
        List<NodeCost> kinds = [.. costs.Where(cost => cost.Work > 0).DistinctBy(cost => cost.Kind.Key).OrderBy(
            cost => cost.Kind.Job.Model, StringComparer.Ordinal)];
        context.Progress.StageStarted("measuring steps", kinds.Count, 0);
        for (int kind = 0; kind < kinds.Count; kind++)
        {
            context.Cancellation.ThrowIfCancellationRequested();
            StepTime time = Measure(kinds[kind]);
            _times.Add(kinds[kind].Kind.Key, time);
            context.Progress.StepsDone(kind + 1, time.Batch / Math.Max(time.StepSeconds, 1e-9));
        }
        context.Progress.StageFinished();
        return new ExperimentPlan(
            configuration.Experiment, ExperimentCatalog.Find(configuration.Experiment).Title, grid.Seeds, [.. _times.Values],
            [.. nodes.Select((node, index) => new PlannedNode(node.Name, node.Label, node.Seed, node.IsDone(
                context.Store), costs[index].TrainingSteps, Seconds(costs[index])))]);
    }

    private double Seconds(NodeCost cost) => cost.Work > 0 && _times.TryGetValue(cost.Kind.Key, out StepTime? time)
        ? cost.TrainingSteps * time.StepSeconds + cost.CleanImages * time.CleanImageSeconds + cost.AttackedImageSteps
            * time.AttackedImageSeconds
        : 0;

    private StepTime Measure(NodeCost cost)
    {
        TrainingJob job = cost.Kind.Job;
        NodeDevice device = context.DeviceOf(cost.Kind.Precision);
        RunData images = device.Images;
        NetworkGraph model = context.Graph(job);
        ModelState initial = (job with { Start = TrainingStart.Initial }).DrawStart(model.Table);
        // Initial weights instead of trained ones: as many are pruned, in other places.
        SubNetwork? ticket = cost.Kind.Pruning is { } pruning ? SubNetworkPruner.Draw(model, initial, pruning).Network : null;
        Network network = context.Network(job, ticket?.Graph ?? model, device);
        int wanted = Math.Min(job.Settings.BatchSize, images.TrainCount - job.Data.ValidationSamples);
        int few = Math.Min(FewImages, wanted);
        (double train, double attack) = MeasureStep(few);
        int measured = few;
        if ((train + attack) / few * wanted <= LongStep)
            (train, attack) = MeasureStep(measured = wanted);
        double scale = (double)job.Settings.BatchSize / measured;
        return new StepTime(
            job.Model, cost.Kind.Pruned, DeviceCatalog.WordOf(device.Backend.Precision), SettingNames.Of(job.Settings.Method),
            job.Settings.BatchSize, measured, scale * (train + attack * cost.AttackSteps),
            MeasureClean(network, images, measured), attack / measured);

        // Seconds of the training step itself, and of one step of the attack, for so many images.
        (double Train, double Attack) MeasureStep(int count)
        {
            TicketReset.Apply(network.Parameters, network.Backend, ticket?.Take(initial) ?? initial, ticket?.TrainingMask);
            TrainingSettings settings = job.Settings;
            int steps = Math.Min(Math.Max(job.Attack.Steps, 1), MostAttackSteps);
            // Tests attack naturally trained networks too, so that an attack's step is measured in any case.
            AttackSettings budget = job.Attack with { Steps = steps, Restarts = 1 };
            using var step = new TrainingStep(
                network, images.Train, new SgdOptimizer(network, settings), settings with
                {
                    Method = TrainingMethod.Pgd,
                }, budget, job.Seed, count);
            TrainValidationSplit split = images.Split(job.Seed);
            var order = new EpochOrder(split.Train, count, job.Augmentation, job.Seed);
            var requests = new ImageRequest[count];
            order.Fill(0, requests);
            // The first step compiles plans and code.
            step.Run(requests, 0, new TrainingState());
            step.Finish(new TrainingState());
            var state = new TrainingState();
            long start = Stopwatch.GetTimestamp();
            int done = 0;
            do
            {
                step.Run(requests, 0, state);
                done++;
            }
            while (done < MostSteps && Stopwatch.GetElapsedTime(start).TotalSeconds < Enough);
            step.Finish(state);
            return ((state.Times.Data + state.Times.Train) / done, state.Times.Attack / done / steps);
        }
    }

    private double MeasureClean(Network network, RunData images, int count)
    {
        int[] samples = [.. Enumerable.Range(0, Math.Min(count, images.TrainCount))];
        using var evaluator = new Evaluator(network, images.Train, samples, samples.Length, attacks: false);
        evaluator.Clean(context.Cancellation);
        long start = Stopwatch.GetTimestamp();
        evaluator.Clean(context.Cancellation);
        return Stopwatch.GetElapsedTime(start).TotalSeconds / samples.Length;
    }
}
