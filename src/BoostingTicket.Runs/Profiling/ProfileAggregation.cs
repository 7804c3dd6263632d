using BoostingTicket.Engine.Graph;
using BoostingTicket.Engine.Plans;
using BoostingTicket.Training.Progress;

namespace BoostingTicket.Runs.Profiling;

/// <summary>Turns what recorders took down into rows.</summary>
/// <param name="training">What was trained.</param>
/// <param name="batches">Batches that each recorder saw.</param>
/// <param name="evaluated">Validation samples that were classified.</param>
/// <param name="peaks">What the device can do at best.</param>
internal sealed class ProfileAggregation(ProfiledTraining training, int batches, int evaluated, MachinePeaks peaks)
{
    private readonly WorkEstimates _work = new(training.Network, training.Mask, training.ShardSamples, training.Batch);

    private double BatchesPerEpoch => (double)training.EpochImages / training.Batch;

    /// <summary>The phases of an epoch.</summary>
    public IReadOnlyList<PhaseRow> Phases(StepRecorder recorder)
    {
        var rows = new List<(StepPhase Phase, double Calls, double Seconds, Work Work)>();
        foreach (StepPhase phase in Enum.GetValues<StepPhase>())
        {
            Tally tally = recorder[phase];
            if (tally.Calls == 0)
                continue;
            // A whole evaluation follows an epoch; other phases belong to each batch.
            bool evaluates = phase == StepPhase.Evaluation;
            double perBatch = evaluates ? training.ValidationImages / (evaluated * BatchesPerEpoch) : 1.0 / batches;
            Work work = evaluates
                ? _work.Evaluation(training.ValidationImages).Times(1 / BatchesPerEpoch)
                : _work.Of(phase).Times(tally.Calls * perBatch);
            rows.Add((phase, tally.Calls * perBatch, tally.Seconds * perBatch, work));
        }
        double total = rows.Sum(row => row.Seconds);
        return [.. rows.Select(row => new PhaseRow(
            row.Phase, row.Calls, row.Seconds, row.Seconds * BatchesPerEpoch, row.Seconds / total, row.Work,
            RateOf(row.Work, peaks.LeastSeconds(row.Work.DenseOperations, row.Work.Bytes), row.Seconds)))];
    }

    /// <summary>The operations of a step, the longest first.</summary>
    public IReadOnlyList<OperationRow> Operations(StepRecorder recorder)
    {
        double total = StepSeconds(recorder);
        var rows = new List<OperationRow>();
        // The same layer has an operation of a kind in several plans.
        foreach (var group in recorder.Operations.Where(entry => entry.Key.Phase != StepPhase.Evaluation)
            .GroupBy(entry => (entry.Key.Phase, entry.Key.Operation.Layer, entry.Key.Operation.Kind)))
        {
            (double calls, double seconds, Work work, double least) = Sum(group);
            rows.Add(new OperationRow(
                group.Key.Phase, group.Key.Layer, group.Key.Kind, calls, seconds, seconds / total, work,
                RateOf(work, least, seconds)));
        }
        foreach (StepPhase phase in Enum.GetValues<StepPhase>())
        {
            Tally tally = recorder[phase];
            if (tally.Calls == 0 || phase == StepPhase.Evaluation)
                continue;
            double seconds = tally.Seconds / batches - rows.Where(row => row.Phase == phase).Sum(row => row.SecondsPerBatch);
            bool whole = !rows.Exists(row => row.Phase == phase);
            Work work = whole ? _work.Of(phase).Times((double)tally.Calls / batches) : default;
            rows.Add(new OperationRow(
                phase, "", null, (double)tally.Calls / batches, seconds, seconds / total, work,
                RateOf(work, peaks.LeastSeconds(work.DenseOperations, work.Bytes), seconds)));
        }
        return [.. rows.OrderByDescending(row => row.SecondsPerBatch)];
    }

    /// <summary>The layers of a step, in the network's order; the loss comes last.</summary>
    public IReadOnlyList<LayerRow> Layers(StepRecorder recorder)
    {
        double total = StepSeconds(recorder);
        List<string> order = [.. training.Network.Graph.Nodes.Select(node => node.Name)];
        var rows = new List<LayerRow>();
        foreach (var group in recorder.Operations.Where(entry => entry.Key.Phase != StepPhase.Evaluation)
            .GroupBy(entry => entry.Key.Operation.Layer))
        {
            (_, double seconds, Work work, double least) = Sum(group);
            rows.Add(new LayerRow(
                group.Key, _work.Kept(group.Key),
                Seconds(group, operation => operation.Pass == PlanPass.Forward),
                Seconds(group,
                    operation => operation is { Pass: PlanPass.Backward, Kind: not OperationKind.ConvolutionBackwardFilter }),
                Seconds(group, operation => operation.Kind == OperationKind.ConvolutionBackwardFilter),
                Seconds(group, operation => operation.Pass == PlanPass.Prepare),
                seconds, seconds / total, work, RateOf(work, least, seconds)));
        }
        return [.. rows.OrderBy(row => order.IndexOf(row.Layer) is var index && index >= 0 ? index : int.MaxValue)];
    }

    private static Rate RateOf(in Work work, double leastSeconds, double seconds)
    {
        return new Rate(Per(work.DenseOperations), Per(work.KeptOperations), Per(work.Bytes), seconds > 0 && leastSeconds > 0
            ? leastSeconds / seconds
            : null);

        double? Per(double amount) => amount > 0 && seconds > 0 ? amount / seconds : null;
    }

    private double StepSeconds(StepRecorder recorder) =>
        Enum.GetValues<StepPhase>().Where(phase => phase != StepPhase.Evaluation).Sum(phase => recorder[phase].Seconds) / batches;

    private (double Calls, double Seconds, Work Work, double Least) Sum(
        IEnumerable<KeyValuePair<(StepPhase Phase, PlanOperation Operation), Tally>> entries)
    {
        double calls = 0, seconds = 0, least = 0;
        Work work = default;
        foreach (((_, PlanOperation operation), Tally tally) in entries)
        {
            double perBatch = (double)tally.Calls / batches;
            Work once = _work.Of(operation);
            calls += perBatch;
            seconds += tally.Seconds / batches;
            work += once.Times(perBatch);
            least += peaks.LeastSeconds(once.DenseOperations, once.Bytes) * perBatch;
        }
        return (calls, seconds, work, least);
    }

    private double Seconds(
        IEnumerable<KeyValuePair<(StepPhase Phase, PlanOperation Operation), Tally>> entries, Func<PlanOperation, bool> counts) =>
        entries.Where(entry => counts(entry.Key.Operation)).Sum(entry => entry.Value.Seconds) / batches;
}
