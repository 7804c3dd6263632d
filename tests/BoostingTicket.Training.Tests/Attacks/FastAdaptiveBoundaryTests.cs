using BoostingTicket.Engine.Tensors;
using BoostingTicket.Training.Attacks;

namespace BoostingTicket.Training.Tests.Attacks;

/// <summary>FAB against closed forms and against its paper's iteration written down once more.</summary>
internal sealed class FastAdaptiveBoundaryTests
{
    [TestCase(0.3, 0.3)]
    [TestCase(-0.3, -0.3)]
    [TestCase(0.0, 0.0)]
    public void A_plane_that_is_reached_before_the_box_is_a_step_of_equal_sizes(double gap, double expectedRise)
    {
        float[] point = [0.5f, 0.5f, 0.5f], normal = [1, -2, 0];
        double[] change = new double[3];
        double largest = BoxHyperplane.Project(point, normal, gap, change);
        Assert.Multiple(() =>
        {
            // |d| = |gap| / Σ|w| in every coordinate that matters.
            Assert.That(largest, Is.EqualTo(Math.Abs(gap) / 3).Within(1e-12));
            Assert.That(change, Is.EqualTo(new[] { expectedRise / 3, -expectedRise / 3, 0 }).Within(1e-12));
        });
    }

    [Test]
    public void Coordinates_that_meet_the_box_leave_the_way_to_the_others()
    {
        // The first can rise by 0.1 alone: 0.1 + λ + λ = 1.1.
        double[] change = new double[3];
        double largest = BoxHyperplane.Project([0.9f, 0.2f, 0.8f], [1, 1, -1], 1.1, change);
        Assert.Multiple(() =>
        {
            Assert.That(largest, Is.EqualTo(0.5).Within(1e-6));
            Assert.That(change, Is.EqualTo(new[] { 0.1, 0.5, -0.5 }).Within(1e-6));
        });
    }

    [Test]
    public void A_plane_outside_the_box_leads_to_the_nearest_corner()
    {
        double[] change = new double[3];
        BoxHyperplane.Project([0.25f, 0.5f, 0.75f], [1, 0, -1], 5, change);
        Assert.That(change, Is.EqualTo(new[] { 0.75, 0, -0.75 }));
    }

    [Test]
    public void Projections_are_those_that_bisection_finds([Range(1, 8)] int seed)
    {
        var random = new Random(seed);
        int n = 200;
        float[] point = [.. Enumerable.Range(0, n).Select(_ => (float)random.NextDouble())];
        float[] normal = [.. Enumerable.Range(0, n).Select(_ => (float)(random.NextDouble() - 0.5))];
        double gap = 40 * (random.NextDouble() - 0.5);
        double Change(int e, double lambda) =>
            Math.Clamp(point[e] + Math.Sign(gap) * Math.Sign(normal[e]) * lambda, 0, 1) - point[e];
        double Rise(double lambda) => Enumerable.Range(0, n).Sum(e => normal[e] * Change(e, lambda));
        double low = 0, high = 1;
        for (int i = 0; i < 60; i++)
        {
            double middle = (low + high) / 2;
            (low, high) = Math.Abs(Rise(middle)) < Math.Abs(gap) ? (middle, high) : (low, middle);
        }
        double[] change = new double[n];
        BoxHyperplane.Project(point, normal, gap, change);
        Assert.That(change, Is.EqualTo(Enumerable.Range(0, n).Select(e => Change(e, high))).Within(1e-9));
    }

    [Test]
    public void On_a_linear_network_the_distance_to_the_boundary_is_the_closed_form()
    {
        var network = new TinyNetwork(30, new FeatureShape(12), classes: 2, hidden: 0, seed: 3);
        AttackBatch batch = network.Images(seed: 4);
        for (int e = 0; e < batch.Clean.Length; e++)
            batch.Clean[e] = 0.4f + 0.2f * batch.Clean[e];
        Relabel(network, batch);
        IReadOnlyList<float> distances = [];
        using var attack = new FastAdaptiveBoundary(network, epsilon: 1e-9f);
        attack.Observer = (_, _, found) => distances = found;
        attack.Run(batch, 0);
        int checkedOnes = 0;
        for (int s = 0; s < batch.Count; s++)
        {
            double[] clean = network.Image(batch.Clean, s), logits = network.Logits(clean);
            double[] gradient = network.Gradient(clean, [1, -1]);
            double nearest = Math.Abs(logits[0] - logits[1]) / gradient.Sum(Math.Abs);
            if (nearest > 0.35)
                continue;
            checkedOnes++;
            Assert.That(distances[s], Is.EqualTo(nearest).Within(
                0.001 + 0.06 * nearest), $"sample {s}: it ends within the overshoot of 5 %");
            Assert.That(distances[s], Is.GreaterThanOrEqualTo(nearest - 1e-6), "and never nearer than possible");
        }
        Assert.That(checkedOnes, Is.GreaterThan(10));
        Assert.That(batch.Adversarial, Is.EqualTo(batch.Clean), "nothing so far away counts");
    }

    [Test]
    public void Iterations_follow_the_paper()
    {
        var shape = new FeatureShape(2, 4, 4);
        var network = new TinyNetwork(3, shape, classes: 5, hidden: 10, seed: 11);
        AttackBatch batch = network.Images(seed: 12);
        using var attack = new FastAdaptiveBoundary(network, epsilon: 1e-9f, iterations: 12);
        for (int round = 0; round < attack.Rounds; round++)
        {
            List<float[]> images = [];
            List<float[]> distances = [];
            attack.Observer = (_, x, d) =>
            {
                images.Add(x.ToArray());
                distances.Add([.. d]);
            };
            attack.Run(batch, round);
            for (int s = 0; s < batch.Count; s++)
            {
                int i = 0;
                foreach ((double[] x, double distance) in Course(network, batch, s, round, 12))
                {
                    string at = $"round {round}, sample {s}, iteration {i}";
                    Assert.That(network.Image(images[i], s), Is.EqualTo(x).Within(1e-4), at);
                    Assert.That(distances[i][s], Is.EqualTo(distance).Within(1e-4), at);
                    i++;
                }
            }
        }
        Assert.That(attack.Rounds, Is.EqualTo(4), "a class each but the label");
    }

