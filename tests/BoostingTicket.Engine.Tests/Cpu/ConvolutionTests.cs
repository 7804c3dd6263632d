using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cpu;
using BoostingTicket.Engine.Tensors;
using Function = BoostingTicket.Engine.Backends.Activation;

namespace BoostingTicket.Engine.Tests.Cpu;

/// <summary>Every convolution kernel of every instruction set of this machine against plain loops in double
/// precision.</summary>
[TestFixtureSource(typeof(InstructionSets), nameof(InstructionSets.Available))]
internal sealed class ConvolutionTests(InstructionSet set)
{
    // Each result may differ by a few roundings of the sum of its products' magnitudes.
    private const double Tolerance = 3e-6;

    private static readonly bool[] Both = [false, true];

    private static readonly (int Batch, ConvolutionShape Shape)[] Cases = [
        (1, new(new(1, 5, 7), 1, 3, 3, 1, 1)),
        (16, new(new(3, 9, 6), 10, 3, 3, 1, 1)),
        (33, new(new(10, 4, 4), 17, 3, 3, 1, 1)),
        (65, new(new(5, 2, 2), 6, 3, 3, 1, 1)),
        (17, new(new(17, 8, 8), 12, 3, 3, 1, 1)),
        (5, new(new(60, 12, 11), 6, 3, 3, 1, 1)),
        (5, new(new(90, 13, 12), 13, 3, 3, 1, 1)),
        (5, new(new(3, 8, 9), 7, 3, 3, 2, 1)),
        (33, new(new(17, 8, 8), 10, 3, 3, 2, 1)),
        (16, new(new(10, 11, 7), 3, 3, 3, 3, 2)),
        (17, new(new(10, 8, 6), 9, 1, 1, 1, 0)),
        (33, new(new(10, 8, 8), 17, 1, 1, 2, 0)),
        (5, new(new(3, 7, 7), 4, 1, 1, 3, 1)),
        (17, new(new(3, 10, 9), 5, 5, 5, 1, 2)),
        (5, new(new(3, 10, 9), 5, 5, 5, 1, 0)),
        (5, new(new(2, 9, 14), 3, 7, 7, 2, 3)),
        (16, new(new(3, 5, 5), 4, 7, 7, 1, 3)),
        (5, new(new(3, 6, 6), 4, 2, 2, 2, 0)),
        (5, new(new(3, 6, 5), 4, 2, 2, 1, 1)),
        (5, new(new(3, 6, 9), 4, 3, 5, 1, 2)),
        (5, new(new(3, 6, 9), 4, 2, 1, 2, 0)),
        (33, ConvolutionShape.Linear(new FeatureShape(17), 10)),
        (128, ConvolutionShape.Linear(new FeatureShape(10, 3, 2), 19)),
        (1, ConvolutionShape.Linear(new FeatureShape(300, 2, 2), 11)),
        (80, ConvolutionShape.Linear(new FeatureShape(1100), 9)),
    ];

    [TestCaseSource(nameof(Cases))]
    public void Forward_equals_the_plain_loops((int Batch, ConvolutionShape Shape) operation)
    {
        (int batch, ConvolutionShape shape) = operation;
        using ConvolutionRunner runner = ConvolutionRunner.Create(set, 2);
        float[] x = Values(batch * shape.Input.Length, 1), w = Values(shape.WeightCount, 2);
        Tensor y = runner.NewTensor(batch, shape.Output);
        Filter filter = runner.NewFilter(shape, FilterUses.Forward, w);
        runner.Forward(filter, runner.NewTensor(batch, shape.Input, x), y, default);
        AssertClose(runner.Read(y), ConvolutionReference.Forward(shape, batch, x, w));
    }

    [TestCaseSource(nameof(Cases))]
    public void Input_gradient_equals_the_plain_loops((int Batch, ConvolutionShape Shape) operation)
    {
        (int batch, ConvolutionShape shape) = operation;
        using ConvolutionRunner runner = ConvolutionRunner.Create(set, 2);
        float[] dy = Values(batch * shape.Output.Length, 1), w = Values(shape.WeightCount, 2);
        Tensor dx = runner.NewTensor(batch, shape.Input);
        Filter filter = runner.NewFilter(shape, FilterUses.BackwardInput, w);
        runner.BackwardInput(filter, runner.NewTensor(batch, shape.Output, dy), dx, default);
        AssertClose(runner.Read(dx), ConvolutionReference.BackwardInput(shape, batch, dy, w));
        Assert.That(ConvolutionRunner.UnusedLanes(dx), Has.All.EqualTo(0f), "lanes without an image");
    }

