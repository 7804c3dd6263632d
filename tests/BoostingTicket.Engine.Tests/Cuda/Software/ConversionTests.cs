namespace BoostingTicket.Engine.Tests.Cuda.Software;

/// <summary>Conversions and comparisons.</summary>
internal sealed class ConversionTests : SoftwareFixture
{
    [TestCase("cvt.rni.s32.f32", "rf", 2.5f, 2u)]
    [TestCase("cvt.rni.s32.f32", "rf", -3.5f, 0xfffffffcu)]
    [TestCase("cvt.rzi.s32.f32", "rf", -2.9f, 0xfffffffeu)]
    [TestCase("cvt.rmi.s32.f32", "rf", -2.1f, 0xfffffffdu)]
    [TestCase("cvt.rpi.s32.f32", "rf", -2.9f, 0xfffffffeu)]
    [TestCase("cvt.rzi.s32.f32", "rf", 3e9f, 0x7fffffffu)]
    [TestCase("cvt.rzi.s32.f32", "rf", -3e9f, 0x80000000u)]
    [TestCase("cvt.rzi.s32.f32", "rf", float.NaN, 0u)]
    [TestCase("cvt.rzi.u32.f32", "rf", -1f, 0u)]
    [TestCase("cvt.rzi.u32.f32", "rf", 5e9f, 0xffffffffu)]
    [TestCase("cvt.rzi.u8.f32", "rf", 300f, 255u)]
    [TestCase("cvt.rzi.s8.f32", "rf", -300f, 0xffffff80u)]
    [TestCase("cvt.rzi.u64.f32", "df", float.NaN, 0x8000000000000000u)]
    [TestCase("cvt.rzi.s64.f32", "df", 1e20f, 0x7fffffffffffffffu)]
    [TestCase("cvt.rzi.ftz.s32.f32", "rf", 1e-40f, 0u)]
    [TestCase("cvt.rpi.ftz.s32.f32", "rf", 1e-40f, 0u)]
    [TestCase("cvt.rpi.s32.f32", "rf", 1e-40f, 1u)]
    public void From_float32_to_integers(string instruction, string types, float value, ulong expected) =>
        Assert.That(Evaluate1(instruction, types, Bits(value)), Is.EqualTo(expected));

    [TestCase("cvt.rn.f32.s32", "fr", 0xffffffffu, -1f)]
    [TestCase("cvt.rn.f32.u32", "fr", 0xffffffffu, 4294967296f)]
    [TestCase("cvt.rz.f32.u32", "fr", 0xffffffffu, 4294967040f)]
    [TestCase("cvt.rn.f32.s32", "fr", 16777217u, 16777216f)]
    [TestCase("cvt.rp.f32.s32", "fr", 16777217u, 16777218f)]
    [TestCase("cvt.rm.f32.s32", "fr", 0xfeffffffu, -16777218f)]
    [TestCase("cvt.rn.f32.u64", "fd", 0xffffff7fffffffffu, 18446742974197923840f)]
    [TestCase("cvt.rn.f32.u64", "fd", 0xffffffffffffffffu, 18446744073709551616f)]
    [TestCase("cvt.rz.f32.u64", "fd", 0xffffffffffffffffu, 18446742974197923840f)]
    [TestCase("cvt.rn.f32.s64", "fd", 0x8000000000000000u, -9223372036854775808f)]
    [TestCase("cvt.rn.f32.u16", "fh", 0xffffu, 65535f)]
    [TestCase("cvt.rn.f32.s16", "fh", 0xffffu, -1f)]
    [TestCase("cvt.rn.f32.u8", "fr", 0x1ffu, 255f)]
    [TestCase("cvt.rn.f32.s8", "fr", 0x1ffu, -1f)]
    [TestCase("cvt.rn.f32.u32", "fr", 0u, 0f)]
    public void From_integers_to_float32(string instruction, string types, ulong value, float expected) =>
        Assert.That(Evaluate1(instruction, types, value), Is.EqualTo(Bits(expected)));

