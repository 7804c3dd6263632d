using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Engine.Testing;

namespace BoostingTicket.Engine.Tests.Reference;

/// <summary>The reference's gradients against central finite differences of its own forward passes, in double precision and
/// away from kinks: what everything else is compared with is itself compared with the definition of a derivative.</summary>
internal sealed class FiniteDifferenceTests
{
    private const double Allowed = 1e-7;
    private const float Epsilon = 1e-5f;

    private static readonly ConvolutionShape[] Shapes =
    [
        new(new FeatureShape(3, 5, 4), 2, 3, 3, 1, 1),
        new(new FeatureShape(2, 6, 5), 3, 3, 3, 2, 1),
        new(new FeatureShape(2, 6, 7), 3, 5, 5, 1, 2),
        new(new FeatureShape(3, 4, 4), 4, 1, 1, 2, 0),
        new(new FeatureShape(2, 5, 6), 2, 3, 1, 1, 0),
        ConvolutionShape.Linear(new FeatureShape(3, 3, 2), 5),
    ];

    private static readonly (PoolShape Pool, FeatureShape Input)[] Pools =
    [
        (new(PoolKind.Max, 2, 2), new(2, 5, 4)),
        (new(PoolKind.Max, 3, 2), new(2, 7, 5)),
        (new(PoolKind.Average, 2, 2), new(2, 5, 4)),
        (new(PoolKind.Average, 2, 3), new(2, 6, 5)),
    ];

    private ReferenceBackend _backend = null!;
    private Workspace _workspace = null!;
    private SeededValues _values = null!;

    [SetUp]
    public void SetUp()
    {
        _backend = new ReferenceBackend();
        _workspace = new Workspace(_backend);
        _values = new SeededValues(TestContext.CurrentContext.Test.Name);
    }

    [TearDown]
    public void TearDown()
    {
        _workspace.Dispose();
        _backend.Dispose();
    }

    [TestCaseSource(nameof(Shapes))]
    public void Convolution(ConvolutionShape shape)
    {
        const FilterUses Every = FilterUses.Forward | FilterUses.BackwardInput | FilterUses.BackwardFilter;
        Tensor x = Random(3, shape.Input), y = _workspace.Tensor(3, shape.Output), dx = _workspace.Tensor(3, shape.Input);
        BufferSlice weight = Random(shape.WeightCount), bias = Random(shape.OutputChannels);
        BufferSlice dw = _workspace.Floats(shape.WeightCount), db = _workspace.Floats(shape.OutputChannels);
        Filter filter = _workspace.Filter(shape, Every, weight);
        Tensor dy = Random(3, shape.Output);
        double[] slope = _backend.Values(dy);

        _backend.ConvolutionBackwardInput(filter, dy, dx, default);
        _backend.ConvolutionBackwardFilter(filter, x, dy, dw);
        _backend.BiasBackward(dy, db);

        AssertGradient(x, dx, Loss, "input");
        AssertGradient(weight, dw, Loss, "filter");
        AssertGradient(bias, db, Loss, "bias");

        double Loss()
        {
            _backend.PrepareFilter(filter, new FilterSource(weight, null, 0, null));
            _backend.ConvolutionForward(filter, x, y, new ForwardEpilogue(bias, null, Activation.None));
            return Dot(slope, y);
        }
    }

    [Test]
    public void Convolution_with_scale_residual_and_relu()
    {
        ConvolutionShape shape = Shapes[0];
        Tensor x = Random(3, shape.Input), residual = Random(3, shape.Output), y = _workspace.Tensor(3, shape.Output);
        Tensor dy = Random(3, shape.Output), dMasked = _workspace.Tensor(3, shape.Output), dx = _workspace.Tensor(3, shape.Input);
        BufferSlice weight = Random(shape.WeightCount), scale = Random(shape.OutputChannels);
        Filter filter = _workspace.Own(_backend.CreateFilter(shape, FilterUses.Forward | FilterUses.BackwardInput));
        double[] slope = _backend.Values(dy);
        Loss();

        _backend.ElementwiseBackward(dy, dMasked, new GradientEpilogue(null, y));
        _backend.ConvolutionBackwardInput(filter, dMasked, dx, default);

        AssertGradient(residual, dMasked, Loss, "residual");
        AssertGradient(x, dx, Loss, "input");

        double Loss()
        {
            _backend.PrepareFilter(filter, new FilterSource(weight, null, 0, scale));
            _backend.ConvolutionForward(filter, x, y, new ForwardEpilogue(null, residual, Activation.Relu));
            return Dot(slope, y);
        }
    }

