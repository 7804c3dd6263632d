using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using BoostingTicket.Engine.Cpu;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Tests.Tensors;

[TestFixture]
internal sealed class PhiloxTests
{
    /// <summary>Key, counter and words, from the known-answer file of the authors' library Random123.</summary>
    private static readonly TestCaseData[] KnownAnswers =
    [
        new(0UL, new uint[] { 0, 0, 0, 0 }, new[] { 0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u }),
        new(
            0xffffffffffffffffUL, new[] { 0xffffffffu, 0xffffffffu, 0xffffffffu, 0xffffffffu },
            new[] { 0x408f276du, 0x41c83b0eu, 0xa20bc7c6u, 0x6d5451fdu }),
        new(
            0x299f31d0a4093822UL, new[] { 0x243f6a88u, 0x85a308d3u, 0x13198a2eu, 0x03707344u },
            new[] { 0xd16cfe09u, 0x94fdccebu, 0x5001e420u, 0x24126ea1u }),
    ];

    [TestCaseSource(nameof(KnownAnswers))]
    public void Words_are_the_published_ones(ulong key, uint[] counter, uint[] words)
    {
        Vector128<uint> drawn = Philox.Words(key, counter[0], counter[1], counter[2], counter[3]);
        Assert.That(new[] { drawn[0], drawn[1], drawn[2], drawn[3] }, Is.EqualTo(words));
    }

    [TestCaseSource(nameof(KnownAnswers))]
    public void Words_in_lanes_are_the_published_ones(ulong key, uint[] counter, uint[] words)
    {
        if (!Avx2.IsSupported)
            Assert.Ignore("This machine has no AVX2.");
        Vector256<uint> c0 = Vector256.Create(counter[0]), c1 = Vector256.Create(counter[1]);
        Vector256<uint> c2 = Vector256.Create(counter[2]), c3 = Vector256.Create(counter[3]);
        PhiloxLanes.Words((uint)key, (uint)(key >> 32), ref c0, ref c1, ref c2, ref c3);
        for (int lane = 0; lane < Vector256<uint>.Count; lane++)
            Assert.That(new[] { c0[lane], c1[lane], c2[lane], c3[lane] }, Is.EqualTo(words));
    }

    [Test]
    public void Uniform_values_lie_in_the_half_open_unit_interval()
    {
        Assert.That(Philox.Uniform(0), Is.Zero);
        Assert.That(Philox.Uniform(255), Is.Zero);
        Assert.That(Philox.Uniform(256), Is.EqualTo(1f / 16777216));
        Assert.That(Philox.Uniform(uint.MaxValue), Is.EqualTo(1 - 1f / 16777216));
    }
}