    [TestCaseSource(nameof(Cases))]
    public void Filter_gradient_equals_the_plain_loops((int Batch, ConvolutionShape Shape) operation)
    {
        (int batch, ConvolutionShape shape) = operation;
        using ConvolutionRunner runner = ConvolutionRunner.Create(set, 2);
        float[] x = Values(batch * shape.Input.Length, 1), dy = Values(batch * shape.Output.Length, 2);
        Tensor input = runner.NewTensor(batch, shape.Input, x);
        ConvolutionRunner.FillUnusedLanes(input, 1e30f);
        BufferSlice dw = runner.NewBuffer(Values(shape.WeightCount, 3));
        Filter filter = runner.NewFilter(shape, FilterUses.BackwardFilter, Values(shape.WeightCount, 4));
        runner.BackwardFilter(filter, input, runner.NewTensor(batch, shape.Output, dy), dw);
        AssertClose(runner.Read(dw), ConvolutionReference.BackwardFilter(shape, batch, x, dy));
    }

    [Test]
    public void Bias_gradient_sums_every_channel([Values(1, 16, 33)] int batch, [Values(1, 3, 10)] int pixels)
    {
        using ConvolutionRunner runner = ConvolutionRunner.Create(set, 2);
        var shape = new FeatureShape(5, pixels, 1);
        float[] dy = Values(batch * shape.Length, 1);
        BufferSlice db = runner.NewBuffer(new float[5]);
        runner.Bias(runner.NewTensor(batch, shape, dy), db);
        float[] sums = runner.Read(db);
        for (int channel = 0; channel < 5; channel++)
        {
            IEnumerable<float> values = dy.Where((_, i) => i / pixels % 5 == channel);
            Assert.That(
                sums[channel], Is.EqualTo(values.Sum(v => (double)v)).Within(1e-6 * values.Sum(v => Math.Abs((double)v))));
        }
    }

    [Test]
    public void Scale_multiplies_output_channels_of_forward_and_input_gradient()
    {
        var shape = new ConvolutionShape(new(7, 6, 5), 10, 3, 3, 1, 1);
        using ConvolutionRunner runner = ConvolutionRunner.Create(set, 1);
        float[] x = Values(4 * shape.Input.Length, 1), dy = Values(4 * shape.Output.Length, 2);
        float[] w = Values(shape.WeightCount, 3), scale = Values(10, 4);
        float[] scaled = [.. w.Select((value, i) => value * scale[i / (7 * 9)])];
        Filter filter = runner.NewFilter(shape, FilterUses.Forward | FilterUses.BackwardInput, w, scale);
        Tensor y = runner.NewTensor(4, shape.Output), dx = runner.NewTensor(4, shape.Input);
        runner.Forward(filter, runner.NewTensor(4, shape.Input, x), y, default);
        runner.BackwardInput(filter, runner.NewTensor(4, shape.Output, dy), dx, default);
        AssertClose(runner.Read(y), ConvolutionReference.Forward(shape, 4, x, scaled));
        AssertClose(runner.Read(dx), ConvolutionReference.BackwardInput(shape, 4, dy, scaled));
    }

    [Test]
    public void Preparing_again_takes_the_new_weights()
    {
        var shape = new ConvolutionShape(new(3, 5, 5), 6, 3, 3, 1, 1);
        using ConvolutionRunner runner = ConvolutionRunner.Create(set, 1);
        float[] x = Values(2 * shape.Input.Length, 1), w = Values(shape.WeightCount, 2);
        Filter filter = runner.NewFilter(shape, FilterUses.Forward, Values(shape.WeightCount, 3), Values(6, 4));
        runner.Prepare(filter, new FilterSource(runner.NewBuffer(w), null, 0, null));
        Tensor y = runner.NewTensor(2, shape.Output);
        runner.Forward(filter, runner.NewTensor(2, shape.Input, x), y, default);
        AssertClose(runner.Read(y), ConvolutionReference.Forward(shape, 2, x, w));
    }

    internal static readonly ConvolutionShape[] EpilogueShapes = [
        new(new(5, 6, 7), 10, 3, 3, 1, 1),
        new(new(70, 12, 12), 6, 3, 3, 1, 1),
        new(new(5, 8, 8), 7, 3, 3, 2, 1),
        new(new(5, 7, 7), 7, 1, 1, 2, 0),
        ConvolutionShape.Linear(new FeatureShape(9, 2, 2), 6),
    ];

