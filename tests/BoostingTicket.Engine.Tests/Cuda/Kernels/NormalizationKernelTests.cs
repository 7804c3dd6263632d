using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cuda;
using BoostingTicket.Engine.Cuda.Bindings;
using BoostingTicket.Engine.Cuda.Kernels;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Engine.Testing.Operations;

namespace BoostingTicket.Engine.Tests.Cuda.Kernels;

internal sealed class NormalizationKernelTests
{
    private const float Epsilon = 1e-5f;
    private const float Momentum = 0.1f;

    // Padding; three values a channel (of two, the gradient would vanish); lanes without a vector; whole batches of pixels and a
    // rest; more chunks than a finishing block has rows.
    private static readonly (int Batch, FeatureShape Shape)[] Sizes =
    [
        (18, new FeatureShape(3, 5, 7)), (3, new FeatureShape(10)), (33, new FeatureShape(17, 2, 3)), (5, new FeatureShape(500)),
        (16, new FeatureShape(128, 12, 12)),
    ];

    /// <summary>Every ending, in place or not; x and a residual in y cannot both be one tensor.</summary>
    private static IEnumerable<TestCaseData> Endings =>
        from type in Enum.GetValues<ElementType>()
        from summand in Enum.GetValues<Summand>()
        from relu in new[] { false, true }
        from inPlace in new[] { false, true }
        where !inPlace || summand != Summand.Destination
        select new TestCaseData(type, summand, relu, inPlace);

    [Test]
    public void Forward_normalises_by_the_batch_and_updates_running_statistics(
        [Values] ElementType type, [ValueSource(nameof(Sizes))] (int Batch, FeatureShape Shape) size)
    {
        using var bench = new TensorBench($"normalization forward {type} {size}");
        var work = new Forward(bench, type, size.Batch, size.Shape, mean: 0.5f, deviation: 2);
        work.Run(bench.Tensor(type, size.Batch, size.Shape), null, null, relu: false, withRunning: true);
        work.AssertResults(type);
    }

    [TestCaseSource(nameof(Endings))]
    public void Forward_adds_the_residual_and_applies_the_relu(
        ElementType type, Summand residual, bool relu, bool inPlace)
    {
        (int batch, FeatureShape shape) = Sizes[0];
        using var bench = new TensorBench($"normalization forward {type} {residual} {relu} {inPlace}");
        var work = new Forward(bench, type, batch, shape, mean: 0.5f, deviation: 2);
        float[] summand = bench.Normal(type, batch * shape.Length);
        TensorView y = inPlace ? work.X
            : residual == Summand.Destination ? bench.Tensor(type, batch, shape, summand)
            : bench.Tensor(type, batch, shape);
        TensorView? other = residual switch
        {
            Summand.Separate => bench.Tensor(type, batch, shape, summand),
            Summand.Destination => y,
            _ => null,
        };
        work.Run(y, other, other is null ? null : summand, relu, withRunning: false);
        work.AssertResults(type);
    }

    /// <summary>A mean a thousand times the deviation: the variance must not be a difference of large squares.</summary>
    [Test]
    public void Forward_keeps_its_digits_far_from_zero()
    {
        (int batch, FeatureShape shape) = Sizes[0];
        using var bench = new TensorBench("normalization far from zero");
        var work = new Forward(bench, ElementType.Float32, batch, shape, mean: 100, deviation: 0.1f);
        work.Run(bench.Tensor(ElementType.Float32, batch, shape), null, null, relu: false, withRunning: true);
        work.AssertResults(ElementType.Float32);
    }

    /// <summary>The first value of a chunk, which distances are taken to, lies far from all others.</summary>
    [Test]
    public void Forward_withstands_an_outlier_in_the_first_place()
    {
        (int batch, FeatureShape shape) = Sizes[0];
        using var bench = new TensorBench("normalization outlier");
        var work = new Forward(bench, ElementType.Float32, batch, shape, mean: 10, deviation: 0.1f, first: -1000);
        work.Run(bench.Tensor(ElementType.Float32, batch, shape), null, null, relu: false, withRunning: true);
        work.AssertResults(ElementType.Float32, roundings: 4096);
    }

