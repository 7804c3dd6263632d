using System.Runtime.CompilerServices;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cpu;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.SoftwareCuda;

/// <summary>What the CUDA backend computes in bfloat16, on the CPU's backend and so fast enough for a whole training: every
/// feature map, every gradient of one and every packed weight is rounded to bfloat16 when it is written; sums, statistics,
/// weights and images are float32. It rounds where the CUDA backend does, but for single bits (an epilogue that cuDNN does in one
/// call rounds once, in two calls twice).</summary>
internal sealed unsafe class BFloat16Cpu : IBackend
{
    private readonly IBackend _inner;
    private readonly HashSet<Tensor> _images = [];
    private readonly Dictionary<(int, FeatureShape), Tensor> _converted = [];
    private readonly ConditionalWeakTable<Filter, FloatBuffer> _weights = [];
    private readonly List<IDisposable> _owned = [];

    /// <summary>Opens the CPU.</summary>
    /// <param name="threads">Threads to compute on.</param>
    public BFloat16Cpu(int threads) => _inner = CpuBackend.Create(threads);

    public DeviceInfo Device => _inner.Device;

    public Precision Precision => Precision.BFloat16;

    public long? FreeMemory => _inner.FreeMemory;

    public int Alignment => _inner.Alignment;

    public Tensor DescribeTensor(int batch, FeatureShape shape) => _inner.DescribeTensor(batch, shape);

    public Tensor DescribeImages(int batch, FeatureShape shape)
    {
        Tensor images = _inner.DescribeImages(batch, shape);
        _images.Add(images);
        return images;
    }

    public Arena CreateArena(long bytes) => _inner.CreateArena(bytes);

    public void Place(Tensor tensor, Arena arena, long offset) => _inner.Place(tensor, arena, offset);

    public FloatBuffer CreateFloats(int length) => _inner.CreateFloats(length);

    public IntBuffer CreateInts(int length) => _inner.CreateInts(length);

    public void Upload(ReadOnlySpan<float> source, Tensor destination)
    {
        _inner.Upload(source, destination);
        Round(destination);
    }

    public void Download(Tensor source, Span<float> destination) => _inner.Download(source, destination);

    public void Upload(ReadOnlySpan<float> source, BufferSlice destination) => _inner.Upload(source, destination);

    public void Download(BufferSlice source, Span<float> destination) => _inner.Download(source, destination);

    public void Upload(ReadOnlySpan<int> source, IntBuffer destination) => _inner.Upload(source, destination);

    public void Copy(Tensor source, Tensor destination)
    {
        _inner.Copy(source, destination);
        Round(destination);
    }

    public void Copy(BufferSlice source, BufferSlice destination) => _inner.Copy(source, destination);

    public void Fill(BufferSlice destination, float value) => _inner.Fill(destination, value);

    public void Synchronize() => _inner.Synchronize();

    public void RandomStart(Tensor clean, IntBuffer samples, float epsilon, RandomStartKey key, Tensor adversarial) =>
        _inner.RandomStart(clean, samples, epsilon, key, adversarial);

    public void NormalStart(Tensor clean, IntBuffer samples, float deviation, RandomStartKey key, Tensor adversarial) =>
        _inner.NormalStart(clean, samples, deviation, key, adversarial);

    public void AttackStep(Tensor clean, Tensor gradient, float epsilon, float stepSize, Tensor adversarial) =>
        _inner.AttackStep(clean, gradient, epsilon, stepSize, adversarial);

    public void KeepWorst(
        Tensor candidate, FloatBuffer candidateLosses, Tensor best, FloatBuffer bestLosses,
        FloatBuffer? candidateCorrect = null) =>
        _inner.KeepWorst(candidate, candidateLosses, best, bestLosses, candidateCorrect);

    public PerturbationExtent MeasurePerturbation(Tensor clean, Tensor adversarial) =>
        _inner.MeasurePerturbation(clean, adversarial);

