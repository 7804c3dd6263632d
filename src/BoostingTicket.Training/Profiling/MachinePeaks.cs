using System.Diagnostics;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Training.Profiling;

/// <summary>What a device can do at best, measured.</summary>
/// <param name="ArithmeticPerSecond">Floating-point operations a second, a multiply-add counting as two, in the backend's precision.</param>
/// <param name="BytesPerSecond">Bytes read and written a second by a copy too large for any cache.</param>
/// <param name="Method">How they were measured.</param>
public sealed record MachinePeaks(double ArithmeticPerSecond, double BytesPerSecond, string Method)
{
    // The matrix product is square in this; large enough for a GPU to be busy for a millisecond.
    private const int MatrixSize = 8192;
    private const int CopyBatch = 4096;
    private const int Repetitions = 10;

    /// <summary>Measures a device; takes well under a second.</summary>
    /// <param name="backend">The device.</param>
    /// <param name="threads">Threads that a processor computes on; 0 for one a processor.</param>
    public static MachinePeaks Measure(IBackend backend, int threads)
    {
        ArgumentNullException.ThrowIfNull(backend);
        return backend.Device.Name == DeviceCatalog.Cpu ? ProcessorPeaks.Measure(threads) : MeasureDevice(backend);
    }

    /// <summary>The shortest time in which the device could do some work: that of its arithmetic or of its traffic, whichever is
    /// longer.</summary>
    public double LeastSeconds(long arithmetic, long bytes) =>
        Math.Max(arithmetic / ArithmeticPerSecond, bytes / BytesPerSecond);

    private static MachinePeaks MeasureDevice(IBackend backend)
    {
        double arithmetic = 2.0 * MatrixSize * MatrixSize * MatrixSize / MatrixSeconds(backend);
        (double seconds, long bytes) = CopySeconds(backend);
        return new MachinePeaks(
            arithmetic, 2.0 * bytes / seconds, $"linear layer of {MatrixSize} features and as many samples, copy of {bytes >> 20} MiB");
    }

    private static double MatrixSeconds(IBackend backend)
    {
        var features = new FeatureShape(MatrixSize, 1, 1);
        var shape = ConvolutionShape.Linear(features, MatrixSize);
        using FloatBuffer weights = backend.CreateFloats(shape.WeightCount);
        using Filter filter = backend.CreateFilter(shape, FilterUses.Forward);
        Tensor x = backend.DescribeTensor(MatrixSize, features), y = backend.DescribeTensor(MatrixSize, features);
        using Arena arena = Place(backend, x, y);
        // Zeros cost a GPU less power, hence run faster, than what networks compute with.
        float[] values = new float[MatrixSize * MatrixSize];
        for (int i = 0; i < values.Length; i++)
            values[i] = Philox.Uniform((uint)i * 2654435761u) - 0.5f;
        backend.Upload(values, weights.All);
        backend.Upload(values, x);
        backend.PrepareFilter(filter, new FilterSource(weights.All, null, 0, null));
        return LeastSeconds(backend, () => backend.ConvolutionForward(filter, x, y, default));
    }

    private static (double Seconds, long Bytes) CopySeconds(IBackend backend)
    {
        var shape = new FeatureShape(64, 32, 32);
        Tensor x = backend.DescribeImages(CopyBatch / 4, shape), y = backend.DescribeImages(CopyBatch / 4, shape);
        using Arena arena = Place(backend, x, y);
        return (LeastSeconds(backend, () => backend.Copy(x, y)), x.Bytes);
    }

    private static Arena Place(IBackend backend, Tensor x, Tensor y)
    {
        long second = (x.Bytes + backend.Alignment - 1) / backend.Alignment * backend.Alignment;
        Arena arena = backend.CreateArena(second + y.Bytes);
        backend.Place(x, arena, 0);
        backend.Place(y, arena, second);
        return arena;
    }

    private static double LeastSeconds(IBackend backend, Action work)
    {
        double least = double.PositiveInfinity;
        for (int i = 0; i < Repetitions; i++)
        {
            backend.Synchronize();
            long start = Stopwatch.GetTimestamp();
            work();
            backend.Synchronize();
            least = Math.Min(least, Stopwatch.GetElapsedTime(start).TotalSeconds);
        }
        return least;
    }
}
