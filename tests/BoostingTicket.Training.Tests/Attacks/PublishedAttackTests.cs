using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Graph;
using BoostingTicket.Engine.Plans;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Training.Attacks;
using BoostingTicket.Training.Models;
using BoostingTicket.Training.Tests.Golden;

namespace BoostingTicket.Training.Tests.Attacks;

/// <summary>Every attack, iteration by iteration, against the published algorithm as TorchSharp ran it on a trained network: same
/// images, same random numbers, on every backend of the machine.</summary>
[TestFixtureSource(typeof(TestBackends), nameof(TestBackends.Names))]
internal sealed class PublishedAttackTests(string backend)
{
    private GoldenFile _golden = null!;
    private IBackend _backend = null!;
    private Network _network = null!;

    [SetUp]
    public void Load()
    {
        _golden = new GoldenFile("attacks");
        _backend = TestBackends.Create(backend);
        var builder = new GraphBuilder("small", new FeatureShape(2, 8, 8));
        Node x = builder.Relu(builder.Convolution("conv1", builder.Input, outputs: 8, kernel: 3, padding: 1, bias: true));
        x = builder.Relu(builder.Convolution("conv2", x, outputs: 12, kernel: 3, stride: 2, padding: 1, bias: true));
        _network = new Network(builder.Build(builder.Linear("fc", x, outputs: 10)), _backend);
        var state = new ModelState(_network.Graph.Table);
        foreach (Parameter parameter in _network.Graph.Table.All)
            _golden["initial." + parameter.Name].CopyTo(state[parameter]);
        state.CopyTo(_network.Parameters, _backend);
    }

    [TearDown]
    public void Free()
    {
        _network?.Dispose();
        _backend?.Dispose();
        _golden?.Dispose();
    }

    [TestCase("pgd", LossKind.CrossEntropy)]
    [TestCase("cw", LossKind.CarliniWagner)]
    public void Pgd_follows_the_paper_from_start_to_start(string name, LossKind loss)
    {
        var recorded = new RecordedAttack(_golden, name);
        AttackBatch batch = recorded.Batch();
        int steps = recorded.Constant("steps"), restarts = recorded.Constant("restarts");
        var target = new RecordingTarget(new NetworkTarget(_network, batch.Count, AttackStatistics.Running));
        _backend.Upload(batch.Clean, target.Buffers.Clean);
        _backend.Upload(batch.Labels, target.Buffers.Labels);
        _backend.Upload(batch.Samples, target.Buffers.Samples);
        using var attack = new ProjectedGradientDescent(
            target, new AttackBudget(recorded.Epsilon, recorded.StepSize, steps, AttackStart.Random, restarts, loss));

        attack.Run(recorded.Stream, epoch: 0);

        _backend.Download(target.Buffers.Input, batch.Adversarial);
        if (restarts == 1)
            target.Losses(loss);
        Assert.That(target.Calls, Has.Count.EqualTo(restarts * (steps + 1)));
        for (int call = 0; call < target.Calls.Count; call++)
        {
            (float[] images, float[] losses) = target.Calls[call];
            recorded.Follows("images", call / (steps + 1), call % (steps + 1), images);
            recorded.Follows("losses", call / (steps + 1), call % (steps + 1), losses);
            Ball.Holds(batch, images, recorded.Epsilon);
        }
        recorded.Follows("result", restarts - 1, 0, batch.Adversarial);
        Report(recorded);
    }

