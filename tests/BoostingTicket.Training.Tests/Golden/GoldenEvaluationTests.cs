using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Plans;

namespace BoostingTicket.Training.Tests.Golden;

/// <summary>Structure, logits, losses and input gradients by running statistics.</summary>
[TestFixtureSource(typeof(GoldenFixture), nameof(Cases))]
internal sealed class GoldenEvaluationTests(string backend, string model) : GoldenFixture(backend, model)
{
    [Test]
    public void Parameters_have_the_names_and_shapes_of_the_pytorch_model()
    {
        IEnumerable<string> expected = Golden.Names("initial.")
            .Select(name => $"{name} [{string.Join(',', Golden.Shape("initial." + name))}]");
        IEnumerable<string> actual = Table.All
            .Select(parameter => $"{parameter.Name} [{string.Join(',', parameter.Spec.Dimensions)}]");
        Assert.That(actual, Is.EquivalentTo(expected));
    }

    [TestCase(LossKind.CrossEntropy, "ce")]
    [TestCase(LossKind.CarliniWagner, "cw")]
    public void Evaluation_gives_the_logits_and_losses(LossKind kind, string name)
    {
        Plan plan = Network.Plan(new PlanOptions(Batch, PlanMode.Evaluate));
        plan.Forward();
        plan.Loss(kind, gradientScale: 1);
        AssertGolden("eval.logits", Read(plan.Logits));
        AssertGolden($"eval.loss.{name}", Read(Buffers.Losses.All));
    }

    [TestCase(LossKind.CrossEntropy, "ce")]
    [TestCase(LossKind.CarliniWagner, "cw")]
    public void An_attack_gets_the_gradient_of_the_summed_loss_by_the_images(LossKind kind, string name)
    {
        Plan plan = Network.Plan(new PlanOptions(Batch, PlanMode.Attack, GradientRequest.Input));
        plan.Forward();
        AssertGolden("eval.logits", Read(plan.Logits));
        plan.Loss(kind, gradientScale: 1);
        AssertGolden($"eval.loss.{name}", Read(Buffers.Losses.All));
        plan.Backward();
        AssertGolden($"eval.input_grad.{name}", Read(Buffers.InputGradient));
    }
}
