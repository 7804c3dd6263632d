using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cuda;
using BoostingTicket.Engine.Cuda.Bindings;
using BoostingTicket.Engine.Cuda.Kernels;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Tests.Cuda.Kernels;

internal sealed class LossKernelTests
{
    private const double Confidence = 50;

    private static IEnumerable<TestCaseData> Sizes =>
        from kind in Enum.GetValues<LossKind>()
        from type in Enum.GetValues<ElementType>()
        from classes in new[] { 2, 5, 10, 17, 100, 300 }
        select new TestCaseData(kind, type, classes);

    // Seven samples: the last block has a warp without one. 300 classes: more vectors than a warp has lanes.
    [TestCaseSource(nameof(Sizes))]
    public void Losses_and_gradients_are_those_of_double_precision(LossKind kind, ElementType type, int classes)
    {
        using var bench = new TensorBench($"loss {kind} {type} {classes}");
        float[] logits = bench.Normal(type, 7 * classes, deviation: 3);
        Check(bench, kind, type, logits, bench.Random.Integers(7, classes), 1f / 7);
    }

    /// <summary>Equal largest logits: the first counts, for the prediction and as the margin's rival.</summary>
    [Test]
    public void Of_equal_logits_the_first_counts([Values] LossKind kind)
    {
        using var bench = new TensorBench($"loss ties {kind}");
        float[] logits = Array.ConvertAll(bench.Random.Normal(33 * 40), MathF.Round);
        Check(bench, kind, ElementType.Float32, logits, bench.Random.Integers(33, 40), 1);
    }

    [Test]
    public void Exponentials_beyond_float32_do_not_overflow([Values] ElementType type)
    {
        using var bench = new TensorBench($"large logits {type}");
        float[] logits = bench.Normal(type, 17 * 10, deviation: 1000);
        Check(bench, LossKind.CrossEntropy, type, logits, bench.Random.Integers(17, 10), 1);
    }

    /// <summary>Margins above, at and below -50: the gradient vanishes at and beyond the kink.</summary>
    [Test]
    public void The_margin_ends_at_the_confidence([Values] ElementType type)
    {
        using var bench = new TensorBench($"kink {type}");
        float[] logits = new float[6 * 3], margins = [-49, -50, -51, 0, 40, -1000];
        for (int sample = 0; sample < 6; sample++)
        {
            logits[(sample * 3) + (sample % 3)] = KernelBench.Rounded(type, margins[sample]);
            logits[(sample * 3) + ((sample + 1) % 3)] = KernelBench.Rounded(type, -2000);
        }
        Check(bench, LossKind.CarliniWagner, type, logits, [0, 1, 2, 0, 1, 2], 0.5f);
    }

    [Test]
    public void No_gradient_is_written_where_none_is_wanted([Values] LossKind kind)
    {
        using var bench = new TensorBench($"loss without gradient {kind}");
        float[] values = bench.Random.Normal(3 * 10);
        TensorView logits = bench.Tensor(ElementType.Float32, 3, new FeatureShape(10), values);
        DevicePointer losses = bench.Unwritten(3), correct = bench.Unwritten(3);
        int[] labels = [9, 0, 4];
        new LossKernels(bench.Library).Loss(kind, logits, bench.Integers(labels), losses, correct, null, 1);
        double[] expected = [.. labels.Select((label, n) => Loss(kind, values.AsSpan(n * 10, 10), label, new double[10]))];
        TensorBench.AssertClose(bench.Read(losses, 3), expected, ElementType.Float32, "losses", 4);
        Assert.That(bench.Read(logits), Is.EqualTo(Array.ConvertAll(values, value => (double)value)), "the logits stay");
    }

    /// <summary>NaN reaches the cross-entropy, so that a diverged run is noticed, and is never correct. The margin's rival is
    /// NaN only as the first of the others, as where a loop keeps the largest so far.</summary>
    [Test]
    public void Not_a_number_is_never_correct(
        [Values] LossKind kind, [Values(0, 1, 2, 3, 39)] int where, [Values(0, 2, 39)] int label)
    {
        using var bench = new TensorBench($"loss NaN {kind} {where} {label}");
        float[] values = bench.Random.Normal(40);
        values[label] = 100;
        values[where] = float.NaN;
        TensorView logits = bench.Tensor(ElementType.Float32, 1, new FeatureShape(40), values);
        DevicePointer losses = bench.Unwritten(1), correct = bench.Unwritten(1);
        new LossKernels(bench.Library).Loss(kind, logits, bench.Integers(label), losses, correct, null, 1);
        bool reaches = kind == LossKind.CrossEntropy || where == label || where == (label == 0 ? 1 : 0);
        Assert.That(double.IsNaN(bench.Read(losses, 1)[0]), Is.EqualTo(reaches));
        Assert.That(bench.Read(correct, 1)[0], Is.Zero);
    }

