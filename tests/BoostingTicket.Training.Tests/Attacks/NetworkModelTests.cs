using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Plans;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Training.Attacks;
using BoostingTicket.Training.Models;
using BoostingTicket.Training.Tests.Golden;

namespace BoostingTicket.Training.Tests.Attacks;

internal sealed class NetworkModelTests
{
    private const int Batch = 3;

    [TestCaseSource(typeof(TestBackends), nameof(TestBackends.Names))]
    public void A_loss_from_outside_has_the_gradient_of_the_same_loss_of_the_backend(string name)
    {
        using IBackend backend = TestBackends.Create(name);
        using var network = new Network(
            ModelCatalog.Build("lenet-4-8-32", new ModelOptions(new FeatureShape(1, 28, 28))), backend);
        Initialization.Draw(network.Graph.Table, seed: 1).CopyTo(network.Parameters, backend);
        var random = new Random(2);
        float[] images = [.. Enumerable.Range(0, Batch * 28 * 28).Select(_ => (float)random.NextDouble())];
        int[] labels = [3, 0, 9];

        var model = new NetworkModel(network, Batch);
        float[] logits = new float[Batch * model.Classes], logitGradient = new float[logits.Length],
        found = new float[images.Length];
        model.Forward(images, logits);
        for (int s = 0; s < Batch; s++)
            LogitLoss.CrossEntropy(logits.AsSpan(s * model.Classes, model.Classes), labels[s], logitGradient.AsSpan(
                s * model.Classes, model.Classes));
        model.Backward(logitGradient, found);

        var target = new NetworkTarget(network, Batch, AttackStatistics.Running);
        backend.Upload(images, target.Buffers.Input);
        backend.Upload(labels, target.Buffers.Labels);
        target.Gradients(LossKind.CrossEntropy);
        float[] expected = new float[images.Length];
        backend.Download(target.Buffers.InputGradient, expected);

        Assert.That(expected.Max(Math.Abs), Is.GreaterThan(1e-3));
        Assert.That(found, Is.EqualTo(expected).Within(1e-5));
    }

    [Test]
    public void A_plan_without_gradients_takes_none()
    {
        using IBackend backend = TestBackends.Create(TestBackends.Names.First());
        using var network = new Network(
            ModelCatalog.Build("lenet-4-8-32", new ModelOptions(new FeatureShape(1, 28, 28))), backend);
        Plan plan = network.Plan(new PlanOptions(Batch, PlanMode.Evaluate));
        Assert.That(() => plan.SetLogitGradient(new float[Batch * 10]), Throws.InvalidOperationException);
    }
}