    public Filter CreateFilter(ConvolutionShape shape, FilterUses uses) => _inner.CreateFilter(shape, uses);

    public void PrepareFilter(Filter filter, in FilterSource source)
    {
        float[] weights = Values(source.Weight);
        if (source.Scale is { } slice)
        {
            float[] scale = Values(slice);
            int taps = weights.Length / scale.Length;
            for (int i = 0; i < weights.Length; i++)
                weights[i] *= scale[i / taps];
        }
        FloatBuffer packed = _weights.GetValue(filter, _ => Owned(_inner.CreateFloats(weights.Length)));
        _inner.Upload(Rounded(weights), packed.All);
        _inner.PrepareFilter(filter, source with { Weight = packed.All, Scale = null });
    }

    public void ConvolutionForward(Filter filter, Tensor x, Tensor y, in ForwardEpilogue epilogue)
    {
        _inner.ConvolutionForward(filter, Converted(x), y, epilogue);
        Round(y);
    }

    public void ConvolutionBackwardInput(Filter filter, Tensor dy, Tensor dx, in GradientEpilogue epilogue)
    {
        if (epilogue.Addend == dx)
        {
            // In one call, as where the library adds to its destination.
            _inner.ConvolutionBackwardInput(filter, dy, dx, epilogue);
        }
        else
        {
            _inner.ConvolutionBackwardInput(filter, dy, dx, default);
            RoundAlways(dx);
            if (epilogue.Addend is not null || epilogue.Through is not null)
                _inner.ElementwiseBackward(dx, dx, epilogue);
        }
        Round(dx);
    }

    public void ConvolutionBackwardFilter(Filter filter, Tensor x, Tensor dy, BufferSlice dw)
    {
        _inner.ConvolutionBackwardFilter(filter, Converted(x), dy, dw);
        _inner.Upload(Rounded(Values(dw)), dw);
    }

    public void BiasBackward(Tensor dy, BufferSlice db) => _inner.BiasBackward(dy, db);

    public ImageStore CreateImageStore(ReadOnlySpan<byte> pixels, FeatureShape shape) => _inner.CreateImageStore(pixels, shape);

    public void GatherImages(ImageStore store, ReadOnlySpan<ImageRequest> requests, Tensor destination) =>
        _inner.GatherImages(store, requests, destination);

    public void ElementwiseForward(Tensor x, Tensor y, in ForwardEpilogue epilogue)
    {
        _inner.ElementwiseForward(x, y, epilogue);
        Round(y);
    }

    public void ElementwiseBackward(Tensor dy, Tensor dx, in GradientEpilogue epilogue)
    {
        _inner.ElementwiseBackward(dy, dx, epilogue);
        Round(dx);
    }

    public void PoolForward(PoolShape pool, Tensor x, Tensor y)
    {
        _inner.PoolForward(pool, x, y);
        Round(y);
    }

    public void PoolBackward(PoolShape pool, Tensor x, Tensor y, Tensor dy, Tensor dx, in GradientEpilogue epilogue)
    {
        _inner.PoolBackward(pool, x, y, dy, dx, epilogue);
        Round(dx);
    }

    public void Loss(
        LossKind kind, Tensor logits, IntBuffer labels, FloatBuffer losses, FloatBuffer correct, Tensor? gradient,
        float gradientScale)
    {
        _inner.Loss(kind, logits, labels, losses, correct, gradient, gradientScale);
        if (gradient is not null)
            Round(gradient);
    }

    public void Divergence(
        Tensor reference, Tensor logits, FloatBuffer divergences, Tensor? referenceGradient, Tensor? gradient,
        float gradientScale)
    {
        _inner.Divergence(reference, logits, divergences, referenceGradient, gradient, gradientScale);
        if (referenceGradient is not null)
            Round(referenceGradient);
        if (gradient is not null)
            Round(gradient);
    }

