using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Plans;
using BoostingTicket.Training.Attacks;

namespace BoostingTicket.Training.Tests.Golden;

/// <summary>FGSM and PGD.</summary>
[TestFixtureSource(typeof(GoldenFixture), nameof(Cases))]
internal sealed class GoldenAttackTests(string backend, string model) : GoldenFixture(backend, model)
{
    private const int LastStep = 10;

    private float Epsilon => (float)Golden.Constant("attack.epsilon");

    [Test]
    public void Fgsm_gives_the_images_and_their_logits()
    {
        var target = new NetworkTarget(Network, Batch, AttackStatistics.Running);
        using var attack = new ProjectedGradientDescent(target, AttackBudget.Fgsm(Epsilon));
        attack.Run(stream: 0, epoch: 0);
        AssertGoldenImages("attack.fgsm", Read(Buffers.Input));
        AssertGolden("attack.fgsm.logits", Logits());
    }

    [Test]
    public void Steps_of_pgd_give_the_images_and_their_logits()
    {
        float stepSize = (float)Golden.Constant("attack.step_size");
        var target = new NetworkTarget(Network, Batch, AttackStatistics.Running);
        Backend.Upload(Golden["attack.start"], Buffers.Input);
        for (int step = 1; step <= LastStep; step++)
        {
            target.Gradients(LossKind.CrossEntropy);
            Backend.AttackStep(Buffers.Clean, Buffers.InputGradient, Epsilon, stepSize, Buffers.Input);
            if (step is 1 or 2 or LastStep)
                AssertGoldenImages($"attack.pgd.{step}", Read(Buffers.Input));
        }
        AssertGolden("attack.pgd.10.logits", Logits());
        PerturbationExtent extent = Backend.MeasurePerturbation(Buffers.Clean, Buffers.Input);
        Assert.Multiple(() =>
        {
            Assert.That(extent.LargestPerturbation, Is.LessThanOrEqualTo(Epsilon));
            Assert.That(extent.Smallest, Is.GreaterThanOrEqualTo(0f));
            Assert.That(extent.Largest, Is.LessThanOrEqualTo(1f));
        });
    }

    private float[] Logits()
    {
        Plan plan = Network.Plan(new PlanOptions(Batch, PlanMode.Evaluate));
        plan.Forward();
        return Read(plan.Logits);
    }
}