    /// <summary>2^61 + 2^37 + 1 lies just above the middle between two float32; through float64 it would fall on the
    /// middle.</summary>
    [Test]
    public void Integers_of_64_bits_are_rounded_once() =>
        Assert.That(
            Evaluate1("cvt.rn.f32.u64", "fd", (1UL << 61) + (1UL << 37) + 1),
            Is.EqualTo(Bits(MathF.ScaleB(1 + MathF.ScaleB(1, -23), 61))));

    [TestCase("cvt.u16.u32", "hr", 0x12345678u, 0x5678u)]
    [TestCase("cvt.s32.s16", "rh", 0x8000u, 0xffff8000u)]
    [TestCase("cvt.u32.u16", "rh", 0x8000u, 0x8000u)]
    [TestCase("cvt.s32.u16", "rh", 0x8000u, 0x8000u)]
    [TestCase("cvt.u32.s16", "rh", 0x8000u, 0xffff8000u)]
    [TestCase("cvt.s64.s32", "dr", 0xfffffffeu, 0xfffffffffffffffeu)]
    [TestCase("cvt.u64.u32", "dr", 0xfffffffeu, 0xfffffffeu)]
    [TestCase("cvt.u32.u64", "rd", 0x123456789abcdef0u, 0x9abcdef0u)]
    [TestCase("cvt.s32.s8", "rr", 0xabcd80u, 0xffffff80u)]
    [TestCase("cvt.u32.u8", "rr", 0xabcd80u, 0x80u)]
    [TestCase("cvt.s8.s32", "rr", 0xabcd80u, 0xffffff80u)]
    [TestCase("cvt.sat.u8.s32", "rr", 0xffffff80u, 0u)]
    [TestCase("cvt.sat.u8.s32", "rr", 300u, 255u)]
    [TestCase("cvt.sat.s16.s32", "rr", 0xffff0000u, 0xffff8000u)]
    [TestCase("cvt.sat.s32.u32", "rr", 0xffffffffu, 0x7fffffffu)]
    public void Between_integers(string instruction, string types, ulong value, ulong expected) =>
        Assert.That(Evaluate1(instruction, types, value), Is.EqualTo(expected));

