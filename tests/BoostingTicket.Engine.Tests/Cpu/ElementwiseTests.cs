using System.Numerics;
using System.Runtime.Intrinsics;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cpu;
using BoostingTicket.Engine.Tensors;
using Function = BoostingTicket.Engine.Backends.Activation;

namespace BoostingTicket.Engine.Tests.Cpu;

[TestFixture(typeof(Avx512Lanes), typeof(Vector512<float>))]
[TestFixture(typeof(Avx2Lanes), typeof(Vector256<float>))]
[TestFixture(typeof(PortableLanes), typeof(Vector<float>))]
internal sealed class ElementwiseTests<TLanes, TVector> : CpuFixture<TLanes, TVector>
    where TLanes : struct, ILanes<TVector>
    where TVector : struct
{
    private static readonly FeatureShape Shape = new(3, 5, 7);

    [Test]
    public void Forward_adds_the_residual_and_clips(
        [ValueSource(nameof(Batches))] int batch, [Values] bool residual, [Values] bool relu, [Values] bool inPlace)
    {
        float[] x = Uniform(batch * Shape.Length), more = Uniform(x.Length);
        CpuTensor source = Activation(batch, Shape, x), y = inPlace ? source : Empty(batch, Shape);
        Backend.ElementwiseForward(
            source, y, new ForwardEpilogue(
                null, residual ? Activation(batch, Shape, more) : null, relu ? Function.Relu : Function.None));
        float[] expected = x.Select((value, i) => residual ? value + more[i] : value).ToArray();
        Assert.That(Read(y), Is.EqualTo(relu ? expected.Select(value => Math.Max(value, 0)) : expected));
        AssertAllFinite(y);
    }

    [Test]
    public void Forward_lets_NaN_through_a_relu()
    {
        CpuTensor x = Activation(1, new FeatureShape(3), [float.NaN, -1, float.PositiveInfinity]);
        Backend.ElementwiseForward(x, x, new ForwardEpilogue(null, null, Function.Relu));
        Assert.That(Read(x), Is.EqualTo(new[] { float.NaN, 0, float.PositiveInfinity }));
    }

    [Test]
    public void Backward_adds_and_masks(
        [ValueSource(nameof(Batches))] int batch, [Values] bool addend, [Values] bool relu, [Values(0, 1, 2)] int target)
    {
        float[] g = Uniform(batch * Shape.Length), more = Uniform(g.Length), output = Whole(g.Length, 1);
        CpuTensor dy = Gradient(batch, Shape, g), other = Gradient(batch, Shape, more);
        CpuTensor dx = target == 0 ? Empty(batch, Shape) : target == 1 ? dy : other;
        Backend.ElementwiseBackward(
            dy, dx, new GradientEpilogue(addend ? other : null, relu ? Activation(batch, Shape, output) : null));
        Assert.That(
            Read(dx), Is.EqualTo(g.Select((value, i) => relu && output[i] <= 0 ? 0 : addend ? value + more[i] : value)));
        AssertUnusedLanesAreZero(dx);
    }

    [Test]
    public void Mismatched_operands_and_a_shift_are_refused()
    {
        CpuTensor x = Empty(5, Shape), y = Empty(5, new FeatureShape(3, 7, 5));
        Assert.Multiple(() =>
        {
            Assert.That(
                () => Backend.ElementwiseForward(x, y, default),
                Throws.ArgumentException.With.Message.Contains("5x3x5x7").And.Message.Contains("5x3x7x5"));
            Assert.That(
                () => Backend.ElementwiseBackward(x, x, new GradientEpilogue(null, y)),
                Throws.ArgumentException.With.Message.Contains("5x3x5x7").And.Message.Contains("5x3x7x5"));
            Assert.That(
                () => Backend.ElementwiseForward(x, x, new ForwardEpilogue(Slice(1, 2, 3), null, Function.None)),
                Throws.ArgumentException.With.Message.Contains("shift"));
        });
    }

    [Test]
    public void Results_do_not_depend_on_threads_and_nothing_is_allocated()
    {
        FeatureShape shape = new(3, 33, 35);
        CpuTensor x = Gradient(37, shape, Uniform(37 * shape.Length)), y = Empty(37, shape), dx = Empty(37, shape);
        AssertSameForAnyThreads(backend =>
        {
            backend.ElementwiseForward(x, y, new ForwardEpilogue(null, x, Function.Relu));
            backend.ElementwiseBackward(x, dx, new GradientEpilogue(x, y));
            return [Read(y), Read(dx)];
        });
        AssertAllocatesNothing(() =>
        {
            Backend.ElementwiseForward(x, y, new ForwardEpilogue(null, x, Function.Relu));
            Backend.ElementwiseBackward(x, dx, new GradientEpilogue(x, y));
        });
    }
}