    [TestCaseSource(nameof(EpilogueShapes))]
    public void Forward_epilogue_adds_shift_and_residual_then_rectifies(ConvolutionShape shape)
    {
        const int Batch = 18;
        using ConvolutionRunner runner = ConvolutionRunner.Create(set, 2);
        float[] x = Values(Batch * shape.Input.Length, 1), w = Values(shape.WeightCount, 2);
        float[] shift = Values(shape.OutputChannels, 3), residual = Values(Batch * shape.Output.Length, 4);
        Filter filter = runner.NewFilter(shape, FilterUses.Forward, w);
        Tensor input = runner.NewTensor(Batch, shape.Input, x);
        (double[] plain, double[] magnitude) = ConvolutionReference.Forward(shape, Batch, x, w);
        var epilogues = from shifted in Both
                        from added in Both
                        from inPlace in Both
                        from relu in Both
                        where added || !inPlace
                        select (shifted, added, inPlace, relu);
        foreach ((bool shifted, bool added, bool inPlace, bool relu) in epilogues)
        {
            Tensor y = runner.NewTensor(Batch, shape.Output, residual);
            Tensor? summand = !added ? null : inPlace ? y : runner.NewTensor(Batch, shape.Output, residual);
            runner.Forward(filter, input, y, new ForwardEpilogue(
                shifted ? runner.NewBuffer(shift) : null, summand, relu ? Function.Relu : Function.None));
            double[] expected = [.. plain.Select((value, i) =>
            {
                value += shifted ? shift[i / shape.Output.Pixels % shape.OutputChannels] : 0;
                value += added ? residual[i] : 0;
                return relu ? Math.Max(value, 0) : value;
            })];
            AssertClose(runner.Read(y), (expected, [.. magnitude.Select(m => m + 2)]));
        }
    }

    [TestCaseSource(nameof(EpilogueShapes))]
    public void Gradient_epilogue_adds_then_masks(ConvolutionShape shape)
    {
        const int Batch = 18;
        using ConvolutionRunner runner = ConvolutionRunner.Create(set, 2);
        float[] dy = Values(Batch * shape.Output.Length, 1), w = Values(shape.WeightCount, 2);
        float[] addend = Values(Batch * shape.Input.Length, 3);
        float[] output = [.. Values(Batch * shape.Input.Length, 4).Select(value => Math.Max(value, 0))];
        Filter filter = runner.NewFilter(shape, FilterUses.BackwardInput, w);
        Tensor gradient = runner.NewTensor(Batch, shape.Output, dy), mask = runner.NewTensor(Batch, shape.Input, output);
        (double[] plain, double[] magnitude) = ConvolutionReference.BackwardInput(shape, Batch, dy, w);
        var epilogues = from added in Both
                        from inPlace in Both
                        from masked in Both
                        where added || !inPlace
                        select (added, inPlace, masked);
        foreach ((bool added, bool inPlace, bool masked) in epilogues)
        {
            Tensor dx = runner.NewTensor(Batch, shape.Input, addend);
            Tensor? summand = !added ? null : inPlace ? dx : runner.NewTensor(Batch, shape.Input, addend);
            runner.BackwardInput(filter, gradient, dx, new GradientEpilogue(summand, masked ? mask : null));
            double[] expected = [.. plain.Select((value, i) =>
                masked && output[i] <= 0 ? 0 : value + (added ? addend[i] : 0))];
            float[] read = runner.Read(dx);
            AssertClose(read, (expected, [.. magnitude.Select(m => m + 1)]));
            if (masked)
                Assert.That(read.Where((_, i) => output[i] <= 0), Has.All.EqualTo(0f), "where the ReLU was shut");
            Assert.That(ConvolutionRunner.UnusedLanes(dx), Has.All.EqualTo(0f), "lanes without an image");
        }
    }

    internal static void AssertClose(
        float[] actual, (double[] Value, double[] Magnitude) expected, double tolerance = Tolerance)
    {
        Assert.That(actual, Has.Length.EqualTo(expected.Value.Length));
        for (int i = 0; i < actual.Length; i++)
        {
            double allowed = tolerance * expected.Magnitude[i] + 1e-30;
            if (!(Math.Abs(actual[i] - expected.Value[i]) <= allowed))
                Assert.Fail($"Value {i} is {actual[i]}, not {expected.Value[i]}; the error may be {allowed}.");
        }
    }

    /// <summary>Seeded values in [-1, 1).</summary>
    internal static float[] Values(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => (float)(2 * random.NextDouble() - 1))];
    }
}
