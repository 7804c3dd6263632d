using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Graph;
using BoostingTicket.Engine.Plans;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Training.Optimization;

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

    [Test]
    public void Five_masked_steps_give_the_losses_and_the_state_and_keep_pruned_weights_at_zero()
    {
        if (!Golden.HasMasks)
            Assert.Ignore("No masked steps were recorded for this network, to keep its file small.");
        float[] masks = new float[Table.PrunableLength];
        foreach (Parameter parameter in Table.Prunable)
        {
            byte[] mask = Golden.Mask(parameter.Name)!;
            for (int i = 0; i < mask.Length; i++)
                masks[parameter.Offset + i] = mask[i];
        }
        Network.Parameters.SetMasks(masks);

        AssertSteps("masked");

        float[] weights = Read(new BufferSlice(Network.Parameters.Weights, 0, Table.PrunableLength));
        float[] momenta = Read(new BufferSlice(Network.Parameters.Momenta, 0, Table.PrunableLength));
        for (int i = 0; i < masks.Length; i++)
        {
            if (masks[i] == 0 && (weights[i] != 0 || momenta[i] != 0))
                Assert.Fail($"Pruned weight {i} is {weights[i]} and its momentum {momenta[i]}.");
        }
    }

    private void AssertSteps(string prefix)
    {
        var settings = new TrainingSettings
        {
            Momentum = Golden.Constant("sgd.momentum"),
            WeightDecay = Golden.Constant("sgd.weight_decay"),
            DecayAll = true,
        };
        var optimizer = new SgdOptimizer(Network, settings);
        Plan plan = Network.Plan(new PlanOptions(Batch, PlanMode.Train, GradientRequest.Parameters));
        float[] losses = new float[Golden[$"{prefix}.loss"].Length];
        for (int step = 0; step < losses.Length; step++)
        {
            plan.Forward();
            losses[step] = Loss(plan);
            plan.Backward();
            optimizer.Step(Golden.Constant("sgd.learning_rate"));
        }
        AssertGolden($"{prefix}.loss", losses);
        AssertGolden($"{prefix}.after.", Table.Trained, Network.Parameters.Slice);
        if (Table.Statistics.Any())
            AssertGolden($"{prefix}.after.", Table.Statistics, Network.Parameters.Slice);
    }

    private float Loss(Plan plan)
    {
        plan.Loss(LossKind.CrossEntropy, 1f / Batch);
        return Read(Buffers.Losses.All).Average();
    }
}