    [TestCase("apgd-ce", 0)]
    [TestCase("apgd-t", 9)]
    public void Auto_pgd_follows_the_paper(string name, int targets)
    {
        var recorded = new RecordedAttack(_golden, name);
        AttackBatch batch = recorded.Batch();
        var model = new RecordingModel(new NetworkModel(_network, batch.Count));
        using var attack = new AutoPgd(model, recorded.Epsilon, recorded.Stream, recorded.Constant("iterations"), targets);
        Assert.That(attack.Rounds, Is.EqualTo(recorded.Rounds("losses")));
        int[] imagesAt = recorded.ImagesAt;
        for (int round = 0; round < attack.Rounds; round++)
        {
            int iterations = 0;
            attack.Observer = at =>
            {
                Assert.That(at.Number, Is.EqualTo(iterations++));
                recorded.Follows("losses", round, at.Number, [.. at.Losses]);
                recorded.Follows("best", round, at.Number, [.. at.BestLosses]);
                Assert.That(at.Steps, Is.EqualTo(
                    recorded.Entry("steps", round, at.Number).ToArray()), $"round {round}, iteration {at.Number}");
                if (Array.IndexOf(imagesAt, at.Number) is >= 0 and int entry)
                    recorded.Follows("images", round, entry, at.Images.Span);
                Ball.Holds(batch, at.Images.Span, recorded.Epsilon);
            };
            model.Forwards.Clear();

            attack.Run(batch, round);

            Assert.That(iterations, Is.EqualTo(attack.Iterations), "a robust sample is among them");
            recorded.Follows("start", round, 0, model.Forwards[0]);
            recorded.Follows("result", round, 0, batch.Adversarial);
            Ball.Holds(batch, batch.Adversarial, recorded.Epsilon);
        }
        Report(recorded);
    }

    [Test]
    public void Fab_follows_the_paper()
    {
        const float tooFarForAny = 1e-9f, unfooled = 1e10f;
        var recorded = new RecordedAttack(_golden, "fab-t");
        AttackBatch batch = recorded.Batch();
        using var attack = new FastAdaptiveBoundary(
            new NetworkModel(_network, batch.Count), tooFarForAny, recorded.Constant("iterations"));
        Assert.That(attack.Rounds, Is.EqualTo(recorded.Rounds("distances")));
        int[] imagesAt = recorded.ImagesAt;
        for (int round = 0; round < attack.Rounds; round++)
        {
            int iterations = 0;
            attack.Observer = (number, images, distances) =>
            {
                Assert.That(number, Is.EqualTo(iterations++));
                recorded.Follows("distances", round, number, [.. distances.Select(distance => Math.Min(distance, unfooled))]);
                if (Array.IndexOf(imagesAt, number) is >= 0 and int entry)
                    recorded.Follows("images", round, entry, images.Span);
            };
            attack.Run(batch, round);
            Assert.That(iterations, Is.EqualTo(attack.Iterations));
            Assert.That(batch.Adversarial, Is.EqualTo(batch.Clean), "nothing is so near");
        }
        Report(recorded);
    }

    [Test]
    public void Fab_keeps_the_first_image_that_fools_in_the_ball()
    {
        var recorded = new RecordedAttack(_golden, "fab-t");
        AttackBatch batch = recorded.Batch();
        using var attack = new FastAdaptiveBoundary(
            new NetworkModel(_network, batch.Count), recorded.Epsilon, recorded.Constant("iterations"));
        for (int round = 0; round < attack.Rounds; round++)
        {
            attack.Run(batch, round);
            recorded.Follows("result", round, 0, batch.Adversarial);
            Ball.Holds(batch, batch.Adversarial, recorded.Epsilon);
        }
        Report(recorded);
    }

    [Test]
    public void Square_follows_the_paper()
    {
        var recorded = new RecordedAttack(_golden, "square");
        AttackBatch batch = recorded.Batch();
        var model = new RecordingModel(new NetworkModel(_network, batch.Count));
        using var attack = new SquareAttack(model, recorded.Epsilon, recorded.Stream, recorded.Constant("queries"));

        attack.Run(batch, 0);

        Assert.That(model.Queries, Has.Count.EqualTo(attack.Iterations + 1), "the stripes, and a robust sample is among them");
        int[] imagesAt = recorded.ImagesAt;
        for (int query = 0; query < model.Queries.Count; query++)
        {
            (float[] images, float[] logits) = model.Queries[query];
            double[] margins = [.. batch.Labels.Select((label, s) => LogitLoss.Margin(
                logits.AsSpan(s * model.Classes, model.Classes), label))];
            recorded.Follows("margins", 0, query, margins);
            if (Array.IndexOf(imagesAt, query) is >= 0 and int entry)
                recorded.Follows("images", 0, entry, images);
            Ball.Holds(batch, images, recorded.Epsilon);
        }
        recorded.Follows("result", 0, 0, batch.Adversarial);
        Report(recorded);
    }

    private static void Report(RecordedAttack recorded) => TestContext.Out.WriteLine($"departs by at most {recorded.Worst:E1}");
}