    [Test]
    public void Forward_of_a_constant_is_beta([Values] ElementType type)
    {
        (int batch, FeatureShape shape) = Sizes[0];
        using var bench = new TensorBench($"normalization constant {type}");
        var work = new Forward(bench, type, batch, shape, mean: 0.75f, deviation: 0);
        TensorView y = bench.Tensor(type, batch, shape);
        work.Run(y, null, null, relu: false, withRunning: false);
        double[] expected = new double[batch * shape.Length];
        for (int i = 0; i < expected.Length; i++)
            expected[i] = KernelBench.Rounded(type, work.Beta[i / shape.Pixels % shape.Channels]);
        Assert.That(bench.Read(y), Is.EqualTo(expected));
    }

    [Test]
    public void Not_a_number_passes_the_relu([Values] ElementType type)
    {
        var shape = new FeatureShape(3, 4, 4);
        using var bench = new TensorBench($"normalization NaN {type}");
        float[] values = bench.Normal(type, 5 * shape.Length);
        values[30] = float.NaN;
        TensorView x = bench.Tensor(type, 5, shape, values), y = bench.Tensor(type, 5, shape);
        var pointers = new NormalizationPointers(
            bench.Vector(1, 1, 1), bench.Vector(0, 0, 0), bench.Unwritten(3), bench.Unwritten(3), Epsilon);
        new NormalizationKernels(bench.Library).Forward(
            pointers, null, x, y, null, Activation.Relu, bench.Scratch(NormalizationKernels.ScratchBytes(x)));
        Assert.That(
            Array.ConvertAll(bench.Read(y), double.IsNaN),
            Is.EqualTo(Enumerable.Range(0, values.Length).Select(i => i / shape.Pixels % 3 == 30 / shape.Pixels)),
            "the channel of the NaN, and no other");
    }

    [Test]
    public void Backward_goes_through_the_batch_statistics(
        [Values] ElementType type, [ValueSource(nameof(Sizes))] (int Batch, FeatureShape Shape) size) =>
        Backward(type, size.Batch, size.Shape, Summand.None, relu: false, inPlace: false, wantScale: true, wantShift: true);

    [TestCaseSource(nameof(Endings))]
    public void Backward_adds_the_addend_and_masks(ElementType type, Summand addend, bool relu, bool inPlace) =>
        Backward(
            type, Sizes[0].Batch, Sizes[0].Shape, addend, relu, inPlace, wantScale: true, wantShift: true);

    [TestCase(true, false)]
    [TestCase(false, true)]
    [TestCase(false, false)]
    public void Backward_leaves_out_parameter_gradients_that_are_not_wanted(bool wantScale, bool wantShift) =>
        Backward(
            ElementType.Float32, 5, new FeatureShape(17, 2, 3), Summand.None, relu: false, inPlace: false, wantScale, wantShift);

    [Test]
    public void Fold_joins_bias_and_running_statistics([Values(1, 10, 300)] int channels, [Values] bool withBias)
    {
        using var bench = new TensorBench($"fold {channels} {withBias}");
        float[] gamma = bench.Random.Normal(channels, mean: 1), beta = bench.Random.Normal(channels);
        float[] mean = bench.Random.Normal(channels), variance = bench.Random.Uniform(channels, 0.1f, 3);
        float[] bias = bench.Random.Normal(channels);
        DevicePointer scale = bench.Unwritten(channels), shift = bench.Unwritten(channels);
        new NormalizationKernels(bench.Library).Fold(
            bench.Vector(gamma), bench.Vector(beta), bench.Vector(mean), bench.Vector(variance), Epsilon,
            withBias ? bench.Vector(bias) : DevicePointer.Null, scale, shift, channels);

        double[] scales = new double[channels], shifts = new double[channels];
        for (int c = 0; c < channels; c++)
        {
            scales[c] = gamma[c] / Math.Sqrt((double)variance[c] + Epsilon);
            shifts[c] = beta[c] + ((withBias ? bias[c] : 0.0) - mean[c]) * scales[c];
        }
        TensorBench.AssertClose(bench.Read(scale, channels), scales, ElementType.Float32, "scale", 4);
        TensorBench.AssertClose(bench.Read(shift, channels), shifts, ElementType.Float32, "shift", 4);
    }