    [TestCase(5, 3, 3, 2)]
    [TestCase(7, 4, 1, 1)]
    public void Normalization_by_batch_statistics(int batch, int channels, int height, int width)
    {
        var shape = new FeatureShape(channels, height, width);
        Tensor x = Random(batch, shape), y = _workspace.Tensor(batch, shape), dx = _workspace.Tensor(batch, shape);
        Tensor residual = Random(batch, shape), dy = Random(batch, shape), dMasked = _workspace.Tensor(batch, shape);
        var operands = new NormalizationOperands(
            Random(channels), Random(channels), _workspace.Floats(channels), _workspace.Floats(channels), Epsilon);
        BufferSlice dScale = _workspace.Floats(channels), dShift = _workspace.Floats(channels);
        double[] slope = _backend.Values(dy);
        Loss();

        _backend.ElementwiseBackward(dy, dMasked, new GradientEpilogue(null, y));
        _backend.NormalizationBackward(operands, x, dMasked, dx, dScale, dShift, default);

        AssertGradient(x, dx, Loss, "input");
        AssertGradient(operands.Scale, dScale, Loss, "scale");
        AssertGradient(operands.Shift, dShift, Loss, "shift");

        double Loss()
        {
            _backend.NormalizationForward(operands, null, x, y, new ForwardEpilogue(null, residual, Activation.Relu));
            return Dot(slope, y);
        }
    }

    [Test]
    public void Scale()
    {
        var shape = new FeatureShape(3, 4, 2);
        Tensor x = Random(3, shape), y = _workspace.Tensor(3, shape), dx = _workspace.Tensor(3, shape);
        BufferSlice scale = Random(3), shift = Random(3);
        Tensor dy = Random(3, shape), dMasked = _workspace.Tensor(3, shape);
        double[] slope = _backend.Values(dy);
        Loss();

        _backend.ElementwiseBackward(dy, dMasked, new GradientEpilogue(null, y));
        _backend.ScaleBackward(dMasked, scale, dx, default);

        AssertGradient(x, dx, Loss, "input");

        double Loss()
        {
            _backend.ScaleForward(x, scale, y, new ForwardEpilogue(shift, null, Activation.Relu));
            return Dot(slope, y);
        }
    }

    /// <summary>Every activation, through every operation that can end in its derivative.</summary>
    [Test]
    public void Activations([ValueSource(typeof(ActivationTruth), nameof(ActivationTruth.All))] Activation activation)
    {
        var shape = new FeatureShape(3, 4, 4);
        var pool = new PoolShape(PoolKind.Average, 2, 2);
        ConvolutionShape convolution = new(shape, 2, 3, 3, 1, 1);
        Tensor x = Random(3, shape), y = _workspace.Tensor(3, shape);
        BufferSlice scale = Random(3), weight = Random(convolution.WeightCount);
        var operands = new NormalizationOperands(Random(3), Random(3), _workspace.Floats(3), _workspace.Floats(3), Epsilon);
        BufferSlice none = _workspace.Floats(3);
        Filter filter = _workspace.Filter(convolution, FilterUses.Forward | FilterUses.BackwardInput, weight);
        Tensor through = activation.NeedsInput ? x : y;
        var end = new GradientEpilogue(null, activation == Activation.None ? null : through, activation);
        Check("elementwise", shape, z => _backend.ElementwiseForward(y, z, default), (dz, dx) =>
            _backend.ElementwiseBackward(dz, dx, end));
        Check("scale", shape, z => _backend.ScaleForward(y, scale, z, default), (dz, dx) =>
            _backend.ScaleBackward(dz, scale, dx, end));
        Check("pool", pool.Output(shape), z => _backend.PoolForward(pool, y, z), (dz, dx) =>
        {
            Tensor pooled = _workspace.Tensor(3, pool.Output(shape));
            _backend.PoolForward(pool, y, pooled);
            _backend.PoolBackward(pool, y, pooled, dz, dx, end);
        });
        Check("normalisation", shape, z => _backend.NormalizationForward(operands, null, y, z, default), (dz, dx) =>
            _backend.NormalizationBackward(operands, y, dz, dx, none, null, end));
        Check("convolution", convolution.Output, z => _backend.ConvolutionForward(filter, y, z, default), (dz, dx) =>
            _backend.ConvolutionBackwardInput(filter, dz, dx, end));

        void Check(string what, FeatureShape output, Action<Tensor> forward, Action<Tensor, Tensor> backward)
        {
            Tensor z = _workspace.Tensor(3, output), dz = Random(3, output), dx = _workspace.Tensor(3, shape);
            double[] slope = _backend.Values(dz);
            Loss();
            backward(dz, dx);
            AssertGradient(x, dx, Loss, what);

            double Loss()
            {
                _backend.ElementwiseForward(x, y, new ForwardEpilogue(null, null, activation));
                forward(z);
                return Dot(slope, z);
            }
        }
    }

