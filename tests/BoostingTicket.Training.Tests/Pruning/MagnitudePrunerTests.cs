using BoostingTicket.Engine.Graph;
using BoostingTicket.Training.Models;
using BoostingTicket.Training.Pruning;

namespace BoostingTicket.Training.Tests.Pruning;

internal sealed class MagnitudePrunerTests
{
    private static readonly GlobalMagnitude Global = new();
    private static readonly LayerwiseMagnitude Layerwise = new();

    // a: 4 weights; b: 8 weights.
    private static readonly ParameterTable TwoLayers = ToyModel.Table(4, 8);
    private static readonly float[] ByHand = [0.1f, -0.9f, 0.3f, 0.05f, /**/ 2f, -0.2f, 0.4f, -3f, 0f, 1f, -0.6f, 0.25f];

    [Test]
    public void Global_prunes_the_smallest_of_all_layers_together()
    {
        PruningResult result = Global.Prune(ToyModel.State(TwoLayers, ByHand), new PruningOptions(0.5));
        // The six smallest: 0, 0.05, 0.1, 0.2, 0.25, 0.3.
        Assert.That(result.Mask["a.weight"].ToArray(), Is.EqualTo(new byte[] { 0, 1, 0, 0 }));
        Assert.That(result.Mask["b.weight"].ToArray(), Is.EqualTo(new byte[] { 1, 0, 1, 1, 0, 1, 1, 0 }));
        Assert.That(result.Report.Layers, Is.EqualTo(new[]
        {
            new LayerPruning("a.weight", 4, 1, 0.3f, 0.9f),
            new LayerPruning("b.weight", 8, 5, 0.25f, 0.4f),
        }));
        Assert.That(result.Report.Layers.Select(layer => layer.Sparsity), Is.EqualTo(new[] { 0.75, 0.375 }));
        Assert.That((result.Report.Total, result.Report.Kept, result.Report.Sparsity), Is.EqualTo((12, 6, 0.5)));
    }

    [Test]
    public void Layerwise_prunes_the_same_share_of_every_layer()
    {
        PruningResult result = Layerwise.Prune(ToyModel.State(TwoLayers, ByHand), new PruningOptions(0.5));
        Assert.That(result.Mask["a.weight"].ToArray(), Is.EqualTo(new byte[] { 0, 1, 1, 0 }));
        Assert.That(result.Mask["b.weight"].ToArray(), Is.EqualTo(new byte[] { 1, 0, 0, 1, 0, 1, 1, 0 }));
        Assert.That(result.Report.Warnings, Is.Empty);
    }

    [Test]
    public void A_ratio_of_zero_prunes_nothing()
    {
        foreach (IPruner pruner in PrunerCatalog.All)
        {
            PruningResult result = pruner.Prune(ToyModel.State(TwoLayers, ByHand), new PruningOptions(0));
            Assert.That(result.Mask, Is.EqualTo(Mask.Dense(TwoLayers)));
            Assert.That(result.Report.Layers.Select(layer => layer.LargestPruned), Is.All.Null);
        }
    }

    [Test]
    public void Equal_magnitudes_are_pruned_in_the_order_of_their_index()
    {
        float[] equal = [0.5f, -0.5f, 0.5f, 0.5f, -0.5f, 0.5f, 0.5f, 0.5f, 0.5f, -0.5f, 0.5f, 0.5f];
        Mask mask = Global.Prune(ToyModel.State(TwoLayers, equal), new PruningOptions(0.25)).Mask;
        Assert.That(mask.Values.ToArray(), Is.EqualTo(new byte[] { 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1 }));
    }

    [Test]
    public void Zero_and_negative_zero_are_equal()
    {
        Mask mask = Global.Prune(ToyModel.State(ToyModel.Table(4), -0f, 0f, -0f, 0f), new PruningOptions(0.5)).Mask;
        Assert.That(mask.Values.ToArray(), Is.EqualTo(new byte[] { 0, 0, 1, 1 }));
    }

    [TestCase(0.125, 1)]  // 0.5 of a weight goes up
    [TestCase(0.12, 0)]
    [TestCase(0.375, 2)]
    [TestCase(0.63, 3)]
    public void The_number_of_pruned_weights_is_rounded_halves_upwards(double ratio, int pruned)
    {
        ParameterTable table = ToyModel.Table(4);
        foreach (IPruner pruner in PrunerCatalog.All)
            Assert.That(
                pruner.Prune(ToyModel.State(table, 1, 2, 3, 4), new PruningOptions(ratio)).Mask.Pruned, Is.EqualTo(pruned));
    }

