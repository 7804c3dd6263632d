using System.Numerics;
using System.Runtime.Intrinsics;
using BoostingTicket.Engine.Cpu;
using BoostingTicket.Engine.Cpu.Kernels;
using BoostingTicket.Engine.Testing;
using Function = BoostingTicket.Engine.Backends.Activation;

namespace BoostingTicket.Engine.Tests.Cpu;

/// <summary>The written error bounds of vectorised activations, over all magnitudes of float32.</summary>
[TestFixture(typeof(Avx512Lanes), typeof(Vector512<float>))]
[TestFixture(typeof(Avx2Lanes), typeof(Vector256<float>))]
[TestFixture(typeof(PortableLanes), typeof(Vector<float>))]
internal sealed unsafe class ActivationKernelTests<TLanes, TVector> : CpuFixture<TLanes, TVector>
    where TLanes : struct, ILanes<TVector>
    where TVector : struct
{
    /// <summary>From -120 to 120 in steps that fall between numbers, and every power of two with its neighbours.</summary>
    private static float[] Inputs()
    {
        List<float> inputs = [0, -0f];
        for (double x = -120; x < 120; x += 0.00371)
            inputs.Add((float)x);
        for (int power = -149; power < 128; power++)
        {
            float value = MathF.ScaleB(1, power);
            inputs.AddRange([value, -value, MathF.BitIncrement(value), -MathF.BitIncrement(value)]);
        }
        while (inputs.Count % Layout.Lanes != 0)
            inputs.Add(1);
        return [.. inputs];
    }

    private static float[] Forward(Function activation, float[] inputs)
    {
        float[] values = [.. inputs];
        fixed (float* data = values)
            ActivationKernel<TLanes, TVector>.Forward(activation, data, values.Length);
        return values;
    }

    private static float[] Backward(Function activation, float[] inputs)
    {
        float[] gradients = Array.ConvertAll(inputs, _ => 1f);
        fixed (float* through = inputs, data = gradients)
            ActivationKernel<TLanes, TVector>.Backward(activation, through, data, gradients.Length);
        return gradients;
    }

    [Test]
    public void Silu_is_within_its_written_bound()
    {
        float[] inputs = Inputs(), actual = Forward(Function.Silu, inputs);
        double worst = 0, tail = 0;
        for (int i = 0; i < inputs.Length; i++)
        {
            double expected = ActivationTruth.Apply(Function.Silu, inputs[i]), error = Math.Abs(actual[i] - expected);
            if (inputs[i] > -87 && Math.Abs(expected) > 1.2e-38)
                worst = Math.Max(worst, error / Math.Abs(expected));
            else
                tail = Math.Max(tail, error);
        }
        TestContext.Out.WriteLine($"relative error {worst:E2}, below -87 and among subnormal numbers {tail:E2}");
        Assert.That(worst, Is.LessThan(2.4e-7).And.Positive);
        Assert.That(tail, Is.LessThan(1.5e-36));
    }

    [Test]
    public void The_derivative_of_silu_is_within_its_written_bound()
    {
        float[] inputs = Inputs(), actual = Backward(Function.Silu, inputs);
        double worst = 0;
        for (int i = 0; i < inputs.Length; i++)
            worst = Math.Max(worst, Math.Abs(actual[i] - ActivationTruth.Backward(Function.Silu, 1, inputs[i])));
        TestContext.Out.WriteLine($"absolute error {worst:E2}");
        Assert.That(worst, Is.LessThan(5e-7).And.Positive);
    }

    [Test]
    public void Leaky_relus_are_exact()
    {
        var leaky = Function.LeakyRelu(0.125f);
        float[] inputs = Inputs();
        Assert.That(Forward(leaky, inputs), Is.EqualTo(Array.ConvertAll(inputs, x => x < 0 ? 0.125f * x : x)));
        Assert.That(Backward(leaky, inputs), Is.EqualTo(Array.ConvertAll(inputs, x => x > 0 ? 1 : 0.125f)));
    }

    [Test]
    public void Nothing_hides_NaN_and_nothing_is_allocated()
    {
        float[] values = [.. Enumerable.Repeat(float.NaN, Layout.Lanes)];
        foreach (Function activation in ActivationTruth.All)
            Assert.That(Forward(activation, values), Is.All.NaN, $"{activation}");
        Assert.That(Backward(Function.Silu, values), Is.All.NaN);
        float[] more = new float[64 * Layout.Lanes];
        AssertAllocatesNothing(() =>
        {
            fixed (float* data = more)
            {
                ActivationKernel<TLanes, TVector>.Forward(Function.Silu, data, more.Length);
                ActivationKernel<TLanes, TVector>.Backward(Function.Silu, data, data, more.Length);
            }
        });
    }

    [TestCase(0f)]
    [TestCase(1f)]
    [TestCase(-0.5f)]
    [TestCase(float.NaN)]
    public void A_slope_lies_between_0_and_1(float slope) => Assert.That(
        () => Function.LeakyRelu(slope), Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains("between 0 and 1"));
}