    /// <summary>A value that is used twice: the second contribution is added to the first, then both go back through the
    /// ReLU that made the value.</summary>
    [Test]
    public void Sum_of_two_uses_through_a_relu()
    {
        var shape = new FeatureShape(3, 4, 2);
        Tensor x = Random(3, shape), y = _workspace.Tensor(3, shape), z = _workspace.Tensor(3, shape);
        BufferSlice scale = Random(3);
        Tensor dz = Random(3, shape), dx = _workspace.Tensor(3, shape);
        double[] slope = _backend.Values(dz);
        Loss();

        _backend.ScaleBackward(dz, scale, dx, new GradientEpilogue(dz, y));

        AssertGradient(x, dx, Loss, "input");

        double Loss()
        {
            _backend.ElementwiseForward(x, y, new ForwardEpilogue(null, null, Activation.Relu));
            _backend.ScaleForward(y, scale, z, new ForwardEpilogue(null, y, Activation.None));
            return Dot(slope, z);
        }
    }

    [TestCaseSource(nameof(Pools))]
    public void Pooling((PoolShape Pool, FeatureShape Input) operation)
    {
        (PoolShape pool, FeatureShape input) = operation;
        Tensor x = Random(3, input), y = _workspace.Tensor(3, pool.Output(input)), dx = _workspace.Tensor(3, input);
        Tensor dy = Random(3, pool.Output(input));
        double[] slope = _backend.Values(dy);
        Loss();

        _backend.PoolBackward(pool, x, y, dy, dx, default);

        AssertGradient(x, dx, Loss, "input");

        double Loss()
        {
            _backend.PoolForward(pool, x, y);
            return Dot(slope, y);
        }
    }

    [Test]
    public void Losses([Values] LossKind kind, [Values(1f, 0.25f)] float gradientScale)
    {
        Tensor logits = _workspace.Tensor(4, new FeatureShape(5), _values.Normal(20, deviation: 3));
        Tensor gradient = _workspace.Tensor(4, new FeatureShape(5));
        IntBuffer labels = _workspace.Ints([0, 3, 2, 4]);
        FloatBuffer losses = _workspace.Own(_backend.CreateFloats(4)), correct = _workspace.Own(_backend.CreateFloats(4));
        _backend.Loss(kind, logits, labels, losses, correct, gradient, gradientScale);

        AssertGradient(logits, gradient, Loss, "logits");

        double Loss()
        {
            _backend.Loss(kind, logits, labels, losses, correct, null, gradientScale);
            return gradientScale * _backend.Sum(losses.All);
        }
    }

    /// <summary>Folding and scaling is normalisation by running statistics, spelled out.</summary>
    [Test]
    public void Folded_normalization_is_the_normalization()
    {
        double[] gamma = Values(3), beta = Values(3), mean = Values(3), bias = Values(3), variance = [0.5, 1, 2];
        BufferSlice scale = _workspace.Floats(3), shift = _workspace.Floats(3);
        _backend.FoldNormalization(
            Slice(gamma), Slice(beta), Slice(mean), Slice(variance), Epsilon, Slice(bias), scale, shift);
        double[] scales = _backend.Values(scale), shifts = _backend.Values(shift);
        for (int channel = 0; channel < 3; channel++)
        {
            foreach (double x in (double[])[-2, 0, 0.7])
            {
                double expected = gamma[channel] * (x + bias[channel] - mean[channel])
                    / Math.Sqrt(variance[channel] + Epsilon) + beta[channel];
                Assert.That(scales[channel] * x + shifts[channel], Is.EqualTo(expected).Within(1e-12));
            }
        }
    }

    private void AssertGradient(Tensor at, Tensor gradient, Func<double> loss, string name) => AssertGradient(
        _backend.Values(at), values => _backend.SetValues(at, values), loss, _backend.Values(gradient), name);

    private void AssertGradient(BufferSlice at, BufferSlice gradient, Func<double> loss, string name) => AssertGradient(
        _backend.Values(at), values => _backend.SetValues(at, values), loss, _backend.Values(gradient), name);

    private static void AssertGradient(
        double[] at, Action<double[]> store, Func<double> loss, double[] gradient, string name)
    {
        double[] differences = FiniteDifferences.Gradient(at, store, loss);
        Assert.That(gradient.Any(value => value != 0), $"the gradient of the {name} is zero and shows nothing");
        Assert.That(FiniteDifferences.RelativeError(gradient, differences), Is.LessThan(Allowed), name);
    }

    private double Dot(double[] slope, Tensor y)
    {
        double sum = 0;
        double[] values = _backend.Values(y);
        for (int i = 0; i < slope.Length; i++)
            sum += slope[i] * values[i];
        return sum;
    }

    private Tensor Random(int batch, FeatureShape shape) => _workspace.Tensor(batch, shape, _values.Normal(batch * shape.Length));

    private BufferSlice Random(int length) => _workspace.Floats(_values.Normal(length));

    private double[] Values(int length) => Array.ConvertAll(_values.Normal(length), value => (double)value);

    private BufferSlice Slice(double[] values)
    {
        BufferSlice slice = _workspace.Floats(values.Length);
        _backend.SetValues(slice, values);
        return slice;
    }
}
