using BoostingTicket.Engine.Tensors;
using BoostingTicket.Training.Attacks;

namespace BoostingTicket.Training.Tests.Attacks;

internal sealed class AttackChecksTests
{
    [Test]
    public void Logits_that_stay_the_same_are_in_order() =>
        Assert.That(AttackChecks.Outputs(new Outputs([1, -2, 3], 0), new float[2]), Is.Empty);

    [Test]
    public void Probabilities_are_noticed() =>
        Assert.That(AttackChecks.Outputs(new Outputs([0.25f, 0.25f, 0.5f], 0), new float[2]), Has.One.Contains("probabilities"));

    [Test]
    public void Outputs_that_change_are_noticed() =>
        Assert.That(AttackChecks.Outputs(new Outputs([1, -2, 3], 0.01f), new float[2]), Has.One.Contains(
            "different answers for the same images"));

    [TestCase(0.5, 0.499, false)]
    [TestCase(0.5, 0.49, true)]
    [TestCase(0.5, 0.5, false)]
    public void Square_must_not_find_much_that_gradients_did_not(double before, double after, bool warns) =>
        Assert.That(AttackChecks.Square(before, after), warns ? Does.Contain("1.0 points") : Is.Null);

    [Test]
    public void Every_attack_has_its_line_of_help()
    {
        Assert.That(AttackCatalog.Names.Select(name => name.Name), Is.Unique);
        Assert.That(
            AttackCatalog.Standard.Select(entry => entry.Name), Is.EqualTo(new[] { "apgd-ce", "apgd-t", "fab-t", "square" }));
        Assert.That(AttackCatalog.Names, Has.All.Matches<(string Name, string Description)>(
            entry => entry.Description.Length is > 10 and < 100));
    }

    private sealed class Outputs(float[] logits, float drift) : IAttackModel
    {
        private float _added;

        public int Batch => 2;

        public FeatureShape Shape => new(1);

        public int Classes => logits.Length;

        public void Logits(ReadOnlySpan<float> images, Span<float> result)
        {
            for (int j = 0; j < result.Length; j++)
                result[j] = logits[j % logits.Length];
            result[0] += _added;
            _added += drift;
        }

        public void Forward(ReadOnlySpan<float> images, Span<float> result) => Logits(images, result);

        public void Backward(ReadOnlySpan<float> logitGradient, Span<float> imageGradient) => imageGradient.Clear();
    }
}