    [Test]
    public void What_counts_is_in_the_ball()
    {
        var network = new TinyNetwork(20, new FeatureShape(2, 4, 4), classes: 5, hidden: 10, seed: 11);
        AttackBatch batch = network.Images(seed: 13);
        using var attack = new FastAdaptiveBoundary(network, epsilon: 0.05f);
        float[] logits = new float[20 * 5];
        int fooled = 0;
        for (int round = 0; round < attack.Rounds; round++)
        {
            attack.Run(batch, round);
            Ball.Holds(batch, batch.Adversarial, 0.05f);
            network.Logits(batch.Adversarial, logits);
            fooled += Enumerable.Range(0, 20).Count(s => !AttackBatch.IsCorrect(logits.AsSpan(s * 5, 5), batch.Labels[s]));
        }
        Assert.That(fooled, Is.Positive);
    }

    [Test]
    public void What_is_kept_of_a_fooled_sample_does_not_depend_on_the_batch()
    {
        var shape = new FeatureShape(2, 4, 4);
        AttackBatch all = new TinyNetwork(20, shape, classes: 5, hidden: 10, seed: 11).Images(seed: 13);
        using (var attack = new FastAdaptiveBoundary(new TinyNetwork(20, shape, classes: 5, hidden: 10, seed: 11), epsilon: 0.1f))
            attack.Run(all, 0);
        var network = new TinyNetwork(1, shape, classes: 5, hidden: 10, seed: 11);
        int fooled = 0;
        for (int s = 0; s < all.Count; s++)
        {
            AttackBatch single = all.Alone(s);
            using var attack = new FastAdaptiveBoundary(network, epsilon: 0.1f);
            attack.Run(single, 0);
            fooled += single.Adversarial.SequenceEqual(single.Clean) ? 0 : 1;
            Assert.That(single.Adversarial, Is.EqualTo(network.Image(all.Adversarial, s)), $"sample {s}");
        }
        Assert.That(fooled, Is.InRange(1, 19), "some are fooled, and end alone before the batch does");
    }

    private static void Relabel(TinyNetwork network, AttackBatch batch)
    {
        for (int s = 0; s < batch.Count; s++)
        {
            double[] logits = network.Logits(network.Image(batch.Clean, s));
            batch.Labels[s] = Array.IndexOf(logits, logits.Max());
        }
    }

    private static IEnumerable<(double[] Image, double Distance)> Course(
        TinyNetwork network, AttackBatch batch, int sample, int round, int iterations)
    {
        double[] clean = network.Image(batch.Clean, sample), x = clean;
        int label = batch.Labels[sample];
        int target = Enumerable.Range(0, network.Classes).OrderByDescending(j => network.Logits(clean)[j]).ElementAt(round + 1);
        double least = double.PositiveInfinity;
        for (int i = 0; i < iterations; i++)
        {
            double[] z = network.Logits(x), at = x;
            double[] w = network.Gradient(
                x, [.. Enumerable.Range(0, network.Classes).Select(j => (j == target ? 1.0 : 0) - (j == label ? 1 : 0))]);
            double plane = w.Zip(x, (a, b) => a * b).Sum() - (z[target] - z[label]);
            double[] d1 = Project(x, w, plane), d2 = Project(clean, w, plane);
            double n1 = Math.Max(d1.Max(Math.Abs), 1e-8), n2 = Math.Max(d2.Max(Math.Abs), 1e-8);
            double alpha = Math.Min(n1 / (n1 + n2), 0.1);
            x = [.. at.Select((v, e) => Math.Clamp((1 - alpha) * (v + 1.05 * d1[e]) + alpha * (clean[e] + 1.05 * d2[e]), 0, 1))];
            double[] now = network.Logits(x);
            if (Array.IndexOf(now, now.Max()) != label)
            {
                least = Math.Min(least, x.Zip(clean, (a, b) => Math.Abs(a - b)).Max());
                x = [.. clean.Zip(x, (c, v) => c + 0.9 * (v - c))];
            }
            yield return (x, least);
        }
    }

    // By sorting the coordinates' ways to the box, as the paper does.
    private static double[] Project(double[] t, double[] w, double plane)
    {
        double gap = plane - w.Zip(t, (a, b) => a * b).Sum(), sign = gap >= 0 ? 1 : -1, left = Math.Abs(gap);
        double[] room = [.. t.Select((v, e) => w[e] == 0 ? 0 : w[e] * sign > 0 ? 1 - v : v)];
        int[] order = [.. Enumerable.Range(0, t.Length).OrderBy(e => room[e])];
        double slope = w.Sum(Math.Abs), lambda = 0;
        foreach (int e in order)
        {
            double part = slope * (room[e] - lambda);
            if (part >= left)
            {
                lambda += left / slope;
                left = 0;
                break;
            }
            left -= part;
            lambda = room[e];
            slope -= Math.Abs(w[e]);
        }
        if (left > 0)
            lambda = 1;
        return [.. room.Select((r, e) => Math.Sign(w[e]) * sign * Math.Min(r, lambda))];
    }
}
