using BoostingTicket.Engine.Graph;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Training.Models;
using BoostingTicket.Training.Pruning;

namespace BoostingTicket.Training.Tests.Pruning;

/// <summary>Pruning that counts what a weight costs.</summary>
internal sealed class CostMagnitudeTests
{
    private static readonly NetworkGraph Graph = ModelCatalog.Build("resnet18-w4", new ModelOptions(new FeatureShape(3, 32, 32)));
    private static readonly ModelState State = Initialization.Draw(Graph.Table, seed: 2);

    [Test]
    public void Without_an_exponent_it_is_global_magnitude()
    {
        var options = new PruningOptions(0.8) { CostExponent = 0 };
        Assert.That(new CostMagnitude().Prune(State, options).Mask, Is.EqualTo(new GlobalMagnitude().Prune(State, options).Mask));
    }

    [Test]
    public void A_weight_goes_when_its_magnitude_is_below_a_threshold_that_rises_with_its_cost([Values(0.1, 0.5)] double exponent)
    {
        Mask mask = new CostMagnitude().Prune(State, new PruningOptions(0.8, MinimumKept: 0) { CostExponent = exponent }).Mask;
        double largestPruned = 0, smallestKept = double.PositiveInfinity;
        foreach (Parameter parameter in Graph.Table.Prunable)
        {
            double pixels = parameter.Name.StartsWith("conv1", StringComparison.Ordinal)
                || parameter.Name.StartsWith("layer1", StringComparison.Ordinal) ? 1024
                : parameter.Name.StartsWith("layer2", StringComparison.Ordinal) ? 256
                : parameter.Name.StartsWith("layer3", StringComparison.Ordinal) ? 64 : 16;
            ReadOnlySpan<float> weights = State[parameter];
            for (int i = 0; i < weights.Length; i++)
            {
                double score = Math.Abs(weights[i]) / Math.Pow(pixels, exponent);
                if (mask[parameter][i] == 0)
                    largestPruned = Math.Max(largestPruned, score);
                else
                    smallestKept = Math.Min(smallestKept, score);
            }
        }

        Assert.Multiple(() =>
        {
            Assert.That(mask.Sparsity, Is.EqualTo(0.8).Within(1e-4));
            Assert.That(largestPruned, Is.LessThanOrEqualTo(smallestKept * (1 + 1e-6)));
        });
    }

    [Test]
    public void The_same_number_of_weights_costs_fewer_multiply_adds_the_larger_the_exponent()
    {
        long Kept(double exponent) => new CostMagnitude().Prune(
            State, new PruningOptions(0.9) { CostExponent = exponent }).Report.KeptMultiplyAdds;
        Assert.That((Kept(0) > Kept(0.1), Kept(0.1) > Kept(0.3)), Is.EqualTo((true, true)));
    }

    [Test]
    public void Multiply_adds_are_those_of_kept_weights_and_of_what_is_not_prunable()
    {
        PruningReport dense = PruningReport.Describe(Mask.Dense(Graph.Table));
        long classifier = Graph.Table["linear.weight"].Length;
        PruningReport none = PruningReport.Describe(
            Mask.FromValues(Graph.Table, new byte[Graph.Table.PrunableLength]), minimumKept: 0);
        Assert.Multiple(() =>
        {
            Assert.That((dense.MultiplyAdds, dense.KeptMultiplyAdds), Is.EqualTo((Graph.MultiplyAdds, Graph.MultiplyAdds)));
            Assert.That((none.MultiplyAdds, none.KeptMultiplyAdds), Is.EqualTo((Graph.MultiplyAdds, classifier)));
        });
    }

    [Test]
    public void An_exponent_out_of_range_is_refused([Values(-0.1, 2.5, double.NaN)] double exponent) => Assert.That(
        () => new CostMagnitude().Prune(State, new PruningOptions(0.5) { CostExponent = exponent }),
        Throws.TypeOf<ConfigurationException>().With.Message.Contains("exponent"));
}
