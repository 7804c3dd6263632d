using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Graph;
using BoostingTicket.Engine.Plans;

namespace BoostingTicket.Training.Tests.Golden;

/// <summary>Which statistics an attack reads and writes.</summary>
[TestFixtureSource(typeof(GoldenFixture), nameof(NormalizedCases))]
internal sealed class GoldenStatisticsTests(string backend, string model) : GoldenFixture(backend, model)
{
    [Test]
    public void An_attack_leaves_running_statistics_alone([Values] AttackStatistics statistics)
    {
        Plan plan = Network.Plan(new PlanOptions(Batch, PlanMode.Attack, GradientRequest.Input, statistics));
        plan.Forward();
        plan.Loss(LossKind.CrossEntropy, gradientScale: 1);
        plan.Backward();
        foreach (Parameter parameter in Table.Statistics)
        {
            float[] now = Read(Network.Parameters.Slice(parameter));
            Assert.That(now, Is.EqualTo(Golden["initial." + parameter.Name]), parameter.Name);
        }
    }

    [Test]
    public void An_attack_by_batch_statistics_sees_the_logits_and_gradient_of_training()
    {
        var options = new PlanOptions(Batch, PlanMode.Attack, GradientRequest.Input, AttackStatistics.Batch);
        Plan plan = Network.Plan(options);
        plan.Forward();
        AssertGolden("train.logits", Read(plan.Logits));
        plan.Loss(LossKind.CrossEntropy, 1f / Batch);
        plan.Backward();
        AssertGolden("train.input_grad", Read(Buffers.InputGradient));
    }
}