    [Test]
    public void What_does_not_fit_is_refused_in_a_sentence()
    {
        using var bench = new TensorBench("normalization refusals");
        var kernels = new NormalizationKernels(bench.Library);
        TensorView one = bench.Tensor(ElementType.Float32, 1, new FeatureShape(10));
        TensorView two = bench.Tensor(ElementType.Float32, 2, new FeatureShape(10));
        TensorView other = bench.Tensor(ElementType.BFloat16, 2, new FeatureShape(10));
        Assert.Multiple(() =>
        {
            Assert.That(
                () => kernels.Forward(default, null, one, one, null, Activation.None, default),
                Throws.ArgumentException.With.Message.Contains("batch of at least 2"));
            Assert.That(
                () => kernels.Forward(default, null, two, other, null, Activation.None, default),
                Throws.ArgumentException.With.Message.Contains("must be a Float32 tensor of 2x10"));
            Assert.That(
                () => kernels.Backward(default, two, two, two, default, default, one, null, Activation.None, default),
                Throws.ArgumentException.With.Message.Contains("addend"));
        });
    }

    private static void Backward(
        ElementType type, int batch, FeatureShape shape, Summand addend, bool relu, bool inPlace, bool wantScale, bool wantShift)
    {
        using var bench = new TensorBench($"normalization backward {type} {batch}x{shape} {addend} {relu} {inPlace}");
        int channels = shape.Channels, pixels = shape.Pixels, count = batch * shape.Length;
        float[] values = bench.Normal(type, count, mean: 0.5f, deviation: 2), slopes = bench.Normal(type, count, mean: 0.25f);
        float[] summand = bench.Normal(type, count), gamma = bench.Random.Normal(channels, mean: 1, deviation: 0.3f);
        float[] mask = Array.ConvertAll(bench.Normal(type, count), value => Math.Max(value, 0));
        float[] mean = new float[channels], inverse = new float[channels];
        for (int c = 0; c < channels; c++)
        {
            (double average, double variance) = Moments(values, shape, c);
            mean[c] = (float)average;
            inverse[c] = (float)(1 / Math.Sqrt(variance + Epsilon));
        }
        TensorView dy = bench.Tensor(type, batch, shape, slopes);
        TensorView dx = inPlace ? dy
            : addend == Summand.Destination ? bench.Tensor(type, batch, shape, summand)
            : bench.Tensor(type, batch, shape);
        TensorView? other = addend switch
        {
            Summand.Separate => bench.Tensor(type, batch, shape, summand),
            Summand.Destination => dx,
            _ => null,
        };
        TensorView? reluOutput = relu ? bench.Tensor(type, batch, shape, mask) : null;
        TensorView x = bench.Tensor(type, batch, shape, values);
        DevicePointer dScale = wantScale ? bench.Unwritten(channels) : DevicePointer.Null;
        DevicePointer dShift = wantShift ? bench.Unwritten(channels) : DevicePointer.Null;
        var pointers = new NormalizationPointers(
            bench.Vector(gamma), DevicePointer.Null, bench.Vector(mean), bench.Vector(inverse), Epsilon);
        new NormalizationKernels(bench.Library).Backward(
            pointers, x, dy, dx, dScale, dShift, other, reluOutput, relu ? Activation.Relu : Activation.None,
            bench.Scratch(NormalizationKernels.ScratchBytes(x)));

        double[] ofScale = new double[channels], ofShift = new double[channels], expected = new double[count];
        for (int i = 0; i < count; i++)
        {
            int c = i / pixels % channels;
            ofShift[c] += slopes[i];
            ofScale[c] += slopes[i] * (((double)values[i] - mean[c]) * inverse[c]);
        }
        double total = (double)batch * pixels;
        for (int i = 0; i < count; i++)
        {
            int c = i / pixels % channels;
            double normalised = ((double)values[i] - mean[c]) * inverse[c];
            double gradient = (double)gamma[c] * inverse[c]
                * (slopes[i] - (ofShift[c] / total) - (normalised * (ofScale[c] / total)));
            gradient += addend == Summand.None ? 0 : summand[i];
            expected[i] = relu && !(mask[i] > 0) ? 0 : gradient;
        }
        double[] actual = bench.Read(dx);
        TensorBench.AssertClose(actual, expected, type, "dx");
        if (relu)
            Assert.That(actual.Where((_, i) => mask[i] == 0), Is.All.Zero, "behind the mask");
        if (wantScale)
            TensorBench.AssertClose(bench.Read(dScale, channels), ofScale, ElementType.Float32, "dScale", 256);
        if (wantShift)
            TensorBench.AssertClose(bench.Read(dShift, channels), ofShift, ElementType.Float32, "dShift", 256);
    }

