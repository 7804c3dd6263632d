using System.Globalization;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Plans;
using BoostingTicket.Training.Data;
using BoostingTicket.Training.Optimization;
using BoostingTicket.Training.Progress;

namespace BoostingTicket.Training.Tickets;

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
    /// <exception cref="DeviceException">It is more than the device has free; the message names the batch size that would fit.</exception>
    public static void Require(
        RunConfiguration configuration, IReadOnlyList<TrainingSettings> trainings, Network network, RunData data,
        IRunProgress progress)
    {
        int largest = Math.Max(
            trainings.Select(training => training.BatchSize).DefaultIfEmpty(1).Max(), configuration.Evaluation.BatchSize);
        MemoryNeed need = Need(largest);
        IBackend backend = network.Backend;
        progress.Note(string.Create(
            CultureInfo.InvariantCulture,
            $"Memory: {need.Total / Mebibyte:F0} MiB on {backend.Device.Name} (feature maps {need.FeatureMaps / Mebibyte:F0}, parameters "
            + $"{need.Parameters / Mebibyte:F0}, filters {need.Filters / Mebibyte:F0}, images {need.Images / Mebibyte:F0})"));
        if (backend.FreeMemory is not { } free || need.FeatureMaps + need.Images <= free)
            return;
        // Parameters and filters are there already: what is missing depends on the batch.
        int fitting = 0, refused = largest;
        while (refused - fitting > 1)
        {
            int middle = fitting + (refused - fitting) / 2;
            MemoryNeed smaller = Need(middle);
            if (smaller.FeatureMaps + smaller.Images <= free)
                fitting = middle;
            else
                refused = middle;
        }
        string remedy = fitting > 0
            ? $"--batch {fitting} --evaluation-batch {fitting} would fit"
            : "no batch size fits: choose a smaller --model or --width, or end other programs on the GPU";
        throw new DeviceException(string.Create(
            CultureInfo.InvariantCulture,
            $"The device has not enough memory: a batch of {largest} needs {(need.FeatureMaps + need.Images) / Mebibyte:F0} MiB more for "
            + $"feature maps and images, {free / Mebibyte:F0} MiB are free; {remedy}."));

        MemoryNeed Need(int most) => network.Need([.. Plans(configuration, trainings, data, most)]);
    }

    // What trainers and evaluators will ask for, with batches of at most so many samples.
    private static IEnumerable<PlanOptions> Plans(
        RunConfiguration configuration, IReadOnlyList<TrainingSettings> trainings, RunData data, int most)
    {
        int samples = data.TrainCount - data.Settings.ValidationSamples;
        foreach (TrainingSettings training in trainings)
        {
            var batches = new BatchPlan(samples, Math.Min(training.BatchSize, most));
            foreach (int batch in (int[])[batches.Batch(0).Length, batches.Batch(batches.BatchCount - 1).Length])
            {
                yield return new PlanOptions(batch, PlanMode.Train, GradientRequest.Parameters);
                if (training.Method != TrainingMethod.Natural)
                    yield return new PlanOptions(batch, PlanMode.Attack, GradientRequest.Input, configuration.Attack.Statistics);
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
