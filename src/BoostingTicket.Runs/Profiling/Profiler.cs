using System.Diagnostics;
using System.Globalization;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Devices;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Training;
using BoostingTicket.Training.Data;
using BoostingTicket.Training.Optimization.Methods;
using BoostingTicket.Training.Progress;

namespace BoostingTicket.Runs.Profiling;

/// <summary>Measures what steps of training cost, and where. Times normal steps, then instrumented ones, in turns:
/// normal steps show how fast training is; steps whose phases or, if asked for, operations are timed show where the time goes;
/// the difference is what timing costs.</summary>
/// <param name="configuration">Model, data, attack; <see cref="RunConfiguration.Dense"/> is the training.</param>
/// <param name="options">What is measured.</param>
/// <param name="backend">Where to compute.</param>
/// <param name="data">The data set that the configuration names.</param>
/// <param name="progress">Receives progress.</param>
internal sealed class Profiler(
    RunConfiguration configuration, ProfileOptions options, IBackend backend, DataSplit data, IRunProgress progress)
{
    /// <summary>Batches that are observed at most; so many say where time goes.</summary>
    public const int MostObserved = 20;

    private const int EvaluationBatches = 4;

    /// <summary>Measures.</summary>
    /// <param name="calibrate">Finds what the device can do at best, when everything else was measured.</param>
    /// <param name="trace">Receives what happened when; null for none.</param>
    /// <param name="cancellation">Ends the measurement after a batch.</param>
    /// <exception cref="ConfigurationException">Settings cannot be used.</exception>
    /// <exception cref="DivergedException">The loss is not a finite number.</exception>
    public ProfileReport Run(Func<MachinePeaks> calibrate, ProfileTrace? trace, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(calibrate);
        configuration.Validate();
        options.Validate();
        long? freeBefore = backend.FreeMemory;
        using var training = new ProfiledTraining(configuration, options, backend, data, progress);
        bool wholeEpoch = options.Batches == 0;
        int batches = wholeEpoch ? training.BatchesPerEpoch : options.Batches;
        int kinds = options.Operations ? 3 : 2, watched = Math.Min(batches, MostObserved);
        long steps = batches + (kinds - 1L) * watched;
        StepRecorder phases = new(backend), operations = new(backend);
        double[] plain = new double[batches], observed = new double[watched],
        detailed = new double[options.Operations ? watched : 0];

        long started = Stopwatch.GetTimestamp();
        if (training.BytesSent is > 0 and var bytes)
            progress.Note(string.Create(CultureInfo.InvariantCulture, $"Each process sends {bytes / 1e6:F2} MB a step."));
        progress.StageStarted("profile: warm-up", (long)kinds * options.WarmupBatches, 0);
        for (int kind = 0; kind < kinds; kind++)
        {
            for (int batch = 0; batch < options.WarmupBatches; batch++)
            {
                (long start, long end) = kind == 0 ? training.Step() : training.Step(phases, operations: kind == 2);
                Report(kind * options.WarmupBatches + batch + 1, start, end);
            }
        }
        double warmup = Stopwatch.GetElapsedTime(started).TotalSeconds;
        progress.StageFinished();

        phases.Clear();
        training.ForgetSums();
        (options.Operations ? operations : phases).Trace = trace;
        progress.StageStarted("profile", steps, 0);
        long done = 0;
        for (int batch = 0; batch < batches; batch++)
        {
            plain[batch] = Timed(training.Step(), "batch, not observed");
            if (batch >= watched)
                continue;
            observed[batch] = Timed(training.Step(phases), options.Operations ? "batch, phases observed" : "batch");
            if (options.Operations)
                detailed[batch] = Timed(training.Step(operations, operations: true), "batch");
        }
        progress.StageFinished();

        int evaluated = wholeEpoch
            ? training.ValidationImages
            : Math.Min(training.ValidationImages, EvaluationBatches * configuration.Evaluation.BatchSize);
        // The first pass compiles the plan.
        training.Evaluate(evaluated, new StepRecorder(backend), operations: false, cancellation);
        training.Evaluate(evaluated, phases, operations: false, cancellation);

        long processPeak = Process.GetCurrentProcess().PeakWorkingSet64;
        long peak = freeBefore is { } before && backend.FreeMemory is { } after ? before - after : processPeak;
        MachinePeaks peaks = calibrate();
        var table = new ProfileAggregation(training, watched, evaluated, peaks);
        double median = Median(plain);
        return new ProfileReport
        {
            Device = backend.Device.Name,
            DeviceDescription = backend.Device.Description,
            Precision = DeviceCatalog.WordOf(backend.Precision),
            Convolutions = backend.Choices?.Works ?? [],
            Model = training.Network.Graph.Name,
            Dataset = data.Train.Name,
            Method = SettingNames.Of(configuration.Dense.Method),
            Variant = training.Mask is not null ? "pruned" : training.Network.Graph.Channels is not null ? "narrow" : "dense",
            MultiplyAdds = training.MultiplyAdds,
            FullMultiplyAdds = training.FullMultiplyAdds,
            AttackSteps = TrainingMethodCatalog.Find(configuration.Dense.Method).AttackSteps(
                configuration.Dense, configuration.Attack),
            Sparsity = training.Sparsity,
            Batch = training.Batch,
            Batches = batches,
            ObservedBatches = watched,
            SecondsPerBatchMedian = median,
            SecondsPerBatchMin = plain.Min(),
            SecondsPerBatchMax = plain.Max(),
            ImagesPerSecond = training.Batch / median,
            SecondsPerEpoch = median * training.EpochImages / training.Batch,
            EvaluationSecondsPerEpoch = phases[StepPhase.Evaluation].Seconds * training.ValidationImages / evaluated,
            EpochImages = training.EpochImages,
            ObservedSecondsPerBatchMedian = Median(observed),
            OperationsSecondsPerBatchMedian = options.Operations ? Median(detailed) : null,
            ObservationCost = Median([.. observed.Select((seconds, i) => seconds / plain[i])]) - 1,
            OperationsCost = options.Operations ? Median([.. detailed.Select((seconds, i) => seconds / plain[i])]) - 1 : null,
            PeakMemoryBytes = peak,
            ProcessPeakBytes = processPeak,
            WarmupSeconds = warmup,
            MeanLoss = training.State.LossSum / training.State.SampleCount,
            Accuracy = (double)training.State.CorrectCount / training.State.SampleCount,
            Peaks = peaks,
            Phases = table.Phases(phases),
            Layers = options.Operations ? table.Layers(operations) : null,
            Operations = options.Operations ? table.Operations(operations) : null,
        };

        double Timed((long Start, long End) step, string name)
        {
            trace?.AddBatch(name, step.Start, step.End);
            Report(++done, step.Start, step.End);
            return Stopwatch.GetElapsedTime(step.Start, step.End).TotalSeconds;
        }

        void Report(long finished, long start, long end)
        {
            cancellation.ThrowIfCancellationRequested();
            progress.StepsDone(finished, training.Batch / Stopwatch.GetElapsedTime(start, end).TotalSeconds);
        }
    }

    private static double Median(double[] values)
    {
        double[] sorted = [.. values.Order()];
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }
}