    public void NormalizationForward(
        in NormalizationOperands operands, RunningStatistics? running, Tensor x, Tensor y, in ForwardEpilogue epilogue)
    {
        _inner.NormalizationForward(operands, running, x, y, epilogue);
        Round(y);
    }

    public void NormalizationBackward(
        in NormalizationOperands operands, Tensor x, Tensor dy, Tensor dx, BufferSlice? dScale, BufferSlice? dShift,
        in GradientEpilogue epilogue)
    {
        _inner.NormalizationBackward(operands, x, dy, dx, dScale, dShift, epilogue);
        Round(dx);
    }

    public void FoldNormalization(
        BufferSlice gamma, BufferSlice beta, BufferSlice mean, BufferSlice variance, float epsilon, BufferSlice? bias,
        BufferSlice scale, BufferSlice shift) =>
        _inner.FoldNormalization(gamma, beta, mean, variance, epsilon, bias, scale, shift);

    public void ScaleForward(Tensor x, BufferSlice scale, Tensor y, in ForwardEpilogue epilogue)
    {
        _inner.ScaleForward(x, scale, y, epilogue);
        Round(y);
    }

    public void ScaleBackward(Tensor dy, BufferSlice scale, Tensor dx, in GradientEpilogue epilogue)
    {
        _inner.ScaleBackward(dy, scale, dx, epilogue);
        Round(dx);
    }

    public void SgdStep(
        in SgdOptions options, BufferSlice gradients, BufferSlice momenta, BufferSlice? masks, BufferSlice weights) =>
        _inner.SgdStep(options, gradients, momenta, masks, weights);

    public void ApplyMask(BufferSlice masks, BufferSlice values) => _inner.ApplyMask(masks, values);

    public void Blend(BufferSlice source, float sourceFactor, float factor, BufferSlice values) =>
        _inner.Blend(source, sourceFactor, factor, values);

    public void Pack(BufferSlice values, IntBuffer indices, BufferSlice packed) => _inner.Pack(values, indices, packed);

    public void Unpack(BufferSlice packed, IntBuffer indices, BufferSlice values) => _inner.Unpack(packed, indices, values);

    public double Sum(BufferSlice values) => _inner.Sum(values);

    public void Dispose()
    {
        foreach (IDisposable owned in _owned)
            owned.Dispose();
        _inner.Dispose();
    }

    private T Owned<T>(T owned)
        where T : IDisposable
    {
        _owned.Add(owned);
        return owned;
    }

    private float[] Values(BufferSlice slice)
    {
        float[] values = new float[slice.Length];
        _inner.Download(slice, values);
        return values;
    }

    // A convolution of images takes them as bfloat16.
    private Tensor Converted(Tensor x)
    {
        if (!_images.Contains(x))
            return x;
        if (!_converted.TryGetValue((x.Batch, x.Shape), out Tensor? converted))
        {
            converted = _inner.DescribeTensor(x.Batch, x.Shape);
            _inner.Place(converted, Owned(_inner.CreateArena(converted.Bytes)), 0);
            _converted.Add((x.Batch, x.Shape), converted);
        }
        _inner.Copy(x, converted);
        RoundAlways(converted);
        return converted;
    }

    private void Round(Tensor tensor)
    {
        if (!_images.Contains(tensor))
            RoundAlways(tensor);
    }

    private static void RoundAlways(Tensor tensor)
    {
        var values = CpuTensor.Of(tensor);
        Rounded(new Span<float>(values.Data, checked((int)values.PhysicalLength)));
    }

    private static float[] Rounded(float[] values)
    {
        Rounded(values.AsSpan());
        return values;
    }

    // To nearest, ties to even; NaN stays NaN.
    private static void Rounded(Span<float> values)
    {
        foreach (ref float value in values)
        {
            uint bits = BitConverter.SingleToUInt32Bits(value);
            bits = float.IsNaN(value) ? bits | 0x400000 : bits + 0x7fff + ((bits >> 16) & 1);
            value = BitConverter.UInt32BitsToSingle(bits & 0xffff0000);
        }
    }
}