    private static (double Mean, double Variance) Moments(float[] values, FeatureShape shape, int channel)
    {
        List<double> own = [];
        for (int first = channel * shape.Pixels; first < values.Length; first += shape.Length)
        {
            for (int i = first; i < first + shape.Pixels; i++)
                own.Add(values[i]);
        }
        double mean = own.Average();
        return (mean, own.Sum(value => (value - mean) * (value - mean)) / own.Count);
    }

    /// <summary>A forward pass and what double precision makes of it.</summary>
    private sealed class Forward
    {
        private readonly TensorBench _bench;
        private readonly float[] _values;
        private readonly float[] _gamma;
        private readonly DevicePointer _savedMean;
        private readonly DevicePointer _savedInverse;
        private readonly DevicePointer _runningMean;
        private readonly DevicePointer _runningVariance;
        private readonly float[] _meanBefore;
        private readonly float[] _varianceBefore;
        private TensorView _y;
        private float[]? _residual;
        private bool _relu;
        private bool _withRunning;

        public Forward(
            TensorBench bench, ElementType type, int batch, FeatureShape shape, float mean, float deviation, float? first = null)
        {
            _bench = bench;
            int channels = shape.Channels;
            _values = bench.Normal(type, batch * shape.Length, mean, deviation);
            _values[0] = first ?? _values[0];
            _gamma = bench.Random.Normal(channels, mean: 1, deviation: 0.3f);
            Beta = bench.Random.Normal(channels);
            X = bench.Tensor(type, batch, shape, _values);
            _savedMean = bench.Unwritten(channels);
            _savedInverse = bench.Unwritten(channels);
            _meanBefore = bench.Random.Normal(channels);
            _varianceBefore = bench.Random.Uniform(channels, 0.5f, 2);
            _runningMean = bench.Vector(_meanBefore);
            _runningVariance = bench.Vector(_varianceBefore);
        }

        public TensorView X { get; }

        public float[] Beta { get; }

        public void Run(TensorView y, TensorView? residual, float[]? residualValues, bool relu, bool withRunning)
        {
            _y = y;
            _residual = residualValues;
            _relu = relu;
            _withRunning = withRunning;
            var pointers = new NormalizationPointers(
                _bench.Vector(_gamma), _bench.Vector(Beta), _savedMean, _savedInverse, Epsilon);
            RunningPointers? running = withRunning ? new RunningPointers(_runningMean, _runningVariance, Momentum) : null;
            new NormalizationKernels(_bench.Library).Forward(
                pointers, running, X, y, residual, relu ? Activation.Relu : Activation.None,
                _bench.Scratch(NormalizationKernels.ScratchBytes(X)));
        }

        public void AssertResults(ElementType type, double roundings = 64)
        {
            FeatureShape shape = X.Shape;
            int channels = shape.Channels;
            double count = (double)X.Batch * shape.Pixels;
            double[] mean = new double[channels], inverse = new double[channels], expected = new double[_values.Length];
            double[] runningMean = new double[channels], runningVariance = new double[channels];
            for (int c = 0; c < channels; c++)
            {
                (mean[c], double variance) = Moments(_values, shape, c);
                inverse[c] = 1 / Math.Sqrt(variance + Epsilon);
                double kept = _withRunning ? 1.0 - Momentum : 1, taken = _withRunning ? Momentum : 0;
                runningMean[c] = (kept * _meanBefore[c]) + (taken * mean[c]);
                runningVariance[c] = (kept * _varianceBefore[c]) + (taken * variance * count / (count - 1));
            }
            for (int i = 0; i < expected.Length; i++)
            {
                int c = i / shape.Pixels % channels;
                double value = (_gamma[c] * (_values[i] - mean[c]) * inverse[c]) + Beta[c] + (_residual?[i] ?? 0);
                expected[i] = _relu ? Math.Max(value, 0) : value;
            }
            TensorBench.AssertClose(_bench.Read(_y), expected, type, "y", roundings);
            TensorBench.AssertClose(_bench.Read(_savedMean, channels), mean, ElementType.Float32, "saved mean", roundings);
            TensorBench.AssertClose(
                _bench.Read(_savedInverse, channels), inverse, ElementType.Float32, "saved inverse deviation", roundings);
            TensorBench.AssertClose(
                _bench.Read(_runningMean, channels), runningMean, ElementType.Float32, "running mean", roundings);
            TensorBench.AssertClose(
                _bench.Read(_runningVariance, channels), runningVariance, ElementType.Float32, "running variance", roundings);
        }
    }
}
