using System.Globalization;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Plans;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Training;
using BoostingTicket.Training.Data;
using BoostingTicket.Training.Optimization;
using BoostingTicket.Training.Optimization.Methods;
using BoostingTicket.Training.Optimization.Replicas;
using BoostingTicket.Training.Progress;

namespace BoostingTicket.Runs.Stages;

/// <summary>Says before the work begins how much of the device's memory it needs, and refuses what does not fit.</summary>
internal static class RunMemory
{
    private const double Mebibyte = 1 << 20;

    /// <summary>Notes the need.</summary>
    /// <param name="configuration">Batch sizes and attacks.</param>
    /// <param name="trainings">The trainings that will run.</param>
    /// <param name="network">The network.</param>
    /// <param name="data">Images.</param>
    /// <param name="progress">Told the need.</param>
    /// <exception cref="NotEnoughMemoryException">It is more than the device has free; the message names the batch size that
    /// would fit.</exception>
    public static void Require(
        RunConfiguration configuration, IReadOnlyList<TrainingSettings> trainings, Network network, RunData data,
        IRunProgress progress)
    {
        int largest = Math.Max(
            trainings.Select(training => training.BatchSize).DefaultIfEmpty(1).Max(), configuration.Evaluation.BatchSize);
        MemoryNeed need = Need(largest);
        long kept = Kept(largest);
        IBackend backend = network.Backend;
        progress.Note(string.Create(
            CultureInfo.InvariantCulture,
            $"Memory: {(need.Total + kept) / Mebibyte:F0} MiB on {backend.Device.Name} (feature maps "
            + $"{need.FeatureMaps / Mebibyte:F0}, parameters "
            + $"{need.Parameters / Mebibyte:F0}, filters {need.Filters / Mebibyte:F0}, images {need.Images / Mebibyte:F0}, "
            + $"method {kept / Mebibyte:F0})"));
        if (backend.FreeMemory is not { } free || need.FeatureMaps + need.Images + kept <= free)
            return;
        // Parameters and filters are there already: what is missing depends on the batch.
        int fitting = 0, refused = largest;
        while (refused - fitting > 1)
        {
            int middle = fitting + (refused - fitting) / 2;
            MemoryNeed smaller = Need(middle);
            if (smaller.FeatureMaps + smaller.Images + Kept(middle) <= free)
                fitting = middle;
            else
                refused = middle;
        }
        string training = trainings.Count == 0 ? "" : $"{Setting.Named("batch")} {fitting} ";
        string remedy = fitting > 0
            ? FormattableString.Invariant($"{training}{Setting.Named("evaluation.batchSize")} {fitting} would fit")
            : $"no batch size fits: choose a smaller model ({Setting.Named("model")}, {Setting.Named("width")}), or end other "
                + $"programs on the GPU";
        throw new NotEnoughMemoryException(string.Create(
            CultureInfo.InvariantCulture,
            $"The device does not have enough memory: a batch of {largest} needs "
            + $"{(need.FeatureMaps + need.Images + kept) / Mebibyte:F0} MiB more for "
            + $"feature maps, images and what the method keeps, {free / Mebibyte:F0} MiB are free; {remedy}."));

        MemoryNeed Need(int most) => network.Need([.. Plans(configuration, trainings, data, most)]);

        // One training after the other, each of which frees what it kept but the sums of gradients.
        long Kept(int most)
        {
            long sums = trainings.Any(training => Find(training).SumsGradients)
                ? sizeof(float) * (long)network.Graph.Table.TrainedLength
                : 0;
            return sums + trainings.Select(training =>
                Shards(training, data, most).Distinct().Sum(plan => Enumerable.Range(0, plan.Count)
                    .Sum(shard => Find(training).KeptBytes(network, plan.Shard(shard).Length)) + ReplicaMemory.Bytes(
                        network, plan))
                + (training.Ema is null ? 0 : WeightAverage.Bytes(network.Graph.Table))).DefaultIfEmpty().Max();
        }
    }

    private static ITrainingMethod Find(TrainingSettings training) => TrainingMethodCatalog.Find(training.Method);

    private static ShardPlan[] Shards(TrainingSettings training, RunData data, int most)
    {
        var plan = new BatchPlan(data.TrainCount - data.Settings.ValidationSamples, Math.Min(training.BatchSize, most));
        return [Cut(plan.Batch(0).Length), Cut(plan.Batch(plan.BatchCount - 1).Length)];

        ShardPlan Cut(int samples) => new(samples, training.Replicas);
    }

    // What trainers and evaluators will ask for, with batches of at most so many samples.
    private static IEnumerable<PlanOptions> Plans(
        RunConfiguration configuration, IReadOnlyList<TrainingSettings> trainings, RunData data, int most)
    {
        foreach (TrainingSettings training in trainings)
        {
            foreach (int batch in Shards(training, data, most).SelectMany(plan => plan.Sizes))
            {
                foreach (PlanOptions plan in Find(training).Plans(batch, configuration.Attack))
                    yield return plan;
            }
        }
        int evaluation = Math.Min(configuration.Evaluation.BatchSize, most);
        foreach (int count in (int[])[data.Settings.ValidationSamples, data.TestCount])
        {
            int batch = Math.Min(evaluation, count);
            yield return new PlanOptions(batch, PlanMode.Evaluate);
            yield return new PlanOptions(batch, PlanMode.Attack, GradientRequest.Input);
        }
    }
}
