using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Graph;
using BoostingTicket.Engine.Plans;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Training.Models;
using BoostingTicket.Training.Optimization;

namespace BoostingTicket.Training.Tests.Golden;

/// <summary>Runs a fixture's tests for every network with golden values on every backend of the machine. Each test begins
/// with the network in its golden initial state and the golden batch in its buffers.</summary>
/// <remarks>
/// Tolerances, as relative errors in the Euclidean norm: the generator made sure that float32, and changes of all weights by
/// relative 2e-7, move no gradient by more than 2.1e-5, nothing else by more than 6e-6, and not one adversarial pixel. Tests
/// allow at least three times as much. What they must not let pass moves more: a lost weight decay moves the weights by 1.1e-4
/// (in VGG-16, at its smaller rate, by 2e-5), a biased variance the running statistics by 2e-4 or more.
/// </remarks>
internal abstract class GoldenFixture(string backend, string model)
{
    /// <summary>Relative error that logits, losses and states may have.</summary>
    protected const double Tolerance = 2e-5;

    /// <summary>Relative error that the state after five SGD steps may have: what gradients may err by, summed up. Convolution by
    /// Winograd's algorithm rounds more than the direct one.</summary>
    protected const double StepsTolerance = 8e-5;

    /// <summary>Relative error that gradients may have.</summary>
    protected const double GradientTolerance = 1e-4;

    /// <summary>Share of the pixels of an adversarial image that rounding may send the other way.</summary>
    protected const double PixelShare = 1e-3;

    private const string LeNet = "lenet-4-8-32";
    private const string ResNet18 = "resnet18-w4";
    private const string Vgg16 = "vgg16-w4";
    private const string WideResNet = "wrn-10-1";
    private const string SiluWideResNet = "wrn-10-1-silu";
    private const string PreActResNet18 = "preact-resnet18-w4";

    // The gradient of a bias in front of a normalisation is nothing but rounding: it is measured against its group.
    private const double NormFloor = 1e-3;
    private const float PixelTolerance = 1e-4f;

    /// <summary>Every network.</summary>
    public static IEnumerable<object[]> Cases() => CasesOf(
        LeNet, ResNet18, Vgg16, WideResNet, SiluWideResNet, PreActResNet18);

    /// <summary>Networks with batch normalisation.</summary>
    public static IEnumerable<object[]> NormalizedCases() => CasesOf(
        ResNet18, Vgg16, WideResNet, SiluWideResNet, PreActResNet18);

    /// <summary>Networks whose training under masks was recorded.</summary>
    public static IEnumerable<object[]> MaskedCases() => CasesOf(LeNet, ResNet18);

    protected GoldenFile Golden { get; private set; } = null!;

    protected IBackend Backend { get; private set; } = null!;

    protected Network Network { get; private set; } = null!;

    protected ParameterTable Table => Network.Graph.Table;

    protected BatchBuffers Buffers => Network.Buffers(Batch);

    protected int Batch => Golden.Labels.Length;

    [SetUp]
    public void Load()
    {
        Golden = new GoldenFile(model);
        IReadOnlyList<long> images = Golden.Shape("input");
        var shape = new FeatureShape((int)images[1], (int)images[2], (int)images[3]);
        InputNormalizationConstants? normalization = shape.Channels == 3 ? InputNormalizationConstants.Cifar10 : null;
        var options = new ModelOptions(shape, 10, normalization, PruneHiddenLinear: false);
        Backend = TestBackends.Create(backend);
        Network = new Network(ModelCatalog.Build(model, options), Backend);
        var state = new ModelState(Table);
        foreach (Parameter parameter in Table.All)
            Golden["initial." + parameter.Name].CopyTo(state[parameter]);
        state.CopyTo(Network.Parameters, Backend);
        Backend.Upload(Golden.Labels, Buffers.Labels);
        Backend.Upload(Golden["input"], Buffers.Clean);
        Backend.Copy(Buffers.Clean, Buffers.Input);
    }

    [TearDown]
    public void Free()
    {
        Network?.Dispose();
        Backend?.Dispose();
        Golden?.Dispose();
    }

