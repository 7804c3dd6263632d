using BoostingTicket.Engine.Tensors;
using BoostingTicket.Training.Attacks;

namespace BoostingTicket.Training.Tests.Attacks;

/// <summary>APGD against algorithm 1 of its paper written down once more, in double precision and for one sample.</summary>
internal sealed class AutoPgdTests
{
    private const float Epsilon = 0.02f;
    private const ulong Stream = 77;

    private static readonly FeatureShape Shape = new(2, 5, 5);

    [TestCase(0, 0)]
    [TestCase(12, 0)]
    [TestCase(0, 3)]
    [TestCase(12, 3)]
    public void Steps_losses_and_images_follow_the_paper(int hidden, int targets)
    {
        var network = new TinyNetwork(4, Shape, classes: 6, hidden, seed: 5);
        AttackBatch batch = network.Images(seed: 6);
        for (int round = 0; round < Math.Max(targets, 1); round++)
        {
            using var attack = new AutoPgd(network, Epsilon, Stream, targets: targets);
            List<(float[] Images, double[] Losses, float[] Steps)> found = [];
            attack.Observer = at => found.Add((at.Images.ToArray(), [.. at.Losses], [.. at.Steps]));
            attack.Run(batch, round);
            Assert.That(found, Has.Count.EqualTo(100), "no sample of this batch can be fooled at this ε, or it would end early");
            for (int s = 0; s < batch.Count; s++)
            {
                List<(double[] Image, double Loss, double Step)> expected = Course(network, batch, s, round, targets > 0);
                Assert.That(expected[^1].Step, Is.LessThan(expected[0].Step), "the step is halved at least once");
                for (int i = 0; i < expected.Count; i++)
                {
                    string at = $"round {round}, sample {s}, iteration {i}";
                    Assert.That(found[i].Steps[s], Is.EqualTo(expected[i].Step).Within(1e-7), at);
                    Assert.That(found[i].Losses[s], Is.EqualTo(expected[i].Loss).Within(1e-4), at);
                    Assert.That(network.Image(found[i].Images, s), Is.EqualTo(expected[i].Image).Within(1e-5), at);
                }
            }
        }
    }

    [Test]
    public void No_image_leaves_the_ball([Values(0, 5)] int targets)
    {
        var network = new TinyNetwork(6, Shape, classes: 6, hidden: 12, seed: 8);
        AttackBatch batch = network.Images(seed: 9);
        batch.Clean.AsSpan(0, Shape.Length).Clear();
        batch.Clean.AsSpan(Shape.Length, Shape.Length).Fill(1);
        using var attack = new AutoPgd(network, 0.1f, Stream, targets: targets);
        int seen = 0;
        attack.Observer = at =>
        {
            seen++;
            Ball.Holds(batch, at.Images.Span, 0.1f);
        };
        for (int round = 0; round < attack.Rounds; round++)
        {
            attack.Run(batch, round);
            Ball.Holds(batch, batch.Adversarial, 0.1f);
        }
        Assert.That(seen, Is.Positive);
    }

    [Test]
    public void A_sample_takes_the_same_course_in_every_batch()
    {
        AttackBatch pair = new TinyNetwork(2, Shape, 6, 12, seed: 5).Images(seed: 6);
        AttackBatch single = pair.Alone(1);
        using (var attack = new AutoPgd(new TinyNetwork(2, Shape, 6, 12, seed: 5), Epsilon, Stream))
            attack.Run(pair, 0);
        using (var attack = new AutoPgd(new TinyNetwork(1, Shape, 6, 12, seed: 5), Epsilon, Stream))
            attack.Run(single, 0);
        Assert.That(single.Adversarial, Is.EqualTo(pair.Adversarial[Shape.Length..]));
    }

    [Test]
    public void What_is_kept_of_a_fooled_sample_does_not_depend_on_the_batch()
    {
        AttackBatch all = new TinyNetwork(8, Shape, 6, 12, seed: 5).Images(seed: 6);
        using (var attack = new AutoPgd(new TinyNetwork(8, Shape, 6, 12, seed: 5), 0.05f, Stream))
            attack.Run(all, 0);
        var network = new TinyNetwork(1, Shape, 6, 12, seed: 5);
        int fooled = 0;
        for (int s = 0; s < all.Count; s++)
        {
            AttackBatch single = all.Alone(s);
            using var attack = new AutoPgd(network, 0.05f, Stream);
            attack.Run(single, 0);
            double[] logits = network.Logits(network.Image(single.Adversarial, 0));
            fooled += Array.IndexOf(logits, logits.Max()) == single.Labels[0] ? 0 : 1;
            Assert.That(single.Adversarial, Is.EqualTo(network.Image(all.Adversarial, s)), $"sample {s}");
        }
        Assert.That(fooled, Is.InRange(1, 7), "some are fooled, and end alone before the batch does");
    }

