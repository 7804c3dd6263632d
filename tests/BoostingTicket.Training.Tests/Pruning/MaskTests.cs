using BoostingTicket.Engine.Graph;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Training.Models;
using BoostingTicket.Training.Pruning;

namespace BoostingTicket.Training.Tests.Pruning;

internal sealed class MaskTests
{
    private static readonly ParameterTable Table = ToyModel.Table(2, 4);

    private static Mask Of(params byte[] values) => Mask.FromValues(Table, values);

    [Test]
    public void A_mask_counts_what_it_keeps()
    {
        Mask mask = Of(1, 0, 0, 1, 0, 0);
        Assert.That((mask.Length, mask.Kept, mask.Pruned), Is.EqualTo((6, 2, 4)));
        Assert.That(mask.Sparsity, Is.EqualTo(4.0 / 6));
        Assert.That(mask["a.weight"].ToArray(), Is.EqualTo(new byte[] { 1, 0 }));
        Assert.That(mask["b.weight"].ToArray(), Is.EqualTo(new byte[] { 0, 1, 0, 0 }));
        Assert.That(mask.ToFloats(), Is.EqualTo(new float[] { 1, 0, 0, 1, 0, 0 }));
    }

    [Test]
    public void Masks_compare_by_value()
    {
        Mask mask = Of(1, 0, 0, 1, 0, 0), same = Mask.FromValues(ToyModel.Table(2, 4), [1, 0, 0, 1, 0, 0]);
        Assert.That(mask, Is.EqualTo(same));
        Assert.That(mask.GetHashCode(), Is.EqualTo(same.GetHashCode()));
        Assert.That(mask.ContentHash(), Is.EqualTo(same.ContentHash()));
        Assert.That(mask, Is.Not.EqualTo(Of(0, 1, 0, 1, 0, 0)));
        Assert.That(mask, Is.Not.EqualTo(Mask.FromValues(ToyModel.Table(6), [1, 0, 0, 1, 0, 0])));
    }

    [Test]
    public void The_Hamming_distance_counts_differences()
    {
        Assert.That(Of(1, 0, 0, 1, 0, 0).HammingDistance(Of(1, 1, 0, 0, 0, 0)), Is.EqualTo(2));
        Assert.That(Of(1, 0, 0, 1, 0, 0).HammingDistance(Mask.Dense(Table)), Is.EqualTo(4));
        Assert.That(() => Of(1, 0, 0, 1, 0, 0).HammingDistance(Mask.Dense(ToyModel.Table(6))), Throws.ArgumentException);
    }

    [Test]
    public void A_subset_keeps_nothing_that_the_other_prunes()
    {
        Assert.That(Of(1, 0, 0, 0, 0, 0).IsSubsetOf(Of(1, 0, 0, 1, 0, 0)), Is.True);
        Assert.That(Of(1, 0, 0, 1, 0, 0).IsSubsetOf(Of(1, 0, 0, 0, 1, 1)), Is.False);
    }

    [Test]
    public void Applying_zeroes_the_pruned_weights_alone()
    {
        ModelState state = ToyModel.State(Table, 1, -2, -3, 4, 5, 6);
        Of(1, 0, 0, 1, 0, 1).Apply(state.Weights);
        Assert.That(state.PrunableWeights.ToArray(), Is.EqualTo(new float[] { 1, 0, 0, 4, 0, 6 }));
        Assert.That(float.IsNegative(state.Weights[1]), Is.False);
        Assert.That(state.Weights[6..], Is.All.EqualTo(100));
    }

    [Test]
    public void Values_are_copied_and_checked()
    {
        byte[] values = [1, 0, 0, 1, 0, 0];
        Mask mask = Mask.FromValues(Table, values);
        values[0] = 0;
        Assert.That(mask.Values[0], Is.EqualTo(1));
        Assert.That(() => Of(1, 0, 0, 1, 0), Throws.ArgumentException);
        Assert.That(() => Of(1, 0, 0, 2, 0, 0), Throws.ArgumentException);
        Assert.That(() => _ = mask["a.bias"].Length, Throws.ArgumentException);
    }

    [TestCase(0.8, 3, new[] { 0.41519645, 0.65800481, 0.8 })]
    [TestCase(0.8, 1, new[] { 0.8 })]
    [TestCase(0.75, 2, new[] { 0.5, 0.75 })]
    public void Rounds_prune_the_same_share_of_what_is_left(double ratio, int rounds, double[] expected) =>
        Assert.That(PruningSchedule.CumulativeRatios(ratio, rounds), Is.EqualTo(expected).Within(1e-8));

    [Test]
    public void The_last_round_reaches_the_ratio_exactly()
    {
        for (int rounds = 1; rounds < 30; rounds++)
            Assert.That(PruningSchedule.CumulativeRatios(0.8, rounds)[^1], Is.EqualTo(0.8));
        Assert.That(() => PruningSchedule.CumulativeRatios(0.8, 0), Throws.TypeOf<ConfigurationException>());
    }

    [Test]
    public void A_shuffled_mask_keeps_as_many_in_every_layer_but_others()
    {
        ParameterTable table = ModelCatalog.Build("wrn-10-1", new ModelOptions(new FeatureShape(3, 32, 32))).Table;
        Mask mask = new GlobalMagnitude().Prune(Initialization.Draw(table, 1), new PruningOptions(0.8)).Mask;
        Mask shuffled = ShuffledMask.Of(mask, seed: 1);
        foreach (Parameter parameter in table.Prunable)
            Assert.That(shuffled[parameter].Count((byte)1), Is.EqualTo(mask[parameter].Count((byte)1)), parameter.Name);
        // Two independent masks that keep a share p of a layer differ in 2p(1-p) of it.
        double expected = table.Prunable.Sum(
            parameter => 2.0 * mask[parameter].Count((byte)1) * mask[parameter].Count((byte)0) / parameter.Length);
        Assert.That(shuffled.HammingDistance(mask), Is.EqualTo(expected).Within(2).Percent);
        Assert.That(ShuffledMask.Of(mask, seed: 1), Is.EqualTo(shuffled));
        Assert.That(ShuffledMask.Of(mask, seed: 2), Is.Not.EqualTo(shuffled));
    }

    [Test]
    public void Every_place_of_a_shuffled_layer_is_equally_likely()
    {
        Mask mask = Of(1, 0, 1, 0, 0, 0);
        int[] kept = new int[6];
        const int Draws = 4000;
        for (ulong seed = 0; seed < Draws; seed++)
        {
            ReadOnlySpan<byte> values = ShuffledMask.Of(mask, seed).Values;
            for (int i = 0; i < kept.Length; i++)
                kept[i] += values[i];
        }

        // Five standard errors: 2 x 1/2, 4 x 1/4.
        Assert.That(kept[..2], Is.All.EqualTo(Draws / 2.0).Within(5 * Math.Sqrt(Draws / 4.0)));
        Assert.That(kept[2..], Is.All.EqualTo(Draws / 4.0).Within(5 * Math.Sqrt(Draws * 3 / 16.0)));
    }
}
