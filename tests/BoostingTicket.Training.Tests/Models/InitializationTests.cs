using BoostingTicket.Engine.Graph;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Training.Models;

namespace BoostingTicket.Training.Tests.Models;

internal sealed class InitializationTests
{
    private static ParameterTable Table(string model) =>
        ModelCatalog.Build(model, new ModelOptions(new FeatureShape(3, 32, 32))).Table;

    [Test]
    public void Convolutions_follow_He_by_fan_out()
    {
        ModelState state = Initialization.Draw(Table("resnet18-w32"), seed: 3);
        foreach (Parameter parameter in state.Table.All.Where(
            parameter => parameter.Role == ParameterRole.ConvolutionWeight && parameter.Length > 4000))
        {
            IReadOnlyList<int> shape = parameter.Spec.Dimensions;
            AssertNormal(state[parameter], Math.Sqrt(2.0 / (shape[2] * shape[3] * shape[0])), parameter.Name);
        }
    }

    [Test]
    public void Linear_layers_are_uniform_by_fan_in()
    {
        ModelState state = Initialization.Draw(Table("vgg16-w32"), seed: 3);
        float[] values = state["classifier.0.weight"].ToArray();
        double bound = 1 / Math.Sqrt(256);
        Assert.That(values.Max(Math.Abs), Is.LessThanOrEqualTo(bound).And.GreaterThan(0.999 * bound));
        Assert.That(Deviation(values), Is.EqualTo(bound / Math.Sqrt(3)).Within(1).Percent);
    }

    [Test]
    public void Glorot_follows_both_fans_everywhere()
    {
        ModelState state = Initialization.Draw(Table("vgg16-w32"), seed: 3, InitializationScheme.Glorot);
        AssertNormal(state["feature.3.weight"], Math.Sqrt(2.0 / (9 * (32 + 32))), "feature.3.weight");
        AssertNormal(state["feature.7.weight"], Math.Sqrt(2.0 / (9 * (32 + 64))), "feature.7.weight");
        AssertNormal(state["classifier.0.weight"], Math.Sqrt(2.0 / 512), "classifier.0.weight");
    }

    [Test]
    public void Everything_else_starts_at_its_neutral_value()
    {
        ModelState state = Initialization.Draw(Table("vgg16-w4"), seed: 3);
        foreach (Parameter parameter in state.Table.All)
        {
            float? expected = parameter.Role switch
            {
                ParameterRole.NormalizationScale or ParameterRole.RunningVariance => 1,
                ParameterRole.NormalizationShift or ParameterRole.RunningMean or ParameterRole.Bias => 0,
                _ => null,
            };
            if (expected is { } value)
                Assert.That(state[parameter].ToArray(), Is.All.EqualTo(value), parameter.Name);
        }
    }

    [Test]
    public void The_same_seed_gives_the_same_values_and_another_gives_others()
    {
        ParameterTable table = Table("wrn-10-2");
        ModelState first = Initialization.Draw(table, seed: 7);
        Assert.That(Initialization.Draw(table, seed: 7).ContentHash(), Is.EqualTo(first.ContentHash()));
        Assert.That(Initialization.Draw(table, seed: 8).ContentEquals(first), Is.False);
        Assert.That(Initialization.Redraw(table, seed: 7).ContentEquals(first), Is.False);
        Assert.That(Correlation(first.Weights, Initialization.Redraw(table, seed: 7).Weights), Is.EqualTo(0).Within(0.02));
        Assert.That(Correlation(first.Weights, Initialization.Draw(table, seed: 8).Weights), Is.EqualTo(0).Within(0.02));
    }

    [Test]
    public void A_layer_of_the_same_name_and_shape_gets_the_same_values_in_any_model()
    {
        ModelState shallow = Initialization.Draw(Table("wrn-10-2"), seed: 7),
        deep = Initialization.Draw(Table("wrn-16-2"), seed: 7);
        Assert.That(deep["block2.layer.0.conv1.weight"].ToArray(), Is.EqualTo(shallow["block2.layer.0.conv1.weight"].ToArray()));
        Assert.That(
            deep["block2.layer.1.conv2.weight"].ToArray(), Is.Not.EqualTo(shallow["block2.layer.0.conv2.weight"].ToArray()));
    }

    [Test]
    public void Values_are_those_of_a_naive_loop_over_the_generator()
    {
        ModelState state = Initialization.Draw(Table("wrn-10-1"), seed: 5);
        ulong key = Philox.Key(5, RandomStream.Initialization), name = Initialization.NameHash("conv1.weight");
        Span<float> values = state["conv1.weight"];
        for (int i = 0; i < values.Length; i += 2)
        {
            var words = Philox.Words(key, (uint)(i / 4), (uint)name, (uint)(name >> 32), 0);
            (float a, float b) = Philox.Normal(words[i % 4], words[i % 4 + 1]);
            Assert.That((values[i], values[i + 1]), Is.EqualTo((a * MathF.Sqrt(2f / 144), b * MathF.Sqrt(2f / 144))));
        }
    }

    [Test]
    public void An_unknown_scheme_is_answered_with_the_nearest() =>
        Assert.That(() => Initialization.ParseScheme("glorott"),
            Throws.TypeOf<ConfigurationException>().With.Message.Contains("did you mean 'glorot'"));

    [Test]
    public void Every_scheme_has_a_name() =>
        Assert.That(
            Initialization.SchemeNames.Select(Initialization.ParseScheme), Is.EqualTo(Enum.GetValues<InitializationScheme>()));

    // Bounds of five standard errors: a wrong rule is off by tens of percent.
    private static void AssertNormal(ReadOnlySpan<float> values, double deviation, string name)
    {
        double[] standard = new double[values.Length];
        for (int i = 0; i < values.Length; i++)
            standard[i] = values[i] / deviation;
        double root = Math.Sqrt(standard.Length);
        Assert.That(standard.Average(), Is.EqualTo(0).Within(5 / root), name);
        Assert.That(standard.Average(x => x * x), Is.EqualTo(1).Within(5 * Math.Sqrt(2) / root), name);
        Assert.That(standard.Average(x => x * x * x * x), Is.EqualTo(3).Within(5 * Math.Sqrt(96) / root), name);
    }

    private static double Deviation(float[] values) => Math.Sqrt(values.Average(x => (double)x * x));

    private static double Correlation(float[] a, float[] b)
    {
        // Values that are not drawn, γ and β, are the same in every state.
        IEnumerable<(float, float)> pairs = a.Zip(b).Where(pair => pair.First is not (0 or 1));
        double ab = 0, aa = 0, bb = 0;
        foreach ((float x, float y) in pairs)
            (ab, aa, bb) = (ab + (double)x * y, aa + (double)x * x, bb + (double)y * y);
        return ab / Math.Sqrt(aa * bb);
    }
}
