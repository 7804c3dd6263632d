using System.Diagnostics;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Devices;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Runs.Profiling;

/// <summary>What a device can do at best, measured.</summary>
/// <param name="ArithmeticPerSecond">Floating-point operations a second, a multiply-add counting as two, in the backend's
/// precision.</param>
/// <param name="BytesPerSecond">Bytes read and written a second by a copy too large for any cache.</param>
/// <param name="Method">How they were measured.</param>
internal sealed record MachinePeaks(double ArithmeticPerSecond, double BytesPerSecond, string Method)
{
    // Large enough for a GPU to be busy for a millisecond, and for a copy to leave its caches.
    private const int UsualFeatures = 8192;
    private const int UsualCopies = 1024;
    private const int Repetitions = 10;

    /// <summary>Measures a device; takes well under a second.</summary>
    /// <param name="backend">The device.</param>
    /// <param name="threads">Threads that a processor computes on; 0 for one a processor.</param>
    public static MachinePeaks Measure(IBackend backend, int threads)
    {
        ArgumentNullException.ThrowIfNull(backend);
        return backend.Device.Name == DeviceCatalog.Cpu
            ? ProcessorPeaks.Measure(threads)
            : MeasureDevice(backend, UsualFeatures, UsualCopies);
    }

    /// <summary>The shortest time in which the device could do some work: that of its arithmetic or of its traffic, whichever is
    /// longer.</summary>
    public double LeastSeconds(long arithmetic, long bytes) =>
        Math.Max(arithmetic / ArithmeticPerSecond, bytes / BytesPerSecond);

    /// <summary>Measures through the operations of a backend.</summary>
    /// <param name="backend">The device.</param>
    /// <param name="features">Inputs, outputs and samples of a linear layer.</param>
    /// <param name="copies">Copied images of 256 KiB.</param>
    internal static MachinePeaks MeasureDevice(IBackend backend, int features, int copies)
    {
        double arithmetic = 2.0 * features * features * features / LinearSeconds(backend, features);
        (double seconds, long bytes) = CopySeconds(backend, copies);
        return new MachinePeaks(
            arithmetic, 2.0 * bytes / seconds,
            $"linear layer of {features} features and as many samples, copy of {bytes >> 20} MiB");
    }

    private static double LinearSeconds(IBackend backend, int features)
    {
        var sample = new FeatureShape(features, 1, 1);
        var shape = ConvolutionShape.Linear(sample, features);
        using FloatBuffer weights = backend.CreateFloats(shape.WeightCount);
        using Filter filter = backend.CreateFilter(shape, FilterUses.Forward);
        Tensor x = backend.DescribeTensor(features, sample), y = backend.DescribeTensor(features, sample);
        using Arena arena = Place(backend, x, y);
        float[] values = Values(features * features);
        backend.Upload(values, weights.All);
        backend.Upload(values, x);
        backend.PrepareFilter(filter, new FilterSource(weights.All, null, 0, null));
        return LeastSeconds(backend, () => backend.ConvolutionForward(filter, x, y, default));
    }

    private static (double Seconds, long Bytes) CopySeconds(IBackend backend, int copies)
    {
        var shape = new FeatureShape(64, 32, 32);
        Tensor x = backend.DescribeImages(copies, shape), y = backend.DescribeImages(copies, shape);
        using Arena arena = Place(backend, x, y);
        backend.Upload(Values(checked((int)x.Length)), x);
        return (LeastSeconds(backend, () => backend.Copy(x, y)), x.Bytes);
    }

    // Zeros cost a GPU less power, hence run faster, than what networks compute with.
    private static float[] Values(int count)
    {
        float[] values = new float[count];
        for (int i = 0; i < values.Length; i++)
            values[i] = Philox.Uniform((uint)i * 2654435761u) - 0.5f;
        return values;
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
