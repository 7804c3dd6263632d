using BoostingTicket.Engine.Graph;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Training.Models;
using BoostingTicket.Training.Pruning;

namespace BoostingTicket.Training.Tests.Contracts;

/// <summary>What holds for every pruner of the catalogue: a new line there is tested without a new test.</summary>
internal sealed class PrunerContractTests
{
    private const int MinimumKept = 3;

    private static readonly ModelState Trained = Initialization.Draw(
        ModelCatalog.Build("lenet-4-8-32", new ModelOptions(new FeatureShape(1, 28, 28))).Table, seed: 2);

    private static IEnumerable<string> Names => PrunerCatalog.Names;

    [Test]
    public void It_prunes_as_much_as_asked_keeps_the_least_and_what_is_pruned_stays_so([ValueSource(nameof(Names))] string name)
    {
        IPruner pruner = PrunerCatalog.Find(name);
        string before = Trained.ContentHash();
        var options = new PruningOptions(0.5, MinimumKept);
        Mask first = pruner.Prune(Trained, options).Mask;
        Mask second = pruner.Prune(Trained, options with { Ratio = 0.95 }, first).Mask;
        Assert.Multiple(() =>
        {
            Assert.That(pruner.Description, Is.Not.Empty);
            Assert.That(first.Sparsity, Is.EqualTo(0.5).Within(0.01));
            Assert.That(second.Sparsity, Is.EqualTo(0.95).Within(0.01));
            Assert.That(pruner.Prune(Trained, options).Mask, Is.EqualTo(first), "the same again");
            Assert.That(Trained.ContentHash(), Is.EqualTo(before), "the network is not changed");
            foreach (Parameter parameter in Trained.Table.Prunable)
                Assert.That(second[parameter].Count((byte)1), Is.GreaterThanOrEqualTo(MinimumKept), parameter.Name);
            for (int i = 0; i < first.Length; i++)
            {
                if (second.Values[i] > first.Values[i])
                    Assert.Fail($"weight {i} was pruned and is kept");
            }
        });
    }
}
