using System.Numerics;
using System.Runtime.Intrinsics;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cpu;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Tests.Cpu;

[TestFixture(typeof(Avx512Lanes), typeof(Vector512<float>))]
[TestFixture(typeof(Avx2Lanes), typeof(Vector256<float>))]
[TestFixture(typeof(PortableLanes), typeof(Vector<float>))]
internal sealed class LossTests<TLanes, TVector> : CpuFixture<TLanes, TVector>
    where TLanes : struct, ILanes<TVector>
    where TVector : struct
{
    private const int Classes = 10;

    [Test]
    public void Losses_and_gradients_match_the_definition([Values] LossKind kind, [ValueSource(nameof(Batches))] int batch)
    {
        // Whole numbers tie; a wide spread reaches both sides of the margin loss's kink at -50.
        float[] z = Whole(batch * Classes, 4);
        for (int i = 0; i < z.Length; i += 3)
            z[i] *= 20;
        int[] labels = Enumerable.Range(0, batch).Select(n => n * 7 % Classes).ToArray();
        FloatBuffer losses = Floats(new float[batch]), correct = Floats(new float[batch]);
        CpuTensor gradient = Empty(batch, new FeatureShape(Classes));
        Backend.Loss(
            kind, Activation(batch, new FeatureShape(Classes), z), Ints(labels), losses, correct, gradient, 0.25f);

        double[] expected = new double[batch], slopes = new double[z.Length], hits = new double[batch];
        for (int n = 0; n < batch; n++)
        {
            double[] row = z[(n * Classes)..((n + 1) * Classes)].Select(value => (double)value).ToArray();
            int label = labels[n];
            hits[n] = Array.IndexOf(row, row.Max()) == label ? 1 : 0;
            if (kind == LossKind.CrossEntropy)
            {
                double sum = row.Sum(value => Math.Exp(value - row.Max()));
                expected[n] = Math.Log(sum) + row.Max() - row[label];
                for (int j = 0; j < Classes; j++)
                    slopes[n * Classes + j] = 0.25 * (Math.Exp(row[j] - row.Max()) / sum - (j == label ? 1 : 0));
            }
            else
            {
                int rival = Enumerable.Range(0, Classes).Where(j => j != label).MaxBy(j => row[j]);
                double margin = row[label] - row[rival] + 50;
                expected[n] = -Math.Max(margin, 0);
                slopes[n * Classes + label] = margin > 0 ? -0.25 : 0;
                slopes[n * Classes + rival] = margin > 0 ? 0.25 : 0;
            }
        }
        AssertClose(Read(losses), expected, 1e-6, "loss");
        AssertClose(Read(gradient), slopes, 1e-6, "slope");
        AssertClose(Read(correct), hits, 0, "hit");
        AssertUnusedLanesAreZero(gradient);
    }

    [Test]
    public void Cross_entropy_keeps_small_gradients_of_confident_samples_and_huge_logits()
    {
        CpuTensor gradient = Empty(2, new FeatureShape(2));
        FloatBuffer losses = Floats(0, 0);
        Backend.Loss(
            LossKind.CrossEntropy, Activation(2, new FeatureShape(2), [30, 0, 3e38f, -3e38f]), Ints(0, 1), losses,
            Floats(0, 0), gradient, 1);
        float[] slopes = Read(gradient);
        Assert.Multiple(() =>
        {
            Assert.That(slopes[0], Is.EqualTo(-Math.Exp(-30)).Within(1).Percent);
            Assert.That(slopes[1], Is.EqualTo(Math.Exp(-30)).Within(1).Percent);
            Assert.That(slopes[2..], Is.EqualTo(new[] { 1f, -1f }));
            Assert.That(Read(losses)[0], Is.EqualTo(Math.Exp(-30)).Within(1).Percent);
        });
    }

    [Test]
    public void NaN_shows_in_the_loss_and_is_never_correct([Values] LossKind kind, [Values(0, 1)] int label)
    {
        FloatBuffer losses = Floats(0), correct = Floats(1);
        Backend.Loss(
            kind, Activation(1, new FeatureShape(2), [float.NaN, 1]), Ints(label), losses, correct, null, 1);
        Assert.That(Read(losses)[0], Is.NaN);
        Assert.That(Read(correct)[0], Is.Zero);
    }

    [Test]
    public void Labels_outside_the_classes_are_refused([Values(-1, 10, int.MaxValue)] int label)
    {
        CpuTensor logits = Empty(2, new FeatureShape(Classes));
        Assert.That(
            () => Backend.Loss(LossKind.CrossEntropy, logits, Ints(0, label), Floats(0, 0), Floats(0, 0), null, 1),
            Throws.ArgumentException.With.Message.Contains($"label {label}").And.Message.Contains("0 to 9"));
    }

    [Test]
    public void Short_buffers_a_wrong_gradient_and_a_single_class_are_refused()
    {
        CpuTensor logits = Empty(3, new FeatureShape(Classes));
        IntBuffer labels = Ints(0, 0, 0);
        FloatBuffer three = Floats(0, 0, 0), two = Floats(0, 0);
        Assert.Multiple(() =>
        {
            Assert.That(
                () => Backend.Loss(LossKind.CrossEntropy, logits, Ints(0, 0), three, three, null, 1),
                Throws.ArgumentException.With.Message.Contains("2 labels").And.Message.Contains("3x10"));
            Assert.That(
                () => Backend.Loss(LossKind.CrossEntropy, logits, labels, two, three, null, 1),
                Throws.ArgumentException.With.Message.Contains("2 losses"));
            Assert.That(
                () => Backend.Loss(LossKind.CrossEntropy, logits, labels, three, two, null, 1),
                Throws.ArgumentException.With.Message.Contains("2 classification results"));
            Assert.That(
                () => Backend.Loss(
                    LossKind.CrossEntropy, logits, labels, three, three, Empty(3, new FeatureShape(9)), 1),
                Throws.ArgumentException.With.Message.Contains("3x9").And.Message.Contains("3x10"));
            Assert.That(
                () => Backend.Loss(
                    LossKind.CarliniWagner, Empty(3, new FeatureShape(1)), labels, three, three, null, 1),
                Throws.ArgumentException.With.Message.Contains("two classes"));
        });
    }

    [Test]
    public void Results_do_not_depend_on_threads_and_nothing_is_allocated([Values] LossKind kind)
    {
        FeatureShape shape = new(Classes);
        CpuTensor z = Activation(100, shape, Uniform(100 * Classes, -9, 9)), gradient = Empty(100, shape);
        IntBuffer labels = Ints(Enumerable.Range(0, 100).Select(n => n % Classes).ToArray());
        FloatBuffer losses = Floats(new float[100]), correct = Floats(new float[100]);
        AssertSameForAnyThreads(backend =>
        {
            backend.Loss(kind, z, labels, losses, correct, gradient, 0.01f);
            return [Read(losses), Read(correct), Read(gradient)];
        });
        AssertAllocatesNothing(() => Backend.Loss(kind, z, labels, losses, correct, gradient, 0.01f));
    }
}
