using BoostingTicket.Engine.Plans;

namespace BoostingTicket.Training.Tests.Golden;

/// <summary>Gradients, running statistics and steps of SGD by batch statistics.</summary>
[TestFixtureSource(typeof(GoldenFixture), nameof(Cases))]
internal sealed class GoldenTrainingTests(string backend, string model) : GoldenFixture(backend, model)
{
    [TestCase(GradientRequest.Parameters)]
    [TestCase(GradientRequest.Parameters | GradientRequest.Input)]
    public void A_pass_gives_the_loss_the_gradients_and_the_running_statistics(GradientRequest gradients)
    {
        Plan plan = Network.Plan(new PlanOptions(Batch, PlanMode.Train, gradients));
        plan.Forward();
        AssertGolden("train.logits", Read(plan.Logits));
        AssertGolden("train.loss", [Loss(plan)]);
        plan.Backward();
        AssertGolden("train.grad.", Table.Trained, Network.Parameters.GradientSlice);
        if (gradients.HasFlag(GradientRequest.Input))
            AssertGolden("train.input_grad", Read(Buffers.InputGradient));
        if (Table.Statistics.Any())
            AssertGolden("train.after.", Table.Statistics, Network.Parameters.Slice);
    }

    [Test]
    public void Five_steps_of_sgd_give_the_losses_and_the_state() => AssertSteps("sgd");
}