    protected float[] Read(Tensor tensor)
    {
        float[] values = new float[tensor.Length];
        Backend.Download(tensor, values);
        return values;
    }

    protected float[] Read(BufferSlice slice)
    {
        float[] values = new float[slice.Length];
        Backend.Download(slice, values);
        return values;
    }

    /// <summary>Compares a result with the golden tensor of the same name in the Euclidean norm.</summary>
    protected void AssertGolden(string name, float[] actual, double normFloor = 0)
    {
        float[] expected = Golden[name];
        Assert.That(actual, Has.Length.EqualTo(expected.Length), name);
        double difference = Norm(actual.Zip(expected, (a, b) => a - (double)b));
        double error = difference / Math.Max(Norm(expected.Select(value => (double)value)), normFloor);
        TestContext.Out.WriteLine($"{name}: {error:E1}");
        double tolerance = name.Contains("grad", StringComparison.Ordinal) ? GradientTolerance
            : name.StartsWith("sgd.after", StringComparison.Ordinal) ? StepsTolerance : Tolerance;
        Assert.That(error, Is.LessThanOrEqualTo(tolerance), $"Relative error of {name}");
    }

    /// <summary>Compares the values of many parameters with the golden tensors <c>prefix.parameter</c>.</summary>
    protected void AssertGolden(string prefix, IEnumerable<Parameter> parameters, Func<Parameter, BufferSlice> slice)
    {
        Parameter[] all = [.. parameters];
        Assert.That(all, Is.Not.Empty);
        double floor = NormFloor * all.Max(parameter => Norm(Golden[prefix + parameter.Name].Select(value => (double)value)));
        Assert.Multiple(() =>
        {
            foreach (Parameter parameter in all)
                AssertGolden(prefix + parameter.Name, Read(slice(parameter)), floor);
        });
    }

    /// <summary>Compares adversarial images with the golden tensor of the same name, pixel by pixel.</summary>
    protected void AssertGoldenImages(string name, float[] actual)
    {
        float[] expected = Golden[name];
        Assert.That(actual, Has.Length.EqualTo(expected.Length), name);
        int different = actual.Where((value, i) => !(Math.Abs(value - expected[i]) <= PixelTolerance)).Count();
        TestContext.Out.WriteLine($"{name}: {different} of {expected.Length} pixels differ");
        Assert.That(different, Is.LessThanOrEqualTo(PixelShare * expected.Length), $"Pixels of {name} that differ");
    }

    /// <summary>Takes five steps of SGD and compares losses and state with the golden tensors of the prefix.</summary>
    protected void AssertSteps(string prefix)
    {
        var settings = new TrainingSettings
        {
            Momentum = Golden.Constant("sgd.momentum"),
            WeightDecay = Golden.Constant("sgd.weight_decay"),
            DecayAll = true,
        };
        var optimizer = new SgdOptimizer(Network, settings);
        Plan plan = Network.Plan(new PlanOptions(Batch, PlanMode.Train, GradientRequest.Parameters));
        float[] losses = new float[Golden[$"{prefix}.loss"].Length];
        for (int step = 0; step < losses.Length; step++)
        {
            plan.Forward();
            losses[step] = Loss(plan);
            plan.Backward();
            optimizer.Step(Golden.Constant("sgd.learning_rate"));
        }
        AssertGolden($"{prefix}.loss", losses);
        AssertGolden($"{prefix}.after.", Table.Trained, Network.Parameters.Slice);
        if (Table.Statistics.Any())
            AssertGolden($"{prefix}.after.", Table.Statistics, Network.Parameters.Slice);
    }

    /// <summary>Mean cross-entropy of the batch, with the gradient of the logits.</summary>
    protected float Loss(Plan plan)
    {
        plan.Loss(LossKind.CrossEntropy, 1f / Batch);
        return Read(Buffers.Losses.All).Average();
    }

    private static IEnumerable<object[]> CasesOf(params string[] models) =>
        from backend in TestBackends.Names from model in models select new object[] { backend, model };

    private static double Norm(IEnumerable<double> values) => Math.Sqrt(values.Sum(value => value * value));
}
