using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cuda.Bindings;

namespace BoostingTicket.Engine.Cuda.Kernels;

/// <summary>Attacks within an L∞ ball, on float32 images. Kernels in <c>kernels/attack.cu</c>; the arithmetic is that of
/// <see cref="IBackend"/>.</summary>
internal sealed class AttackKernels
{
    private const string Family = "attack";

    /// <summary>Pixels of a sample that a thread draws random numbers for: a counter's four words.</summary>
    private const int PixelsPerDraw = 4;

    /// <summary>Values of a sample that a thread draws normal numbers for: a counter's four words.</summary>
    private const int ValuesPerDraw = 4;

    /// <summary>Blocks that measure a perturbation, at most.</summary>
    private const int MaximalMeasureBlocks = 512;

    /// <summary>Results of a measurement: largest perturbation, smallest and largest pixel.</summary>
    private const int Extents = 3;

    private readonly KernelLibrary _library;
    private readonly nint _randomStart, _normalStart, _step, _keepWorst, _measure, _measureTotal;

    /// <summary>Loads the kernels.</summary>
    public AttackKernels(KernelLibrary library)
    {
        _library = library;
        _randomStart = library.Function(Family, "attack_random_start_f32");
        _normalStart = library.Function(Family, "attack_normal_start_f32");
        _step = library.Function(Family, "attack_step_f32");
        _keepWorst = library.Function(Family, "attack_keep_worst_f32");
        _measure = library.Function(Family, "attack_measure_f32");
        _measureTotal = library.Function(Family, "attack_measure_total_f32");
    }

    /// <summary>A uniform random start in the ball, clamped to [0, 1], the same to the bit on every backend.</summary>
    /// <param name="clean">N images, float32.</param>
    /// <param name="samples">N identities, int32.</param>
    /// <param name="epsilon">Radius in pixel units.</param>
    /// <param name="key">Stream, epoch and restart.</param>
    /// <param name="adversarial">N images, float32; overwritten. May be <paramref name="clean"/>.</param>
    public void RandomStart(
        in TensorView clean, DevicePointer samples, float epsilon, RandomStartKey key, in TensorView adversarial)
    {
        RequireImages(clean, adversarial, "adversarial images");
        int draws = (clean.Shape.Pixels + PixelsPerDraw - 1) / PixelsPerDraw;
        _library.Launch(
            _randomStart, KernelLibrary.PerSample(draws, clean.Batch), clean.Data, samples, epsilon, (uint)key.Key,
            (uint)(key.Key >> 32), key.Epoch, key.Restart, adversarial.Data, clean.Batch, clean.Shape.Channels,
            clean.PhysicalChannels, clean.Shape.Pixels);
    }

    /// <summary>A normally distributed start around the clean image, not clamped.</summary>
    /// <param name="clean">N images, float32.</param>
    /// <param name="samples">N identities, int32.</param>
    /// <param name="deviation">Standard deviation in pixel units.</param>
    /// <param name="key">Stream, epoch and restart.</param>
    /// <param name="adversarial">N images, float32; overwritten. May be <paramref name="clean"/>.</param>
    public void NormalStart(
        in TensorView clean, DevicePointer samples, float deviation, RandomStartKey key, in TensorView adversarial)
    {
        RequireImages(clean, adversarial, "adversarial images");
        int draws = (clean.Shape.Length + ValuesPerDraw - 1) / ValuesPerDraw;
        _library.Launch(
            _normalStart, KernelLibrary.PerSample(draws, clean.Batch), clean.Data, samples, deviation, (uint)key.Key,
            (uint)(key.Key >> 32), key.Epoch, key.Restart, adversarial.Data, clean.Batch, clean.Shape.Channels,
            clean.PhysicalChannels, clean.Shape.Pixels);
    }

    /// <summary><c>adversarial = clamp(clamp(adversarial + α sign(gradient), clean - ε, clean + ε), 0, 1)</c>.</summary>
    /// <param name="clean">N images, float32.</param>
    /// <param name="gradient">Gradient of the loss to be raised, float32.</param>
    /// <param name="epsilon">ε in pixel units.</param>
    /// <param name="stepSize">α in pixel units.</param>
    /// <param name="adversarial">N images, float32; read and written.</param>
    public void AttackStep(
        in TensorView clean, in TensorView gradient, float epsilon, float stepSize, in TensorView adversarial)
    {
        RequireImages(clean, gradient, "gradient");
        RequireImages(clean, adversarial, "adversarial images");
        long vectors = clean.PhysicalLength / clean.VectorLength;
        _library.Launch(
            _step, KernelLibrary.OneEach(vectors), clean.Data, gradient.Data, epsilon, stepSize, adversarial.Data, vectors);
    }

    /// <summary>Where a candidate's loss is larger than the best one, the candidate and its loss replace the best. The loss of a
    /// misclassified candidate counts as infinite.</summary>
    /// <param name="candidate">N images, float32.</param>
    /// <param name="candidateLosses">N losses, float32.</param>
    /// <param name="best">N images, float32; read and written.</param>
    /// <param name="bestLosses">N losses, float32; read and written.</param>
    /// <param name="candidateCorrect">N float32, 0 for a misclassified candidate; null where losses alone count.</param>
    public void KeepWorst(
        in TensorView candidate, DevicePointer candidateLosses, in TensorView best, DevicePointer bestLosses,
        DevicePointer candidateCorrect = default)
    {
        RequireImages(candidate, best, "best images");
        long vectors = candidate.PhysicalLength / candidate.VectorLength / candidate.Batch;
        _library.Launch(
            _keepWorst, new LaunchGrid((uint)candidate.Batch, KernelLibrary.BlockThreads), candidate.Data, candidateLosses,
            best.Data, bestLosses, candidateCorrect, vectors);
    }

    /// <summary>Largest |adversarial - clean|, smallest and largest adversarial pixel, as three float32; NaN where there was
    /// one.</summary>
    /// <param name="clean">N images, float32.</param>
    /// <param name="adversarial">N images, float32.</param>
    /// <param name="scratch"><see cref="MeasureScratchBytes"/> bytes.</param>
    /// <param name="result">Receives three float32.</param>
    public void MeasurePerturbation(
        in TensorView clean, in TensorView adversarial, DevicePointer scratch, DevicePointer result)
    {
        RequireImages(clean, adversarial, "adversarial images");
        int blocks = MeasureBlocks(clean);
        _library.Launch(
            _measure, new LaunchGrid((uint)blocks, KernelLibrary.BlockThreads), clean.Data, adversarial.Data,
            clean.Shape.Channels, clean.PhysicalChannels, clean.Pixels, scratch);
        _library.Launch(_measureTotal, new LaunchGrid(1, KernelLibrary.BlockThreads), scratch, blocks, result);
    }

    /// <summary>Bytes of scratch memory that <see cref="MeasurePerturbation"/> needs, aligned to 4 bytes.</summary>
    public static long MeasureScratchBytes(in TensorView images) => (long)MeasureBlocks(images) * Extents * sizeof(float);

    private static int MeasureBlocks(in TensorView images) =>
        (int)Math.Clamp((images.Pixels + KernelLibrary.BlockThreads - 1) / KernelLibrary.BlockThreads, 1, MaximalMeasureBlocks);

    private static void RequireImages(in TensorView images, in TensorView others, string what)
    {
        Operand.RequireType(images, ElementType.Float32, "images");
        Operand.RequireType(others, ElementType.Float32, what);
        Operand.RequireSameShape(others, images, what);
    }
}