    [Test]
    public void A_label_outside_the_classes_makes_its_sample_NaN_and_no_other(
        [Values] LossKind kind, [Values(-1, 10, int.MaxValue)] int label)
    {
        using var bench = new TensorBench($"bad label {kind} {label}");
        TensorView logits = bench.Tensor(ElementType.Float32, 3, new FeatureShape(10), bench.Random.Normal(30));
        TensorView gradient = bench.Tensor(ElementType.Float32, 3, new FeatureShape(10));
        DevicePointer losses = bench.Unwritten(3), correct = bench.Unwritten(3);
        new LossKernels(bench.Library).Loss(kind, logits, bench.Integers(0, label, 9), losses, correct, gradient, 1);
        Assert.That(Array.ConvertAll(bench.Read(losses, 3), double.IsNaN), Is.EqualTo(new[] { false, true, false }));
        Assert.That(bench.Read(correct, 3)[1], Is.Zero);
        Assert.That(
            Array.ConvertAll(bench.Read(gradient), double.IsNaN), Is.EqualTo(Enumerable.Range(0, 30).Select(i => i / 10 == 1)));
    }

    [Test]
    public void The_gradient_may_take_the_place_of_the_logits([Values] LossKind kind)
    {
        using var bench = new TensorBench($"loss in place {kind}");
        float[] values = bench.Random.Normal(4 * 10);
        int[] labels = [0, 9, 3, 3];
        TensorView logits = bench.Tensor(ElementType.Float32, 4, new FeatureShape(10), values);
        new LossKernels(bench.Library).Loss(
            kind, logits, bench.Integers(labels), bench.Unwritten(4), bench.Unwritten(4), logits, 0.25f);
        double[] expected = new double[40];
        for (int n = 0; n < 4; n++)
            Loss(kind, values.AsSpan(n * 10, 10), labels[n], expected.AsSpan(n * 10, 10));
        TensorBench.AssertClose(
            bench.Read(logits), Array.ConvertAll(expected, value => value / 4), ElementType.Float32, "gradient", 4);
    }

    [Test]
    public void What_is_no_batch_of_logits_is_refused_in_a_sentence()
    {
        using var bench = new TensorBench("loss refusals");
        var kernels = new LossKernels(bench.Library);
        TensorView map = bench.Tensor(ElementType.Float32, 2, new FeatureShape(10, 2, 2));
        TensorView one = bench.Tensor(ElementType.Float32, 2, new FeatureShape(1));
        Assert.Multiple(() =>
        {
            Assert.That(
                () => kernels.Loss(LossKind.CrossEntropy, map, default, default, default, null, 1),
                Throws.ArgumentException.With.Message.Contains("one pixel"));
            Assert.That(
                () => kernels.Loss(LossKind.CarliniWagner, one, default, default, default, null, 1),
                Throws.ArgumentException.With.Message.Contains("two classes"));
        });
    }

    private static void Check(
        TensorBench bench, LossKind kind, ElementType type, float[] values, int[] labels, float gradientScale)
    {
        int batch = labels.Length, classes = values.Length / batch;
        TensorView logits = bench.Tensor(type, batch, new FeatureShape(classes), values);
        TensorView gradient = bench.Tensor(type, batch, new FeatureShape(classes));
        DevicePointer losses = bench.Unwritten(batch), correct = bench.Unwritten(batch);
        new LossKernels(bench.Library).Loss(
            kind, logits, bench.Integers(labels), losses, correct, gradient, gradientScale);

        double[] loss = new double[batch], right = new double[batch], slopes = new double[values.Length];
        for (int n = 0; n < batch; n++)
        {
            Span<float> z = values.AsSpan(n * classes, classes);
            loss[n] = Loss(kind, z, labels[n], slopes.AsSpan(n * classes, classes));
            right[n] = FirstLargest(z, except: -1) == labels[n] ? 1 : 0;
        }
        slopes = Array.ConvertAll(slopes, value => value * gradientScale);
        TensorBench.AssertClose(bench.Read(losses, batch), loss, ElementType.Float32, "losses", 4);
        Assert.That(bench.Read(correct, batch), Is.EqualTo(right), "correct");
        TensorBench.AssertClose(bench.Read(gradient), slopes, type, "gradient", 4);
    }

    private static double Loss(LossKind kind, ReadOnlySpan<float> z, int label, Span<double> slopes)
    {
        if (kind == LossKind.CarliniWagner)
        {
            int rival = FirstLargest(z, label);
            double margin = (double)z[label] - z[rival] + Confidence;
            if (margin > 0)
                (slopes[label], slopes[rival]) = (-1, 1);
            return -Math.Max(margin, 0);
        }
        double largest = z[FirstLargest(z, except: -1)], sum = 0;
        foreach (float value in z)
            sum += Math.Exp(value - largest);
        for (int j = 0; j < z.Length; j++)
            slopes[j] = (Math.Exp(z[j] - largest) / sum) - (j == label ? 1 : 0);
        return Math.Log(sum) + largest - z[label];
    }

    private static int FirstLargest(ReadOnlySpan<float> z, int except)
    {
        int best = -1;
        for (int j = 0; j < z.Length; j++)
        {
            if (j != except && (best < 0 || z[j] > z[best]))
                best = j;
        }
        return best;
    }
}