    [Test]
    public void Any_weights_give_what_a_stable_sort_gives([Range(0, 39)] int seed)
    {
        var random = new Random(seed);
        int first = random.Next(1, 20);
        ParameterTable table = ToyModel.Table(first, first * random.Next(1, 200));
        ModelState state = Random(table, random);
        double ratio = random.NextDouble();
        var options = new PruningOptions(ratio, MinimumKept: 0);

        int expected = (int)Math.Floor(ratio * table.PrunableLength + 0.5);
        Mask mask = Global.Prune(state, options).Mask;
        Assert.That(mask.Pruned, Is.EqualTo(expected));
        Assert.That(mask.Values.ToArray(), Is.EqualTo(BySorting(state.PrunableWeights, expected)));

        Mask layerwise = Layerwise.Prune(state, options).Mask;
        foreach (Parameter parameter in table.Prunable)
        {
            int ofLayer = (int)Math.Floor(ratio * parameter.Length + 0.5);
            Assert.That(layerwise[parameter].ToArray(), Is.EqualTo(BySorting(state[parameter], ofLayer)), parameter.Name);
        }
    }

    [Test]
    public void What_is_pruned_stays_pruned_and_counts([Range(0, 9)] int seed)
    {
        var random = new Random(seed);
        ParameterTable table = ToyModel.Table(10, 400);
        ModelState state = Random(table, random);
        foreach (IPruner pruner in PrunerCatalog.All)
        {
            Mask current = pruner.Prune(state, new PruningOptions(0.3)).Mask;
            foreach (double ratio in new[] { 0.3, 0.5, 0.77, 0.9 })
            {
                // Other weights in every round, as after more training: what was pruned is now largest, and must not come back.
                ModelState other = Random(table, random);
                for (int i = 0; i < table.PrunableLength; i++)
                    other.Weights[i] = current.Values[i] == 0 ? 1000 : other.Weights[i];
                Mask next = pruner.Prune(other, new PruningOptions(ratio), current).Mask;
                Assert.That(next.IsSubsetOf(current), Is.True);
                int expected = pruner is GlobalMagnitude
                    ? (int)Math.Round(ratio * 410, MidpointRounding.AwayFromZero)
                    : (int)Math.Round(ratio * 10, MidpointRounding.AwayFromZero) + (int)Math.Round(
                        ratio * 400, MidpointRounding.AwayFromZero);
                Assert.That(next.Pruned, Is.EqualTo(expected), $"{pruner.Name} {ratio}");
                current = next;
            }
        }
    }

    [Test]
    public void Rounds_without_training_between_them_are_one_shot_pruning()
    {
        ParameterTable table = ToyModel.Table(10, 400);
        ModelState state = Random(table, new Random(5));
        foreach (IPruner pruner in PrunerCatalog.All)
        {
            Mask? mask = null;
            foreach (double ratio in PruningSchedule.CumulativeRatios(0.8, 4))
                mask = pruner.Prune(state, new PruningOptions(ratio), mask).Mask;
            Assert.That(mask, Is.EqualTo(pruner.Prune(state, new PruningOptions(0.8)).Mask));
        }
    }

    [Test]
    public void A_layer_of_small_weights_keeps_its_largest_and_is_warned_about()
    {
        float[] weights = [1e-5f, -3e-5f, 2e-5f, 1e-6f, /**/ 2f, -0.2f, 0.4f, -3f, 0.9f, 1f, -0.6f, 0.25f];
        PruningResult result = Global.Prune(ToyModel.State(TwoLayers, weights), new PruningOptions(0.5));
        Assert.That(result.Mask["a.weight"].ToArray(), Is.EqualTo(new byte[] { 0, 1, 0, 0 }));
        Assert.That(result.Mask["b.weight"].ToArray(), Is.EqualTo(new byte[] { 1, 0, 0, 1, 1, 1, 1, 0 }));
        Assert.That(result.Mask.Pruned, Is.EqualTo(6));
        Assert.That(result.Report.Warnings, Has.Count.EqualTo(1));
        Assert.That(result.Report.Warnings[0], Does.StartWith("a.weight keeps only 1 of its 4 weights"));

        PruningResult dead = Global.Prune(ToyModel.State(TwoLayers, weights), new PruningOptions(0.5, MinimumKept: 0));
        Assert.That(dead.Mask["a.weight"].ToArray(), Is.All.EqualTo(0));
        Assert.That(dead.Report.Warnings.Single(), Does.StartWith("a.weight keeps none of its 4 weights"));
        Assert.That(dead.Report.Layers[0].SmallestKept, Is.Null);
    }

