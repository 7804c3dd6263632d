using System.Globalization;
using BoostingTicket.Engine.Graph;
using BoostingTicket.Training.Models;
using BoostingTicket.Training.Pruning;

namespace BoostingTicket.Training.Tests.Pruning;

/// <summary>Pruning what is pruned already, and ratios that cannot be reached: the same answer from every pruner.</summary>
internal sealed class SparseNetworkTests
{
    private static readonly ParameterTable Table = ToyModel.Table(10, 400);

    [Test]
    public void Zeros_of_an_earlier_mask_stay_pruned([Values(0.9, 0.93, 0.99)] double ratio, [Values] bool layerwise)
    {
        (ModelState sparse, Mask earlier) = Sparse(layerwise);
        Mask zeros = Mask.OfNonZero(sparse);
        Assert.That(zeros, Is.EqualTo(earlier));
        PruningResult result = PrunerOf(layerwise).Prune(sparse, new PruningOptions(ratio, MinimumKept: 0), zeros);
        Assert.That(result.Mask.IsSubsetOf(earlier), Is.True);
        Assert.That(result.Mask.Pruned, Is.EqualTo(layerwise ? Count(10, ratio) + Count(400, ratio) : Count(410, ratio)));
    }

    [Test]
    public void A_ratio_below_an_earlier_masks_is_refused_by_every_pruner(
        [Values] bool layerwise, [Values(0, 0.5, 0.89)] double ratio)
    {
        (ModelState sparse, _) = Sparse(layerwise);
        Assert.That(
            () => PrunerOf(layerwise).Prune(sparse, new PruningOptions(ratio), Mask.OfNonZero(sparse)),
            Throws.TypeOf<ConfigurationException>().With.Message.EqualTo(string.Create(
                CultureInfo.InvariantCulture,
                $"A pruning ratio of {ratio} would bring back weights, since 369 of 410 are pruned already; give a larger "
                    + $"ratio.")));
    }

    [Test]
    public void A_layer_of_which_more_is_pruned_is_named_and_stays()
    {
        byte[] values = [.. Enumerable.Range(0, 410).Select(i => (byte)(i < 10 || i >= 370 ? 1 : 0))];
        Mask earlier = Mask.FromValues(Table, values);
        ModelState state = Random(3);
        PruningResult result = new LayerwiseMagnitude().Prune(state, new PruningOptions(0.89), earlier);
        Assert.That(result.Mask["a.weight"].Count((byte)0), Is.EqualTo(9));
        Assert.That(result.Mask["b.weight"].Count((byte)0), Is.EqualTo(360));
        Assert.That(result.Report.Warnings, Has.Some.EqualTo(
            "b.weight had 360 of its 400 weights pruned already, more than the ratio of 0.89 asks for, and stays so."));
    }

    [Test]
    public void A_ratio_that_a_layer_cannot_reach_is_refused_and_the_layer_named() => Assert.That(
        () => new LayerwiseMagnitude().Prune(Random(1), new PruningOptions(0.95)),
        Throws.TypeOf<ConfigurationException>().With.Message.EqualTo(
            "A pruning ratio of 0.95 cannot be reached in a.weight: with at least 1 kept in each layer, at most 9 of its 10 "
                + "weights can be "
            + "pruned; give a smaller ratio (pruning.ratio), or prune globally (pruning.scope global)."));

    [Test]
    public void Every_round_of_a_schedule_can_be_reached_if_the_last_can([Range(1, 9)] int seed)
    {
        var random = new Random(seed);
        double ratio = random.NextDouble() * 0.89;
        foreach (IPruner pruner in PrunerCatalog.All)
        {
            Mask? mask = null;
            foreach (double reached in PruningSchedule.CumulativeRatios(ratio, 1 + random.Next(60)))
            {
                ModelState trained = Random(random.Next());
                mask?.Apply(trained.Weights);
                mask = pruner.Prune(trained, new PruningOptions(reached), mask).Mask;
            }
            Assert.That(mask!.Pruned, Is.EqualTo(pruner.Prune(Random(1), new PruningOptions(ratio)).Mask.Pruned));
        }
    }

    private static IPruner PrunerOf(bool layerwise) => PrunerCatalog.Find(layerwise ? "layerwise" : "global");

    private static (ModelState State, Mask Mask) Sparse(bool layerwise)
    {
        Mask mask = PrunerOf(layerwise).Prune(Random(2), new PruningOptions(0.9)).Mask;
        ModelState trained = Random(8);
        mask.Apply(trained.Weights);
        return (trained, mask);
    }

    private static ModelState Random(int seed)
    {
        var random = new Random(seed);
        return ToyModel.State(Table, [.. Enumerable.Range(0, 410).Select(_ => random.NextSingle() - 0.5f)]);
    }

    private static int Count(int weights, double ratio) => (int)Math.Round(ratio * weights, MidpointRounding.AwayFromZero);
}