    [Test]
    public void Linear_networks_are_fooled_exactly_where_the_ball_reaches_over_the_boundary()
    {
        // Where classes are two, the worst point of the ball is a corner, in closed form.
        var network = new TinyNetwork(40, new FeatureShape(6), classes: 2, hidden: 0, seed: 3);
        AttackBatch batch = network.Images(seed: 4);
        using var attack = new AutoPgd(network, 0.1f, Stream);
        attack.Run(batch, 0);
        int fooled = 0;
        for (int s = 0; s < batch.Count; s++)
        {
            int label = batch.Labels[s];
            double[] clean = network.Image(batch.Clean, s);
            double[] gradient = network.Gradient(clean, label == 0 ? [-1, 1] : [1, -1]);
            double[] corner = [.. clean.Zip(gradient, (x, g) => Math.Clamp(x + 0.1f * Math.Sign(g), 0, 1))];
            double[] worst = network.Logits(corner), found = network.Logits(network.Image(batch.Adversarial, s));
            bool canBeFooled = worst[label] < worst[1 - label];
            fooled += canBeFooled ? 1 : 0;
            Assert.That(found[label] < found[1 - label], Is.EqualTo(canBeFooled), $"sample {s}");
        }
        Assert.That(fooled, Is.InRange(5, 35), "some can be fooled, some not");
    }

    [Test]
    public void Starts_without_gradient_are_counted()
    {
        var network = new TinyNetwork(3, Shape, 6, hidden: 12, seed: 5, scale: 0);
        AttackBatch batch = network.Images(seed: 6);
        batch.Used = 2;
        using var attack = new AutoPgd(network, Epsilon, Stream);
        attack.Run(batch, 0);
        Assert.That(batch.ZeroGradients, Is.EqualTo(2), "repeats do not count");
    }

    [Test]
    public void Three_classes_are_too_few_for_the_targeted_ratio()
    {
        var network = new TinyNetwork(1, Shape, classes: 3, hidden: 0, seed: 1);
        Assert.That(
            () => new AutoPgd(network, Epsilon, Stream, targets: 9),
            Throws.TypeOf<ConfigurationException>().With.Message.Contains("at least 4 classes"));
    }

    private static List<(double[] Image, double Loss, double Step)> Course(
        TinyNetwork network, AttackBatch batch, int sample, int round, bool targeted)
    {
        double[] clean = network.Image(batch.Clean, sample);
        int label = batch.Labels[sample], n = clean.Length;
        int[] order = [.. Enumerable.Range(0, network.Classes).OrderByDescending(j => network.Logits(clean)[j])];
        int target = order[round + 1];
        double eps = Epsilon;

        (double Loss, double[] Gradient) At(double[] x)
        {
            double[] z = network.Logits(x);
            if (!targeted)
            {
                double sum = z.Sum(Math.Exp);
                return (Math.Log(sum)
                    - z[label], network.Gradient(x, [.. z.Select((v, j) => Math.Exp(v) / sum - (j == label ? 1 : 0))]));
            }
            // The gradient by differences, so that no formula is shared.
            double Ratio(double[] logits)
            {
                double[] down = [.. logits.OrderDescending()];
                return -(logits[label] - logits[target]) / (down[0] - 0.5 * (down[2] + down[3]) + 1e-12);
            }
            double[] weights = new double[z.Length];
            for (int j = 0; j < z.Length; j++)
            {
                double[] up = [.. z], low = [.. z];
                up[j] += 1e-6;
                low[j] -= 1e-6;
                weights[j] = (Ratio(up) - Ratio(low)) / 2e-6;
            }
            return (Ratio(z), network.Gradient(x, weights));
        }

        double Project(double v, int e) => Math.Min(Math.Max(Math.Min(Math.Max(v, clean[e] - eps), clean[e] + eps), 0), 1);

        // The start is drawn as documented: word e % 4 of block e / 4.
        double[] t = new double[n];
        for (int e = 0; e < n; e++)
        {
            uint word = Philox.Words(Stream, (uint)e / 4, (uint)batch.Samples[sample], targeted ? 2u : 1u, (uint)round)[e % 4];
            t[e] = 2 * (double)Philox.Uniform(word) - 1;
        }
        double norm = t.Max(Math.Abs);
        double[] x = [.. clean.Select((c, e) => Math.Clamp(c + eps * t[e] / norm, 0, 1))], old = [.. x];
        (double loss, double[] g) = At(x);
        double[] bestX = x, bestG = g;
        double best = loss, bestAtCheck = loss, step = 2 * eps;
        bool reduced = true;
        List<double> losses = [loss];
        List<(double[], double, double)> course = [];
        // Checkpoints in iterations done, of 100: 22, then 19, 16, 13, 10, 7, 6 more.
        int[] checks = [22, 41, 57, 70, 80, 87, 93, 99];
        int lastCheck = 0;
        for (int k = 0; k < 100; k++)
        {
            double a = k == 0 ? 1 : 0.75;
            double[] next = new double[n];
            for (int e = 0; e < n; e++)
            {
                double z = Project(x[e] + step * Math.Sign(g[e]), e);
                next[e] = Project(x[e] + a * (z - x[e]) + (1 - a) * (x[e] - old[e]), e);
            }
            (old, x) = (x, next);
            (loss, g) = At(x);
            losses.Add(loss);
            course.Add((x, loss, step));
            if (loss > best)
                (best, bestX, bestG) = (loss, x, g);
            if (!checks.Contains(k + 1))
                continue;
            int improving = Enumerable.Range(lastCheck + 1, k + 1 - lastCheck).Count(i => losses[i] > losses[i - 1]);
            bool halve = improving <= 0.75 * (k + 1 - lastCheck) || (!reduced && bestAtCheck >= best);
            if (halve)
                (step, x, g) = (step / 2, bestX, bestG);
            (reduced, bestAtCheck, lastCheck) = (halve, best, k + 1);
        }
        return course;
    }
}
