using System.Numerics;
using System.Runtime.Intrinsics;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cpu;
using BoostingTicket.Engine.Tensors;
using Function = BoostingTicket.Engine.Backends.Activation;

namespace BoostingTicket.Engine.Tests.Cpu;

[TestFixture(typeof(Avx512Lanes), typeof(Vector512<float>))]
[TestFixture(typeof(Avx2Lanes), typeof(Vector256<float>))]
[TestFixture(typeof(PortableLanes), typeof(Vector<float>))]
internal sealed class NormalizationTests<TLanes, TVector> : CpuFixture<TLanes, TVector>
    where TLanes : struct, ILanes<TVector>
    where TVector : struct
{
    private const float Epsilon = 1e-5f;

    [Test]
    public void Forward_matches_the_definition(
        [ValueSource(nameof(Batches))] int batch, [Values] bool residual, [Values] bool relu)
    {
        FeatureShape shape = new(3, 5, 7);
        Case one = new(this, batch, shape);
        float[] addend = Uniform(batch * shape.Length);
        CpuTensor y = Empty(batch, shape);
        var running = new RunningStatistics(Slice(1, 2, 3), Slice(4, 5, 6), 0.1f);
        var epilogue = new ForwardEpilogue(
            null, residual ? Activation(batch, shape, addend) : null, relu ? Function.Relu : Function.None);

        Backend.NormalizationForward(one.Operands, running, one.X, y, epilogue);

        double[] expected = new double[batch * shape.Length];
        double[] mean = new double[3], inverse = new double[3], runningMean = new double[3], runningVariance = new double[3];
        int count = batch * shape.Pixels;
        for (int c = 0; c < 3; c++)
        {
            (mean[c], double variance) = one.Statistics(c);
            inverse[c] = 1 / Math.Sqrt(variance + Epsilon);
            runningMean[c] = 0.9 * (1 + c) + 0.1 * mean[c];
            runningVariance[c] = 0.9 * (4 + c) + 0.1 * variance * count / (count - 1);
            foreach (int i in one.Indices(c))
            {
                double value = one.Gamma[c] * (one.Values[i] - mean[c]) * inverse[c] + one.Beta[c];
                value += residual ? addend[i] : 0;
                expected[i] = relu ? Math.Max(value, 0) : value;
            }
        }
        AssertClose(Read(y), expected, 3e-6);
        AssertClose(Read(one.Operands.SavedMean), mean, 1e-6, "mean");
        AssertClose(Read(one.Operands.SavedInverseDeviation), inverse, 1e-6, "inverse deviation");
        AssertClose(Read(running.Mean), runningMean, 1e-6, "running mean");
        AssertClose(Read(running.Variance), runningVariance, 1e-6, "running variance");
        AssertAllFinite(y);
    }

    [Test]
    public void Forward_without_running_statistics_and_in_place_gives_the_same()
    {
        FeatureShape shape = new(4, 3, 3);
        Case one = new(this, 17, shape);
        CpuTensor y = Empty(17, shape);
        Backend.NormalizationForward(one.Operands, null, one.X, y, default);
        Backend.NormalizationForward(one.Operands, null, one.X, one.X, default);
        Assert.That(Read(one.X), Is.EqualTo(Read(y)));
    }

    [Test]
    public void Statistics_keep_their_digits_far_from_zero()
    {
        // The deviation is a ten-thousandth of the mean: E[x²] - E[x]² in float32 would have no digit left.
        FeatureShape shape = new(1, 40, 40);
        float[] values = Uniform(33 * shape.Length, 4999, 5001);
        var operands = new NormalizationOperands(Slice(1), Slice(0), Slice(0), Slice(0), 0);
        Backend.NormalizationForward(operands, null, Activation(33, shape, values), Empty(33, shape), default);
        double mean = values.Average(value => (double)value);
        double variance = values.Average(value => (value - mean) * (value - mean));
        Assert.That(Read(operands.SavedMean)[0], Is.EqualTo(mean).Within(3e-4), "half a unit in the last place");
        Assert.That(Read(operands.SavedInverseDeviation)[0], Is.EqualTo(1 / Math.Sqrt(variance)).Within(1e-5));
    }

    [Test]
    public void One_value_a_channel_is_refused()
    {
        FeatureShape shape = new(2);
        Case one = new(this, 1, shape);
        Assert.That(
            () => Backend.NormalizationForward(one.Operands, null, one.X, Empty(1, shape), default),
            Throws.ArgumentException.With.Message.Contains("1x2").And.Message.Contains("batch of at least 2"));
    }

    [Test]
    public void Backward_matches_the_definition(
        [ValueSource(nameof(Batches))] int batch, [Values] bool addend, [Values] bool relu)
    {
        FeatureShape shape = new(3, 5, 7);
        Case one = new(this, batch, shape);
        float[] g = Uniform(batch * shape.Length), more = Uniform(g.Length), output = Whole(g.Length, 1);
        CpuTensor dy = Gradient(batch, shape, g), dx = Empty(batch, shape);
        BufferSlice dScale = Slice(9, 9, 9), dShift = Slice(9, 9, 9);
        Backend.NormalizationForward(one.Operands, null, one.X, Empty(batch, shape), default);

        Backend.NormalizationBackward(
            one.Operands, one.X, dy, dx, dScale, dShift,
            new GradientEpilogue(
                addend ? Gradient(batch, shape, more) : null, relu ? Activation(batch, shape, output) : null));

        double[] expected = new double[g.Length], expectedScale = new double[3], expectedShift = new double[3];
        double count = batch * shape.Pixels;
        for (int c = 0; c < 3; c++)
        {
            (double mean, double variance) = one.Statistics(c);
            double inverse = 1 / Math.Sqrt(variance + Epsilon);
            foreach (int i in one.Indices(c))
            {
                expectedShift[c] += g[i];
                expectedScale[c] += g[i] * (one.Values[i] - mean) * inverse;
            }
            foreach (int i in one.Indices(c))
            {
                double normal = (one.Values[i] - mean) * inverse;
                double value = one.Gamma[c] * inverse
                    * (g[i] - expectedShift[c] / count - normal * expectedScale[c] / count);
                value += addend ? more[i] : 0;
                expected[i] = !relu || output[i] > 0 ? value : 0;
            }
        }
        AssertClose(Read(dx), expected, 3e-6);
        AssertClose(Read(dScale), expectedScale, 1e-5, "scale gradient");
        AssertClose(Read(dShift), expectedShift, 1e-5, "shift gradient");
        AssertUnusedLanesAreZero(dx);
    }

    [Test]
    public void Backward_in_place_and_without_parameter_gradients_gives_the_same([Values] bool ontoAddend)
    {
        FeatureShape shape = new(4, 3, 3);
        Case one = new(this, 17, shape);
        float[] g = Uniform(17 * shape.Length), more = Uniform(g.Length);
        CpuTensor dy = Gradient(17, shape, g), addend = Gradient(17, shape, more), dx = Empty(17, shape);
        Backend.NormalizationForward(one.Operands, null, one.X, Empty(17, shape), default);
        var epilogue = new GradientEpilogue(addend, null);
        Backend.NormalizationBackward(one.Operands, one.X, dy, dx, Slice(0, 0, 0, 0), Slice(0, 0, 0, 0), epilogue);
        CpuTensor target = ontoAddend ? addend : dy;
        Backend.NormalizationBackward(one.Operands, one.X, dy, target, null, null, epilogue);
        Assert.That(Read(target), Is.EqualTo(Read(dx)));
    }

    [Test]
    public void Results_do_not_depend_on_threads()
    {
        FeatureShape shape = new(7, 16, 24);
        Case one = new(this, 37, shape);
        CpuTensor dy = Gradient(37, shape, Uniform(37 * shape.Length)), y = Empty(37, shape), dx = Empty(37, shape);
        BufferSlice dScale = Slice(new float[7]), dShift = Slice(new float[7]);
        AssertSameForAnyThreads(backend =>
        {
            backend.NormalizationForward(one.Operands, null, one.X, y, new ForwardEpilogue(null, dy, Function.Relu));
            backend.NormalizationBackward(one.Operands, one.X, dy, dx, dScale, dShift, default);
            return
            [
                Read(y), Read(dx), Read(dScale), Read(dShift), Read(one.Operands.SavedMean),
                Read(one.Operands.SavedInverseDeviation),
            ];
        });
    }

    [Test]
    public void Nothing_is_allocated()
    {
        FeatureShape shape = new(16, 16, 16);
        Case one = new(this, 17, shape);
        CpuTensor dy = Gradient(17, shape, Uniform(17 * shape.Length)), y = Empty(17, shape);
        BufferSlice gradient = Slice(new float[16]);
        var running = new RunningStatistics(Slice(new float[16]), Slice(new float[16]), 0.1f);
        AssertAllocatesNothing(() =>
        {
            Backend.NormalizationForward(one.Operands, running, one.X, y, new ForwardEpilogue(null, dy, Function.Relu));
            Backend.NormalizationBackward(
                one.Operands, one.X, dy, dy, gradient, null, new GradientEpilogue(dy, y));
            Backend.ScaleForward(one.X, gradient, y, default);
            Backend.ScaleBackward(dy, gradient, dy, default);
        });
    }

    [Test]
    public void Mismatched_operands_are_refused_by_their_shapes()
    {
        Case one = new(this, 5, new FeatureShape(3, 4, 4));
        CpuTensor other = Empty(6, new FeatureShape(3, 4, 4));
        Assert.Multiple(() =>
        {
            Assert.That(
                () => Backend.NormalizationForward(one.Operands, null, one.X, other, default),
                Throws.ArgumentException.With.Message.Contains("5x3x4x4").And.Message.Contains("6x3x4x4"));
            Assert.That(
                () => Backend.NormalizationForward(
                    one.Operands with { Shift = Slice(1, 2) }, null, one.X, one.X, default),
                Throws.ArgumentException.With.Message.Contains("2 values").And.Message.Contains("5x3x4x4"));
            Assert.That(
                () => Backend.NormalizationForward(
                    one.Operands, null, one.X, one.X, new ForwardEpilogue(null, other, Function.None)),
                Throws.ArgumentException.With.Message.Contains("6x3x4x4"));
            Assert.That(
                () => Backend.NormalizationForward(
                    one.Operands, null, one.X, one.X, new ForwardEpilogue(Slice(1, 2, 3), null, Function.None)),
                Throws.ArgumentException.With.Message.Contains("shift"));
        });
    }

    [Test]
    public void Folding_equals_normalising_by_running_statistics()
    {
        float[] gamma = Uniform(5), beta = Uniform(5), mean = Uniform(5), variance = Uniform(5, 0.1f, 2), bias = Uniform(5);
        double[] scale = new double[5], shift = new double[5], withBias = new double[5];
        for (int c = 0; c < 5; c++)
        {
            scale[c] = gamma[c] / Math.Sqrt(variance[c] + Epsilon);
            shift[c] = beta[c] - mean[c] * scale[c];
            withBias[c] = shift[c] + bias[c] * scale[c];
        }
        BufferSlice s = Slice(new float[5]), t = Slice(new float[5]);
        Backend.FoldNormalization(Slice(gamma), Slice(beta), Slice(mean), Slice(variance), Epsilon, null, s, t);
        AssertClose(Read(s), scale, 1e-6);
        AssertClose(Read(t), shift, 1e-6);
        Backend.FoldNormalization(Slice(gamma), Slice(beta), Slice(mean), Slice(variance), Epsilon, Slice(bias), s, t);
        AssertClose(Read(t), withBias, 1e-6);
        Assert.That(
            () => Backend.FoldNormalization(Slice(gamma), Slice(beta), Slice(mean), Slice(1, 2), Epsilon, null, s, t),
            Throws.ArgumentException);
    }

    [Test]
    public void Scaling_matches_the_definition([ValueSource(nameof(Batches))] int batch, [Values] bool fused)
    {
        FeatureShape shape = new(3, 5, 7);
        float[] x = Uniform(batch * shape.Length), more = Uniform(x.Length), output = Whole(x.Length, 1);
        float[] scale = [0.5f, -2, 3], shift = [1, 0, -1];
        CpuTensor y = Empty(batch, shape), dx = Empty(batch, shape);
        Backend.ScaleForward(
            Activation(batch, shape, x), Slice(scale), y,
            fused ? new ForwardEpilogue(Slice(shift), Activation(batch, shape, more), Function.Relu) : default);
        Backend.ScaleBackward(
            Gradient(batch, shape, x), Slice(scale), dx,
            fused ? new GradientEpilogue(Gradient(batch, shape, more), Activation(batch, shape, output)) : default);
        double[] forward = new double[x.Length], backward = new double[x.Length];
        for (int i = 0; i < x.Length; i++)
        {
            int c = i / shape.Pixels % 3;
            double value = (double)scale[c] * x[i];
            forward[i] = fused ? Math.Max(value + shift[c] + more[i], 0) : value;
            backward[i] = !fused ? value : output[i] > 0 ? value + more[i] : 0;
        }
        AssertClose(Read(y), forward, 1e-6);
        AssertClose(Read(dx), backward, 1e-6);
        AssertUnusedLanesAreZero(dx);
    }

    /// <summary>An input, its parameters and their naive statistics.</summary>
    private sealed class Case
    {
        private readonly int _batch;
        private readonly FeatureShape _shape;

        public Case(NormalizationTests<TLanes, TVector> test, int batch, FeatureShape shape)
        {
            (_batch, _shape) = (batch, shape);
            int channels = shape.Channels;
            Values = test.Uniform(batch * shape.Length, -1, 3);
            Gamma = test.Uniform(channels, 0.5f, 1.5f);
            Beta = test.Uniform(channels);
            X = test.Activation(batch, shape, Values);
            Operands = new NormalizationOperands(
                test.Slice(Gamma), test.Slice(Beta), test.Slice(new float[channels]), test.Slice(new float[channels]), Epsilon);
        }

        public float[] Values { get; }

        public float[] Gamma { get; }

        public float[] Beta { get; }

        public CpuTensor X { get; }

        public NormalizationOperands Operands { get; }

        public IEnumerable<int> Indices(int channel)
        {
            for (int n = 0; n < _batch; n++)
            {
                for (int p = 0; p < _shape.Pixels; p++)
                    yield return (n * _shape.Channels + channel) * _shape.Pixels + p;
            }
        }

        public (double Mean, double Variance) Statistics(int channel)
        {
            double mean = Indices(channel).Average(i => (double)Values[i]);
            return (mean, Indices(channel).Average(i => (Values[i] - mean) * (Values[i] - mean)));
        }
    }
}
