using System.Runtime.Intrinsics;
using BoostingTicket.Engine.Cpu;
using BoostingTicket.Engine.Cpu.BFloat16;

namespace BoostingTicket.Engine.Tests.Cpu.BFloat16;

/// <summary>Rounding, emitted kernels against plain ones, and what the check at start-up would find.</summary>
internal sealed unsafe class BFloat16KernelTests
{
    [TestCase(1f, 0x3f80)]
    [TestCase(1.00390625f, 0x3f80)]
    [TestCase(1.01171875f, 0x3f82)]
    [TestCase(-3.3895e38f, 0xff7f)]
    [TestCase(3.4e38f, 0x7f80)]
    [TestCase(float.NegativeInfinity, 0xff80)]
    [TestCase(-0f, 0x8000)]
    public void Rounds_to_the_nearest_and_ties_to_even(float value, int expected)
    {
        Assert.That(Rounding.Round(value), Is.EqualTo(expected));
        Vector512<uint> pair = Rounding.Pair(Vector512.Create(value), Vector512.Create(1f));
        Assert.That(pair[7], Is.EqualTo(0x3f800000u | (uint)expected));
        pair = Rounding.Pair(Vector512.Create(1f), Vector512.Create(value));
        Assert.That(pair[7], Is.EqualTo((uint)expected << 16 | 0x3f80u));
    }

    [TestCase(0x7fffffffu)]
    [TestCase(0xffc00001u)]
    [TestCase(0x7f800001u)]
    public void A_NaN_stays_one(uint bits)
    {
        float value = BitConverter.UInt32BitsToSingle(bits);
        Assert.That(Rounding.Widen(Rounding.Round(value)), Is.NaN);
        Assert.That(Rounding.Widen((ushort)Rounding.Pair(Vector512.Create(value), default)[0]), Is.NaN);
    }

    [TestCase(Products.Emulated)]
    [TestCase(Products.Vectors)]
    [TestCase(Products.Tiles)]
    public void Kernels_pass_their_check(Products products) =>
        Assert.That(KernelCheck.Failure(TestedKernels.Require(products)), Is.Null);

    [Test]
    public void The_check_finds_one_wrong_sum([Values(1, 2)] int groups, [Values(1, 2)] int pixels) =>
        Assert.That(
            KernelCheck.Failure(new Wrong(groups, pixels)), Does.StartWith($"{groups} x").And.Contain($", {pixels} pixels"));

    [TestCase(Products.Vectors)]
    [TestCase(Products.Tiles)]
    public void Sums_of_any_numbers_are_float32_sums(Products products)
    {
        BFloat16Kernels kernels = TestedKernels.Require(products);
        const int Steps = 40, Pairs = 16, Rows = 16;
        var random = new Random(5);
        using var inputs = new NativeBlock(Steps * TileCall.GroupBytes);
        using var weights = new NativeBlock(Steps * TileCall.GroupBytes);
        Fill(inputs);
        Fill(weights);
        using var actual = new NativeBlock(TileCall.GroupBytes);
        int* steps = stackalloc int[2 * Steps];
        for (int step = 0; step < Steps; step++)
            steps[2 * step] = steps[2 * step + 1] = step * TileCall.GroupBytes;
        int* tile = stackalloc int[2];
        (tile[0], tile[1]) = (0, 0);
        var call = new TileCall
        {
            Inputs = inputs.Data,
            Weights = weights.Data,
            Steps = steps,
            StepCount = Steps,
            Tiles = tile,
            TileCount = 1,
            Sums = actual.Data,
            Pairs = Pairs,
            Rows = Rows,
        };
        kernels.Begin(1, Rows, Pairs);
        kernels.Run(1, 1, &call);
        kernels.End();
        ushort* x = (ushort*)inputs.Data, w = (ushort*)weights.Data;
        for (int row = 0; row < Rows; row++)
        {
            for (int lane = 0; lane < Layout.Lanes; lane++)
            {
                double sum = 0, magnitude = 0;
                for (int step = 0; step < Steps; step++)
                {
                    for (int i = 0; i < 2 * Pairs; i++)
                    {
                        int start = step * TileCall.GroupBytes / sizeof(ushort);
                        double product = (double)Rounding.Widen(x[start + i / 2 * 2 * Layout.Lanes + 2 * lane + i % 2])
                            * Rounding.Widen(w[start + row * 2 * Layout.Lanes + i]);
                        sum += product;
                        magnitude += Math.Abs(product);
                    }
                }
                Assert.That(((float*)actual.Data)[row * Layout.Lanes + lane], Is.EqualTo(sum).Within(1e-6 * magnitude));
            }
        }

        void Fill(NativeBlock block)
        {
            ushort* values = (ushort*)block.Data;
            for (long i = 0; i < block.Bytes / sizeof(ushort); i++)
                values[i] = Rounding.Round(random.NextSingle() - 0.5f);
        }
    }

    [Test]
    public void Support_has_kernels_or_says_why_not() =>
        Assert.That(BFloat16Support.Kernels is null, Is.EqualTo(BFloat16Support.Reason.Length > 0));

    private sealed class Wrong(int groups, int pixels) : BFloat16Kernels
    {
        public override string Name => "wrong";

        public override int MostGroups => 2;

        public override BFloat16Prices Prices => default;

        public override int MostPixels(int of) => 2;

        public override void Run(int of, int at, TileCall* call)
        {
            ManagedKernels.Instance.Run(of, at, call);
            if (of == groups && at == pixels)
                ((float*)call->Sums)[Layout.Lanes] += 1;
        }
    }
}
