using BoostingTicket.Engine.Devices;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Runs.Experiments.Nodes;
using BoostingTicket.Runs.Experiments.Speed;
using BoostingTicket.Runs.Reporting;
using BoostingTicket.Runs.Reporting.Figures;
using BoostingTicket.Training.Progress;

namespace BoostingTicket.Runs.Experiments;

/// <summary>Reads an experiment's result off its finished pieces of work.</summary>
internal static class ExperimentMeasurement
{
    /// <summary>Measures everything.</summary>
    /// <param name="experiment">The experiment.</param>
    /// <param name="configuration">What was asked for.</param>
    /// <param name="grid">Its grid, all of which is done.</param>
    /// <param name="context">The context.</param>
    /// <param name="environment">Device, versions and data.</param>
    /// <param name="others">Points of trainings that other programs did.</param>
    public static ExperimentResult Measure(
        IExperiment experiment, ExperimentConfiguration configuration, ExperimentGrid grid, NodeContext context,
        IReadOnlyDictionary<string, string> environment, IReadOnlyList<CoursePoint> others)
    {
        ExperimentStore store = context.Store;
        List<TrainingNode> trainings = [.. grid.Nodes.OfType<TrainingNode>()];
        // The title names the paper's network.
        string title = configuration.Model is { } model ? $"{experiment.Title}; here {model}" : experiment.Title;
        List<string> warnings = [.. grid.Warnings, .. Warnings(grid, store)];
        bool timed = grid.Courses.Count > 0 || grid.Rows.Any(row => row.Quantity.Unit == QuantityUnit.Seconds);
        if (timed)
        {
            string?[] doubts =
            [
                BusyMachine.Tell(trainings.Select(training => (
                    training.Title, training.Read(store).History.Select(epoch => epoch.Work).OfType<TrainingWork>()))),
                DifferentMachines.Tell(trainings.Select(training => (training.Title, training.Read(store).Machines))),
            ];
            warnings.AddRange(doubts.OfType<string>());
        }
        SpeedResult? speed = grid.Courses.Count == 0 ? null
            : SpeedMeasurement.Measure(grid.Courses, store, others, warnings) with
            {
                OnGpu = trainings.SelectMany(training => training.Read(store).Machines ?? [context.Machine]).Any(
                    machine => machine.HasGpu()),
            };
        return new ExperimentResult(
            title, configuration, environment, Caveat(experiment, configuration, context.Backend.Precision),
            [.. grid.Rows.Select(row => new ComparedRow(
                row.Item, row.Measure, row.Quantity.Unit, row.Paper, row.Quantity.Measure(store)))],
            speed is not null ? SpeedMeasurement.Figure(speed, experiment.Name, Capital(title))
            : grid.Panels.Count == 0 ? null : new FigureData(
                experiment.Name, Capital(title),
                [.. grid.Panels.Select(panel => new FigurePanel(
                    panel.Title, panel.X, panel.Y, [.. panel.Curves.Select(curve => curve.Measure(store))]))]),
            Tickets(trainings, context),
            warnings,
            [.. trainings.Select(training => new TrainingRow(
                training.Label, training.Seed, training.Name, training.Read(store)))])
        {
            Speed = speed,
        };
    }

    /// <summary>What a reader must know of before comparing, in one sentence; null for nothing.</summary>
    /// <param name="experiment">The experiment.</param>
    /// <param name="configuration">What was asked for.</param>
    /// <param name="precision">Number format that was computed in.</param>
    public static string? Caveat(IExperiment experiment, ExperimentConfiguration configuration, Precision precision)
    {
        ArgumentNullException.ThrowIfNull(experiment);
        ArgumentNullException.ThrowIfNull(configuration);
        if (!experiment.IsPapers)
            return null;
        var reasons = new List<string>();
        DataSettings full = experiment.Base.Data, used = configuration.Base.Data;
        if (used.Name != full.Name)
            reasons.Add($"the data are {used.Name} instead of {full.Name}");
        if (configuration.Scale != 1)
            reasons.Add(FormattableString.Invariant($"samples, epochs and width are scaled by {configuration.Scale}"));
        if (configuration.Model is { } model)
            reasons.Add($"the network is {model}");
        if (configuration.Width is { } width)
            reasons.Add(FormattableString.Invariant($"the width is {width}"));
        if (configuration.Epochs is { } epochs && epochs != experiment.LongestEpochs)
            reasons.Add(FormattableString.Invariant(
                $"the longest training has {epochs} instead of {experiment.LongestEpochs} epochs"));
        if (configuration.Scale == 1 && (used.TrainSamples != full.TrainSamples || used.TestSamples != full.TestSamples
            || used.ValidationSamples != full.ValidationSamples))
            reasons.Add("the samples are fewer");
        if (configuration.Base.Retrain.Replicas is > 1 and var replicas)
            reasons.Add(FormattableString.Invariant($"batches are cut into {replicas} replicas"));
        if (precision != Precision.Float32)
            reasons.Add($"the number format is {DeviceCatalog.WordOf(precision)} instead of float32");
        foreach ((string what, bool differs) in new[]
        {
            ("the attack", configuration.Base.Attack != experiment.Base.Attack),
            ("the evaluation", configuration.Base.Evaluation != experiment.Base.Evaluation),
            ("the batch", configuration.Base.Retrain.BatchSize != experiment.Base.Retrain.BatchSize),
            ("the pruning", configuration.Base.Pruning != experiment.Base.Pruning),
            ("early stopping", configuration.Base.Retrain.EarlyStopping != experiment.Base.Retrain.EarlyStopping),
        })
        {
            if (differs)
                reasons.Add($"{what} is another");
        }
        return reasons.Count == 0 ? null : $"Not comparable with the paper in absolute terms: {string.Join("; ", reasons)}.";
    }

    private static List<TicketRow> Tickets(List<TrainingNode> trainings, NodeContext context)
    {
        ExperimentStore store = context.Store;
        HashSet<TrainingNode> donors = [.. trainings.Select(training => training.Ticket?.Donor).OfType<TrainingNode>()];
        var rows = new List<TicketRow>();
        foreach (TrainingNode training in trainings)
        {
            if (training.Ticket is not { } ticket || donors.Contains(training))
                continue;
            TrainingNode? dense = trainings.FirstOrDefault(other => other.Ticket is null && !donors.Contains(other)
                && other.Seed == training.Seed && other.Job.Model == training.Job.Model);
            TicketRecord drawn = ticket.Read(store);
            rows.Add(new TicketRow(
                training.Label, training.Seed, drawn.Sparsity, drawn.StartDistance, training.Read(store).DonorDistance!.Value,
                dense is null ? null : RelativeDistance.Between(context.FullWeights(dense), context.FullWeights(training))));
        }
        return rows;
    }

    private static List<string> Warnings(ExperimentGrid grid, ExperimentStore store) =>
    [
        .. grid.Nodes.SelectMany(node => node switch
        {
            TicketNode ticket => ticket.Read(store).Warnings,
            TrainingNode training => training.Read(store).Warnings.Select(warning => $"{training.Label}: {warning}"),
            TestNode test => test.Read(store).Warnings.Select(warning => $"{test.Label}: {warning}"),
            CourseNode course => course.Read(store).Warnings.Select(warning => $"{course.Training.Label}: {warning}"),
            TransferNode transfer => transfer.Read(store).Warnings.Select(warning => $"{transfer.Label}: {warning}"),
            _ => (IEnumerable<string>)[],
        }).Distinct(),
    ];

    private static string Capital(string text) => char.ToUpperInvariant(text[0]) + text[1..];
}
