using System.Collections.Concurrent;
using System.Globalization;
using System.Text.RegularExpressions;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cuda;
using BoostingTicket.Engine.Cuda.Counting;
using BoostingTicket.Engine.Graph;
using BoostingTicket.Engine.Plans;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Runs.Stages;
using BoostingTicket.Training;
using BoostingTicket.Training.Data;
using BoostingTicket.Training.Evaluation;
using BoostingTicket.Training.Models;
using BoostingTicket.Training.Optimization;
using BoostingTicket.Training.Testing;

namespace BoostingTicket.Runs.Tests.Stages;

/// <summary>The need for memory that is stated before a run begins, and the batch that would fit, on GPUs of any size, which
/// compute nothing.</summary>
internal sealed class RunMemoryTests
{
    private const int Largest = 64;
    private const long Mebibyte = 1 << 20;
    private const long Page = 4096;

    private static readonly DataSplit Data = SyntheticImages.Generate("synthetic-32", 3, 32, 200, 80, seed: 3);

    private static readonly ConcurrentDictionary<TrainingMethod, long> LeastMemory = new();

    [Test]
    public void What_fits_is_noted_and_let_through([Values] TrainingMethod method)
    {
        string note = Require(method, Largest, GpuModel.All[0].MemoryBytes);
        Assert.That(note, Does.Match(@"^Memory: [1-9][0-9]* MiB on .*feature maps [1-9]"));
    }

    [Test]
    public void The_batch_named_is_the_largest_that_fits([Values] TrainingMethod method, [Values(4, 9, 15)] int mebibytes)
    {
        long memory = Least(method) + mebibytes * Mebibyte;
        int fitting = Fitting(Assert.Throws<NotEnoughMemoryException>(() => Require(method, Largest, memory))!);

        Assert.Multiple(() =>
        {
            Assert.That(fitting, Is.InRange(2, Largest - 1));
            Assert.DoesNotThrow(() => Require(method, fitting, memory));
            NotEnoughMemoryException? next = Assert.Throws<NotEnoughMemoryException>(() => Require(method, fitting + 1, memory));
            Assert.That(Fitting(next!), Is.EqualTo(fitting), "the search ends at the same batch wherever it begins");
        });
    }

    [Test]
    public void More_memory_fits_a_larger_batch([Values] TrainingMethod method)
    {
        int[] fitting =
        [
            .. new[] { 3, 6, 9, 12, 15 }.Select(mebibytes => Fitting(Assert.Throws<NotEnoughMemoryException>(
                () => Require(method, Largest, Least(method) + mebibytes * Mebibyte))!)),
        ];
        Assert.That(fitting, Is.Ordered.And.Unique);
    }

    [Test]
    public void Where_no_batch_fits_the_message_says_so()
    {
        long memory = Least(TrainingMethod.Pgd) - Page;
        NotEnoughMemoryException failure = Assert.Throws<NotEnoughMemoryException>(
            () => Require(TrainingMethod.Pgd, Largest, memory))!;
        Assert.That(failure.Message, Does.Contain("no batch size fits"));
    }

    [Test]
    public void Evaluation_counts_where_its_batch_is_the_largest()
    {
        long memory = Least(TrainingMethod.Natural) + 4 * Mebibyte;
        int fitting = Fitting(
            Assert.Throws<NotEnoughMemoryException>(() => Require(TrainingMethod.Natural, 1, memory, evaluation: 80))!);
        Assert.DoesNotThrow(() => Require(TrainingMethod.Natural, 1, memory, evaluation: fitting));
        Assert.Throws<NotEnoughMemoryException>(() => Require(TrainingMethod.Natural, 1, memory, evaluation: fitting + 1));
    }

    [Test]
    public void An_average_of_the_weights_counts()
    {
        double without = Stated(null), with = Stated(0.999);
        Assert.That(with - without, Is.EqualTo(WeightAverage.Bytes(Graph().Table) / (double)Mebibyte).Within(1.01).And.Positive);

        static double Stated(double? ema) => double.Parse(
            Regex.Match(Require(TrainingMethod.Pgd, Largest, GpuModel.All[0].MemoryBytes, ema: ema), "[0-9]+").Value,
            CultureInfo.InvariantCulture);
    }

    // The least memory with which batches of one image are let through, found by trying; a page less is refused.
    private static long Least(TrainingMethod method) => LeastMemory.GetOrAdd(method, _ =>
    {
        long refused = 0, fits = 256 * Mebibyte;
        while (fits - refused > Page)
        {
            long middle = refused + (fits - refused) / 2;
            try
            {
                Require(method, 1, middle);
                fits = middle;
            }
            catch (Exception error) when (error is DeviceException or NotEnoughMemoryException)
            {
                refused = middle;
            }
        }
        return fits;
    });

    // The batch is the last number of the message.
    private static int Fitting(NotEnoughMemoryException failure) =>
        int.Parse(Regex.Matches(failure.Message, "[0-9]+")[^1].Value, CultureInfo.InvariantCulture);

    private static NetworkGraph Graph() =>
        ModelCatalog.Build("resnet18-w16", new ModelOptions(new FeatureShape(3, 32, 32), 10, null));

    private static string Require(TrainingMethod method, int batch, long memory, int evaluation = 1, double? ema = null)
    {
        var training = new TrainingSettings { Method = method, BatchSize = batch, Ema = ema };
        var configuration = new RunConfiguration
        {
            Model = "resnet18-w16",
            Data = new DataSettings { ValidationSamples = 80 },
            Donor = training,
            Retrain = training,
            Dense = training,
            Evaluation = new EvaluationSettings { BatchSize = evaluation },
        };
        using IBackend backend = new CountingDevice(GpuModel.All[0] with { MemoryBytes = memory })
            .Open(new CudaOptions(Precision: Precision.Float32));
        using var data = new RunData(Data, configuration.Data, backend);
        using var network = new Network(Graph(), backend);
        using var progress = new CountingProgress();
        RunMemory.Require(configuration, [training, training], network, data, progress);
        return progress.Notes.Single();
    }
}