    [Test]
    public void The_minimum_changes_nothing_where_every_layer_keeps_enough([Range(0, 9)] int seed)
    {
        ParameterTable table = ToyModel.Table(20, 400);
        ModelState state = Random(table, new Random(seed));
        Mask free = Global.Prune(state, new PruningOptions(0.7, MinimumKept: 0)).Mask;
        int least = table.Prunable.Min(parameter => free[parameter].Count((byte)1));
        Assert.That(Global.Prune(state, new PruningOptions(0.7, least)).Mask, Is.EqualTo(free));
        Mask held = Global.Prune(state, new PruningOptions(0.7, 15)).Mask;
        Assert.That(held.Pruned, Is.EqualTo(free.Pruned));
        Assert.That(table.Prunable.Min(parameter => held[parameter].Count((byte)1)), Is.GreaterThanOrEqualTo(15));
    }

    [Test]
    public void A_ratio_that_leaves_too_little_is_refused() =>
        Assert.That(() => Global.Prune(ToyModel.State(TwoLayers, ByHand), new PruningOptions(0.95)),
            Throws.TypeOf<ConfigurationException>().With.Message.Contains("at most 10 of the 12 weights can be pruned"));

    [Test]
    public void A_ratio_below_what_is_pruned_is_refused()
    {
        ModelState state = ToyModel.State(TwoLayers, ByHand);
        Mask current = Global.Prune(state, new PruningOptions(0.5)).Mask;
        Assert.That(() => Global.Prune(state, new PruningOptions(0.25), current),
            Throws.TypeOf<ConfigurationException>().With.Message.Contains("6 of 12 are pruned already"));
    }

    [TestCase(-0.1)]
    [TestCase(1)]
    [TestCase(80)]
    [TestCase(double.NaN)]
    public void A_ratio_out_of_range_is_refused(double ratio)
    {
        foreach (IPruner pruner in PrunerCatalog.All)
        {
            Assert.That(() => pruner.Prune(ToyModel.State(TwoLayers, ByHand), new PruningOptions(ratio)),
                Throws.TypeOf<ConfigurationException>().With.Message.Contains("pruning ratio"));
        }
    }

    [TestCase(float.NaN)]
    [TestCase(float.PositiveInfinity)]
    [TestCase(float.NegativeInfinity)]
    public void A_weight_that_is_no_number_is_named(float value)
    {
        float[] weights = [.. ByHand];
        weights[4 + 3] = value;
        foreach (IPruner pruner in PrunerCatalog.All)
        {
            Assert.That(() => pruner.Prune(ToyModel.State(TwoLayers, weights), new PruningOptions(0.5)),
                Throws.TypeOf<DivergedException>().With.Message.Contains("Weight 3 of b.weight is"));
        }
    }

    [Test]
    public void A_mask_of_another_model_is_refused() =>
        Assert.That(() => Global.Prune(
            ToyModel.State(TwoLayers, ByHand), new PruningOptions(0.5), Mask.Dense(ToyModel.Table(12))),
            Throws.ArgumentException);

    [Test]
    public void Pruning_changes_no_weight()
    {
        ModelState state = ToyModel.State(TwoLayers, ByHand), before = state.Clone();
        foreach (IPruner pruner in PrunerCatalog.All)
            pruner.Prune(state, new PruningOptions(0.5));
        Assert.That(state.ContentEquals(before), Is.True);
    }

    [Test]
    public void An_unknown_scope_is_answered_with_the_nearest() =>
        Assert.That(() => PrunerCatalog.Find("globl"),
            Throws.TypeOf<ConfigurationException>().With.Message.Contains("did you mean 'global'"));

    // Few distinct values, zeros of both signs and subnormal numbers among them, so that ties and every bucket size occur.
    private static ModelState Random(ParameterTable table, Random random)
    {
        int kind = random.Next(4);
        var state = new ModelState(table);
        foreach (ref float weight in state.Weights.AsSpan())
        {
            weight = kind switch
            {
                0 => random.Next(-3, 4),
                1 => (random.NextSingle() - 0.5f) * MathF.Pow(10, random.Next(-44, 38)),
                2 => BitConverter.UInt32BitsToSingle((uint)random.Next(0, 50_000) | (uint)random.Next(2) << 31),
                _ => random.NextSingle() - 0.5f,
            };
        }

        return state;
    }

    private static byte[] BySorting(ReadOnlySpan<float> weights, int count)
    {
        float[] values = weights.ToArray();
        byte[] mask = [.. Enumerable.Repeat((byte)1, values.Length)];
        foreach (int index in Enumerable.Range(0, values.Length).OrderBy(i => Math.Abs(values[i])).Take(count))
            mask[index] = 0;
        return mask;
    }
}