    [Test]
    public void Between_floats()
    {
        double beyond = 1 + Math.ScaleB(1, -24) + Math.ScaleB(1, -50);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(Evaluate1("cvt.f64.f32", "ef", Bits(0.1f)), Is.EqualTo(Bits((double)0.1f)));
            Assert.That(Evaluate1("cvt.rn.f32.f64", "fe", Bits(beyond)), Is.EqualTo(Bits(1.0000001f)));
            Assert.That(Evaluate1("cvt.rz.f32.f64", "fe", Bits(beyond)), Is.EqualTo(Bits(1f)));
            Assert.That(Evaluate1("cvt.rm.f32.f64", "fe", Bits(-beyond)), Is.EqualTo(Bits(-1.0000001f)));
            Assert.That(Evaluate1("cvt.rp.f32.f64", "fe", Bits(1e-60)), Is.EqualTo(1));
            Assert.That(Evaluate1("cvt.rz.f32.f64", "fe", Bits(1e60)), Is.EqualTo(Bits(float.MaxValue)));
            Assert.That(Evaluate1("cvt.rn.ftz.f32.f64", "fe", Bits(-1e-40)), Is.EqualTo(Bits(-0f)));
            Assert.That(Evaluate1("cvt.rni.f32.f32", "ff", Bits(2.5f)), Is.EqualTo(Bits(2f)));
            Assert.That(Evaluate1("cvt.rpi.f32.f32", "ff", Bits(-0.5f)), Is.EqualTo(Bits(-0f)));
            Assert.That(Evaluate1("cvt.rzi.f64.f64", "ee", Bits(-2.7)), Is.EqualTo(Bits(-2.0)));
            Assert.That(Evaluate1("cvt.sat.f32.f32", "ff", Bits(1.5f)), Is.EqualTo(Bits(1f)));
            Assert.That(Evaluate1("cvt.sat.f32.f32", "ff", Bits(float.NaN)), Is.Zero);
            Assert.That(Evaluate1("cvt.ftz.f32.f32", "ff", Bits(1e-40f)), Is.Zero);
            Assert.That(Evaluate1("cvt.rn.f32.f64", "fe", Bits(double.NaN)), Is.EqualTo(0x7fffffff));
        }
    }

    [Test]
    public void Of_sixteen_bits()
    {
        using (Assert.EnterMultipleScope())
        {
            Assert.That(Evaluate1("cvt.rn.f16.f32", "hf", Bits(65520f)), Is.EqualTo(0x7c00));
            Assert.That(Evaluate1("cvt.rn.f16.f32", "hf", Bits(1.0004883f)), Is.EqualTo(0x3c00));
            Assert.That(Evaluate1("cvt.f32.f16", "fh", 0x0001), Is.EqualTo(Bits(MathF.ScaleB(1, -24))));
            Assert.That(Evaluate1("cvt.rn.bf16.f32", "hf", 0x3f808000), Is.EqualTo(0x3f80));
            Assert.That(Evaluate1("cvt.rn.bf16.f32", "hf", 0x3f818000), Is.EqualTo(0x3f82));
            Assert.That(Evaluate1("cvt.rn.bf16.f32", "hf", 0x7f7fffff), Is.EqualTo(0x7f80));
            Assert.That(Evaluate1("cvt.rn.bf16.f32", "hf", 0xffc00001), Is.EqualTo(0x7fff));
            Assert.That(Evaluate1("cvt.f32.bf16", "fh", 0x3f82), Is.EqualTo(0x3f820000));
        }
    }

    /// <summary>Ordered comparisons are false for NaN, unordered ones true.</summary>
    [Test]
    public void Comparisons_of_floats_know_NaN(
        [Values("eq", "ne", "lt", "le", "gt", "ge", "equ", "neu", "ltu", "leu", "gtu", "geu", "num", "nan")] string operation,
        [Values("f32", "f64")] string type)
    {
        float[] values = [float.NaN, float.NegativeInfinity, -1, -0f, 0, 1e-40f, 2, float.PositiveInfinity];
        (float A, float B)[] pairs = [.. from a in values from b in values select (a, b)];
        bool single = type == "f32";
        ulong[] results = Evaluate(
            $"setp.{operation}.{type}", single ? "pff" : "pee",
            [.. pairs.Select(
                pair => single ? [Bits(pair.A), Bits(pair.B)] : new[] { Bits((double)pair.A), Bits((double)pair.B) })]);
        for (int i = 0; i < pairs.Length; i++)
        {
            (float a, float b) = pairs[i];
            bool unordered = float.IsNaN(a) || float.IsNaN(b);
            bool expected = operation switch
            {
                "num" => !unordered,
                "nan" => unordered,
                _ when unordered => operation.Length == 3,
                _ => operation[..2] switch
                {
                    "eq" => a == b,
                    "ne" => a != b,
                    "lt" => a < b,
                    "le" => a <= b,
                    "gt" => a > b,
                    _ => a >= b,
                },
            };
            Assert.That(results[i], Is.EqualTo(expected ? 1 : 0), $"{a} {operation} {b}");
        }
    }

    [TestCase("setp.lt.s32", "prr", 0xffffffffu, 0u, true)]
    [TestCase("setp.lt.u32", "prr", 0xffffffffu, 0u, false)]
    [TestCase("setp.lo.u32", "prr", 0u, 0xffffffffu, true)]
    [TestCase("setp.ls.u32", "prr", 5u, 5u, true)]
    [TestCase("setp.hi.u32", "prr", 5u, 5u, false)]
    [TestCase("setp.hs.u32", "prr", 5u, 5u, true)]
    [TestCase("setp.ge.s64", "pdd", 0x8000000000000000u, 0u, false)]
    [TestCase("setp.ge.u64", "pdd", 0x8000000000000000u, 0u, true)]
    [TestCase("setp.gt.s16", "phh", 0xffffu, 0u, false)]
    [TestCase("setp.ne.s16", "phh", 0xffffu, 0xffffu, false)]
    [TestCase("setp.eq.b32", "prr", 7u, 7u, true)]
    [TestCase("setp.lt.ftz.f32", "pff", 1u, 2u, false)]
    [TestCase("setp.lt.f32", "pff", 1u, 2u, true)]
    public void Comparisons(string instruction, string types, ulong a, ulong b, bool expected) =>
        Assert.That(Evaluate1(instruction, types, a, b), Is.EqualTo(expected ? 1 : 0));

    [TestCase("and", 3, 4, 1, 1, 0)]
    [TestCase("and", 3, 4, 0, 0, 0)]
    [TestCase("or", 4, 3, 1, 1, 1)]
    [TestCase("or", 4, 3, 0, 0, 1)]
    [TestCase("xor", 3, 4, 1, 0, 1)]
    public void Comparisons_combine_and_have_an_opposite(string with, int a, int b, int c, int first, int second)
    {
        string text = $"setp.lt.{with}.s32 %p0|%p4, %r1, %r2, %p3; selp.u32 %r0, 1, 0, %p0; @%p4 add.u32 %r0, %r0, 2;";
        Assert.That(Evaluate1(text, "rrrp", (ulong)a, (ulong)b, (ulong)c), Is.EqualTo(first + (2 * second)));
        string negated = $"setp.lt.{with}.s32 %p0|_, %r1, %r2, !%p3; selp.u32 %r0, 1, 0, %p0;";
        Assert.That(Evaluate1(negated, "rrrp", (ulong)a, (ulong)b, 1 - (ulong)c), Is.EqualTo(first));
    }

    [Test]
    public void Choices()
    {
        using (Assert.EnterMultipleScope())
        {
            Assert.That(Evaluate1("selp.b32", "rrrp", 5, 6, 1), Is.EqualTo(5));
            Assert.That(Evaluate1("selp.b32", "rrrp", 5, 6, 0), Is.EqualTo(6));
            Assert.That(Evaluate1("selp.u16 %rs0, 7, -1, %p1;", "hp", 0), Is.EqualTo(0xffff));
            Assert.That(Evaluate1("slct.s32.s32", "rrrr", 5, 6, 0xffffffff), Is.EqualTo(6));
            Assert.That(Evaluate1("slct.b32.f32", "rrrf", 5, 6, Bits(-0f)), Is.EqualTo(5));
            Assert.That(Evaluate1("slct.b32.f32", "rrrf", 5, 6, Bits(float.NaN)), Is.EqualTo(6));
            Assert.That(Evaluate1("set.lt.u32.s32", "rrr", 0xffffffff, 1), Is.EqualTo(0xffffffff));
            Assert.That(Evaluate1("set.lt.f32.s32", "frr", 0xffffffff, 1), Is.EqualTo(Bits(1f)));
            Assert.That(Evaluate1("set.lt.and.u32.f32", "rffp", Bits(1f), Bits(2f), 0), Is.Zero);
            Assert.That(Evaluate1("testp.subnormal.f32", "pf", 1), Is.EqualTo(1));
            Assert.That(Evaluate1("testp.notanumber.f64", "pe", Bits(double.NaN)), Is.EqualTo(1));
            Assert.That(Evaluate1("testp.finite.f32", "pf", Bits(float.NegativeInfinity)), Is.Zero);
            Assert.That(Evaluate1("testp.normal.f32", "pf", Bits(1f)), Is.EqualTo(1));
        }
    }
}
