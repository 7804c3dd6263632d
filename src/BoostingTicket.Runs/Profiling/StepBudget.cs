using System.Globalization;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cuda;
using BoostingTicket.Engine.Cuda.Counting;
using BoostingTicket.Engine.Devices;
using BoostingTicket.Engine.Graph;
using BoostingTicket.Engine.Plans;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Runs.Reporting;
using BoostingTicket.Runs.Stages;
using BoostingTicket.Training;
using BoostingTicket.Training.Checkpoints;
using BoostingTicket.Training.Data;
using BoostingTicket.Training.Models;
using BoostingTicket.Training.Optimization;
using BoostingTicket.Training.Pruning;

namespace BoostingTicket.Runs.Profiling;

/// <summary>What a step of training asks of a GPU, counted without one: the real plans and the real step run on a device that
/// computes nothing.</summary>
/// <param name="Model">Network.</param>
/// <param name="Method">Method of training.</param>
/// <param name="Precision">Number format, as settings spell it.</param>
/// <param name="Batch">Images a step.</param>
/// <param name="EpochImages">Images an epoch.</param>
/// <param name="Launches">Own kernels that run.</param>
/// <param name="LibraryCalls">Calls of cuDNN and cuBLAS that compute.</param>
/// <param name="KernelBytes">Bytes that own kernels read and write.</param>
/// <param name="LibraryBytes">Bytes of operands and results of library calls.</param>
/// <param name="LibraryOperations">Multiplications and additions of library calls.</param>
/// <param name="HostWaits">Times that the host waits for the GPU.</param>
/// <param name="GraphLaunches">Launches of recorded work.</param>
/// <param name="Gpus">What GPUs need at least. Calculated, not measured.</param>
internal sealed record StepBudget(
    string Model, string Method, string Precision, int Batch, int EpochImages, long Launches, long LibraryCalls, long KernelBytes,
    long LibraryBytes, double LibraryOperations, long HostWaits, long GraphLaunches, IReadOnlyList<GpuEstimate> Gpus)
{
    // The first step chooses algorithms, the second records.
    private const int StepsBefore = 3;

    /// <summary>Counts a step of a configuration's dense training.</summary>
    /// <param name="configuration">Settings; of data sets only shapes and sizes count, no file is read.</param>
    /// <param name="options">What is pruned before, and from which weights; null for nothing.</param>
    /// <exception cref="ConfigurationException">The network does not take such images, or no known GPU has the
    /// precision.</exception>
    /// <exception cref="DeviceException">No known GPU has the memory.</exception>
    public static StepBudget Count(RunConfiguration configuration, ProfileOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        IDataSet set = DataSetCatalog.Find(configuration.Data.Name);
        // What GPUs that have it take by themselves.
        Precision precision = configuration.DeviceOptions(0).Precision ?? Engine.Tensors.Precision.TensorFloat32;
        int images = configuration.Data.TrainSamples > 0 ? configuration.Data.TrainSamples : set.TrainSamples;
        images -= configuration.Data.ValidationSamples;
        int batch = configuration.Dense.BatchSize;
        WorkCount? counted = null;
        var estimates = new List<GpuEstimate>();
        DeviceException? lacking = null;
        foreach (GpuModel gpu in GpuModel.All.Where(gpu => gpu.Has(precision)))
        {
            try
            {
                (WorkCount step, long memory) = CountStep(
                    configuration, set, gpu, precision, batch, options);
                counted ??= step;
                estimates.Add(new GpuEstimate(
                    gpu.Key, gpu.Name, memory, step.LeastSeconds, step.LeastSeconds * images / batch));
            }
            catch (DeviceException failure)
            {
                lacking = failure;
            }
        }
        if (counted is not { } work)
            throw lacking ?? new DeviceException($"No known GPU computes in {DeviceCatalog.WordOf(precision)}.");
        return new StepBudget(
            configuration.Model, SettingNames.Of(configuration.Dense.Method), DeviceCatalog.WordOf(precision), batch, images,
            work.Launches, work.LibraryCalls, work.KernelBytes, work.LibraryBytes, work.LibraryOperations, work.HostWaits,
            work.GraphLaunches, estimates);
    }

    /// <summary>Writes the budget as text for people.</summary>
    public void Write(TextWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.WriteLine(Format(
            $"A step of {Method} training of {Model} on {Batch} images in {Precision} (counted; nothing was computed):"));
        writer.WriteLine();
        var counts = new TextTable("what", ">a step");
        counts.Add("launches of own kernels", Format($"{Launches:N0}"));
        counts.Add("calls of cuDNN and cuBLAS", Format($"{LibraryCalls:N0}"));
        counts.Add("bytes of own kernels", Format($"{KernelBytes / 1e9:F2} GB"));
        counts.Add("bytes of cuDNN and cuBLAS", Format($"{LibraryBytes / 1e9:F2} GB"));
        counts.Add("operations of cuDNN and cuBLAS", Format($"{LibraryOperations / 1e12:F2} T"));
        counts.Add("waits of the host", Format($"{HostWaits:N0}"));
        counts.Add("launches of graphs", Format($"{GraphLaunches:N0}"));
        counts.Write(writer);
        writer.WriteLine();
        writer.WriteLine(Format(
            $"At the peaks of a GPU, so at least (calculated, not measured; an epoch of {EpochImages:N0} images):"));
        writer.WriteLine();
        var gpus = new TextTable("GPU", ">memory GiB", ">ms a step", ">an epoch");
        foreach (GpuEstimate gpu in Gpus)
        {
            gpus.Add(
                gpu.Name, Format($"{gpu.MemoryBytes / (double)(1 << 30):F1}"), Format($"{gpu.SecondsPerStep * 1000:F1}"),
                Format($"{gpu.SecondsPerEpoch:F1} s"));
        }
        gpus.Write(writer);
    }

    /// <summary>Runs a few steps on a device that counts.</summary>
    /// <returns>What one asks for, and the most memory that was held.</returns>
    internal static (WorkCount Step, long MemoryBytes) CountStep(
        RunConfiguration configuration, IDataSet set, GpuModel gpu, Precision precision, int batch,
        ProfileOptions? options = null)
    {
        FeatureShape shape = set.Shape;
        var images = new ImageSet(
            set.Name, shape.Channels, shape.Height, shape.Width, set.Classes, new byte[batch * shape.Length], new byte[batch]);
        var data = new DataSplit(images, images);
        // Which constants they are costs nothing.
        var constants = new InputNormalizationConstants(new float[shape.Channels], [.. Enumerable.Repeat(1f, shape.Channels)]);
        NetworkGraph graph = TicketRun.BuildModel(configuration, data, configuration.Data.Normalize ? constants : null);
        TrainingJob job = TrainingJob.Of(configuration, configuration.Dense, configuration.Seed);
        Mask? mask = null;
        if (options is not null)
        {
            if (options.Weights is { } path)
                graph = WeightFile.GraphOf(path, graph);
            ModelState values = options is { Weights: { } file, Sparsity: > 0 }
                ? WeightFile.Load(file, graph).State
                : job.DrawStart(graph.Table);
            SubNetwork? pruned = ProfiledTraining.Prune(graph, values, configuration.Pruning, options.Sparsity);
            graph = pruned?.Graph ?? graph;
            mask = pruned?.TrainingMask;
        }
        var device = new CountingDevice(gpu);
        using IBackend backend = device.Open(new CudaOptions(Precision: precision, Deterministic: configuration.Deterministic));
        using var network = new Network(graph, backend);
        network.Parameters.SetMasks(mask?.ToFloats());
        using var onDevice = new DeviceImages(images, backend);
        TrainingSettings settings = job.Settings;
        using var step = new TrainingStep(
            network, onDevice, new SgdOptimizer(network, settings), settings, job.Attack, job.Seed, batch);
        var requests = new ImageRequest[batch];
        new EpochOrder([.. Enumerable.Range(0, batch)], batch, Augmentation.None, job.Seed).Fill(0, requests);
        var state = new TrainingState();
        for (int i = 0; i < StepsBefore; i++)
            step.Run(requests, settings.LearningRate, state);
        WorkCount before = device.Total;
        step.Run(requests, settings.LearningRate, state);
        return (device.Total - before, device.PeakBytes);
    }

    private static string Format(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}

/// <summary>What a GPU needs for a step at least, at its peaks. Calculated, not measured.</summary>
/// <param name="Key">Short name.</param>
/// <param name="Name">Name.</param>
/// <param name="MemoryBytes">Bytes that are held on it, images but for a batch not counted.</param>
/// <param name="SecondsPerStep">Seconds a step.</param>
/// <param name="SecondsPerEpoch">Seconds of an epoch's steps.</param>
internal sealed record GpuEstimate(string Key, string Name, long MemoryBytes, double SecondsPerStep, double SecondsPerEpoch);
