using System.Numerics;

namespace BoostingTicket.Engine.Tests.Cuda.Software;

/// <summary>Floating-point instructions against exact rational numbers, and their rules for special values.</summary>
internal sealed class FloatTests : SoftwareFixture
{
    private static readonly float[] Edges =
    [
        0f, -0f, 1f, -1f, 1.5f, 3f, 0.1f, -0.3f, 1e-20f, 1.1754942e-38f, 1e-40f, -float.Epsilon, float.Epsilon, 16777217f,
        33554431f,
        1e30f, -3e38f, float.MaxValue, float.MinValue, 0.99999994f, 1.0000001f, 1234567.9f,
    ];

    private static readonly float[] Special = [float.NaN, float.PositiveInfinity, float.NegativeInfinity, 0f, -0f, 1f, -2f];

    [Test]
    public void Sums_products_and_quotients_are_rounded_once(
        [Values("add", "sub", "mul", "div")] string operation, [Values("rn", "rz", "rm", "rp")] string rounding)
    {
        var rows = new List<ulong[]>();
        var expected = new List<ulong>();
        foreach (float a in Edges)
        {
            foreach (float b in Edges)
            {
                if (operation == "div" && b == 0)
                    continue;
                rows.Add([Bits(a), Bits(b)]);
                Rational x = Rational.Of(a), y = Rational.Of(b);
                Rational exact = operation switch
                {
                    "add" => x + y,
                    "sub" => x - y,
                    "mul" => x * y,
                    _ => x / y,
                };
                expected.Add(Bits(exact.IsZero ? ZeroOf(operation, rounding, a, b) : exact.ToSingle(rounding)));
            }
        }
        Assert.That(Evaluate($"{operation}.{rounding}.f32", "fff", [.. rows]), Is.EqualTo(expected));
    }

    [Test]
    public void Fused_multiply_adds_are_rounded_once([Values("rn", "rz", "rm", "rp")] string rounding)
    {
        var rows = new List<ulong[]>();
        var expected = new List<ulong>();
        foreach (float a in Edges)
        {
            foreach (float b in Edges)
            {
                float c = Edges[(rows.Count * 7) % Edges.Length];
                Rational exact = (Rational.Of(a) * Rational.Of(b)) + Rational.Of(c);
                if (exact.IsZero)
                    continue;
                rows.Add([Bits(a), Bits(b), Bits(c)]);
                expected.Add(Bits(exact.ToSingle(rounding)));
            }
        }
        // Where rounding the product first would be seen: (1 + 2^-23)^2 - (1 + 2^-22).
        rows.Add([Bits(1.0000001f), Bits(1.0000001f), Bits(-1.0000002f)]);
        expected.Add(Bits(MathF.ScaleB(1, -46)));
        Assert.That(Evaluate($"fma.{rounding}.f32", "ffff", [.. rows]), Is.EqualTo(expected));
    }

    [Test]
    public void Square_roots_and_reciprocals_are_rounded_once(
        [Values("sqrt", "rcp")] string operation, [Values("rn", "rz", "rm", "rp")] string rounding)
    {
        var rows = new List<ulong[]>();
        var check = new List<float>();
        foreach (float a in Edges.Where(edge => edge > 0))
        {
            rows.Add([Bits(a)]);
            check.Add(a);
        }
        ulong[] results = Evaluate($"{operation}.{rounding}.f32", "ff", [.. rows]);
        for (int i = 0; i < results.Length; i++)
        {
            float result = BitConverter.UInt32BitsToSingle((uint)results[i]);
            if (operation == "rcp")
            {
                Assert.That(result, Is.EqualTo((Rational.Of(1) / Rational.Of(check[i])).ToSingle(rounding)), $"1/{check[i]:r}");
                continue;
            }
            // The root lies between the neighbours that the mode allows: compare squares, which are exact.
            Rational lower = Square(rounding == "rn" ? Middle(MathF.BitDecrement(result), result) : Rational.Of(result));
            Rational upper = Square(rounding == "rn" ? Middle(result, MathF.BitIncrement(result))
                : Rational.Of(rounding == "rp" ? MathF.BitDecrement(result) : MathF.BitIncrement(result)));
            Rational value = Rational.Of(check[i]);
            bool ordered = rounding == "rp"
                ? upper < value && !(lower < value)
                : !(value < lower) && (value < upper || (rounding == "rn" && !(upper < value)));
            Assert.That(ordered, Is.True, $"sqrt.{rounding} {check[i]:r} = {result:r}");
        }
    }

    [TestCase("add.f32")]
    [TestCase("mul.f32")]
    [TestCase("div.rn.f32")]
    public void Results_that_are_no_numbers_are_the_canonical_NaN(string instruction)
    {
        ulong[][] rows = [.. from a in Special from b in Special select new[] { Bits(a), Bits(b) }];
        ulong[] results = Evaluate(instruction, "fff", rows);
        for (int i = 0; i < rows.Length; i++)
        {
            float a = BitConverter.UInt32BitsToSingle((uint)rows[i][0]), b = BitConverter.UInt32BitsToSingle((uint)rows[i][1]);
            float expected = instruction[0] switch { 'a' => a + b, 'm' => a * b, _ => a / b };
            Assert.That(results[i], Is.EqualTo(float.IsNaN(expected) ? 0x7fffffff : Bits(expected)), $"{a} {b}");
        }
    }

    [TestCase("min.f32", float.NaN, 1f, 1f)]
    [TestCase("min.f32", 1f, float.NaN, 1f)]
    [TestCase("max.f32", float.NaN, -1f, -1f)]
    [TestCase("min.f32", 0f, -0f, -0f)]
    [TestCase("min.f32", -0f, 0f, -0f)]
    [TestCase("max.f32", -0f, 0f, 0f)]
    [TestCase("max.f32", 0f, -0f, 0f)]
    [TestCase("max.NaN.f32", float.NaN, -1f, float.NaN)]
    [TestCase("min.NaN.f32", 2f, 1f, 1f)]
    [TestCase("max.f32", float.NaN, float.NaN, float.NaN)]
    [TestCase("copysign.f32", -0f, 3f, -3f)]
    [TestCase("copysign.f32", 1f, -3f, 3f)]
    [TestCase("add.sat.f32", 0.75f, 0.75f, 1f)]
    [TestCase("add.sat.f32", -0.75f, 0.5f, 0f)]
    [TestCase("mul.sat.f32", float.NaN, 1f, 0f)]
    [TestCase("add.ftz.f32", 1e-40f, 1e-40f, 0f)]
    [TestCase("mul.ftz.f32", 1e-30f, -1e-10f, -0f)]
    [TestCase("mul.f32", 1e-30f, -1e-10f, -1e-40f)]
    [TestCase("div.approx.f32", 1f, 4f, 0.25f)]
    [TestCase("div.full.f32", 3f, 4f, 0.75f)]
    public void Special_values_follow_the_manual(string instruction, float a, float b, float expected)
    {
        ulong result = Evaluate1(instruction, "fff", Bits(a), Bits(b));
        Assert.That(result, Is.EqualTo(float.IsNaN(expected) ? 0x7fffffff : Bits(expected)));
    }

    [TestCase("abs.f32", -2.5f, 2.5f)]
    [TestCase("neg.f32", 0f, -0f)]
    [TestCase("abs.ftz.f32", -1e-40f, 0f)]
    [TestCase("ex2.approx.f32", -3f, 0.125f)]
    [TestCase("ex2.approx.ftz.f32", -149f, 0f)]
    [TestCase("ex2.approx.f32", float.NegativeInfinity, 0f)]
    [TestCase("lg2.approx.f32", 8f, 3f)]
    [TestCase("lg2.approx.f32", 0f, float.NegativeInfinity)]
    [TestCase("rsqrt.approx.f32", 0.25f, 2f)]
    [TestCase("rcp.approx.f32", 8f, 0.125f)]
    [TestCase("sqrt.approx.f32", 9f, 3f)]
    [TestCase("sqrt.rn.f32", -0f, -0f)]
    [TestCase("rcp.rn.f32", -0f, float.NegativeInfinity)]
    [TestCase("sin.approx.f32", 0f, 0f)]
    [TestCase("cos.approx.f32", 0f, 1f)]
    [TestCase("tanh.approx.f32", 0f, 0f)]
    public void Functions_of_one_number(string instruction, float a, float expected) =>
        Assert.That(Evaluate1(instruction, "ff", Bits(a)), Is.EqualTo(Bits(expected)));

    [TestCase("add.f64", 0.1, 0.2, 0.0, 0.1 + 0.2)]
    [TestCase("sub.rn.f64", 0.1, 0.3, 0.0, 0.1 - 0.3)]
    [TestCase("mul.f64", 0.1, 0.3, 0.0, 0.1 * 0.3)]
    [TestCase("div.rn.f64", 1.0, 3.0, 0.0, 1.0 / 3.0)]
    [TestCase("min.f64", double.NaN, 3.0, 0.0, 3.0)]
    [TestCase("max.f64", -0.0, 0.0, 0.0, 0.0)]
    [TestCase("copysign.f64", -1.0, 2.0, 0.0, -2.0)]
    public void Of_two_float64(string instruction, double a, double b, double unused, double expected) =>
        Assert.That(Evaluate1(instruction, "eee", Bits(a), Bits(b + unused)), Is.EqualTo(Bits(expected)));

    [Test]
    public void Of_float64()
    {
        double tiny = Math.ScaleB(1, -104), near = 1 + Math.ScaleB(1, -52);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(
                Evaluate1("fma.rn.f64", "eeee", Bits(near), Bits(near), Bits(-(1 + Math.ScaleB(1, -51)))),
                Is.EqualTo(Bits(tiny)));
            Assert.That(Evaluate1("sqrt.rn.f64", "ee", Bits(2.0)), Is.EqualTo(Bits(Math.Sqrt(2))));
            Assert.That(Evaluate1("rcp.rn.f64", "ee", Bits(3.0)), Is.EqualTo(Bits(1 / 3.0)));
            Assert.That(Evaluate1("neg.f64", "ee", Bits(3.0)), Is.EqualTo(Bits(-3.0)));
            Assert.That(Evaluate1("abs.f64", "ee", Bits(-3.0)), Is.EqualTo(Bits(3.0)));
            Assert.That(Evaluate1("rsqrt.approx.f64 %fd0, %fd1;", "ee", Bits(4.0)), Is.EqualTo(Bits(0.5)));
            // Only the upper half counts, and only the upper half is given.
            Assert.That(Evaluate1("rcp.approx.ftz.f64", "ee", Bits(3.0)), Is.EqualTo(Bits(1 / 3.0) & 0xffffffff00000000));
            Assert.That(Evaluate1("rcp.approx.ftz.f64", "ee", Bits(2.0) | 0xffffffff), Is.EqualTo(Bits(0.5)));
            Assert.That(Evaluate1("rcp.approx.ftz.f64", "ee", Bits(double.PositiveInfinity)), Is.Zero);
        }
    }

    private static Rational Middle(float a, float b) => (Rational.Of(a) + Rational.Of(b)) * Rational.Of(0.5f);

    private static Rational Square(Rational value) => value * value;

    // An exact zero: a product's or quotient's sign is that of its factors; a sum of opposite numbers is positive, but when
    // rounded down.
    private static float ZeroOf(string operation, string rounding, float a, float b)
    {
        if (operation is "mul" or "div")
            return float.IsNegative(a) != float.IsNegative(b) ? -0f : 0f;
        if (operation == "sub")
            b = -b;
        if (a == 0 && b == 0 && float.IsNegative(a) == float.IsNegative(b))
            return a;
        return rounding == "rm" ? -0f : 0f;
    }

    /// <summary>A fraction, for results that are exact before they are rounded.</summary>
    private readonly record struct Rational(BigInteger Numerator, BigInteger Denominator)
    {
        public bool IsZero => Numerator.IsZero;

        public static Rational Of(float value)
        {
            uint bits = BitConverter.SingleToUInt32Bits(value);
            int exponent = (int)(bits >> 23 & 0xff);
            BigInteger mantissa = exponent == 0 ? bits & 0x7fffff : bits & 0x7fffff | 0x800000;
            if (float.IsNegative(value))
                mantissa = -mantissa;
            int scale = Math.Max(exponent, 1) - 150;
            return scale >= 0 ? new Rational(mantissa << scale, 1) : new Rational(mantissa, BigInteger.One << -scale);
        }

        public static Rational operator +(Rational a, Rational b) =>
            new((a.Numerator * b.Denominator) + (b.Numerator * a.Denominator), a.Denominator * b.Denominator);

        public static Rational operator -(Rational a, Rational b) => a + new Rational(-b.Numerator, b.Denominator);

        public static Rational operator *(Rational a, Rational b) =>
            new(a.Numerator * b.Numerator, a.Denominator * b.Denominator);

        public static Rational operator /(Rational a, Rational b) => new(
            a.Numerator * b.Denominator * b.Numerator.Sign, a.Denominator * b.Numerator * b.Numerator.Sign);

        public static bool operator <(Rational a, Rational b) => a.Numerator * b.Denominator < b.Numerator * a.Denominator;

        public static bool operator >(Rational a, Rational b) => b < a;

        /// <summary>Rounds by looking for the neighbours among all float32.</summary>
        public float ToSingle(string rounding)
        {
            // The largest float32 of that sign whose magnitude is not larger, by bisection over the ordered bit patterns.
            bool negative = Numerator.Sign < 0;
            var magnitude = new Rational(BigInteger.Abs(Numerator), Denominator);
            uint low = 0, high = 0x7f7fffff;
            while (low < high)
            {
                uint middle = low + ((high - low + 1) / 2);
                if (magnitude < Of(BitConverter.UInt32BitsToSingle(middle)))
                    high = middle - 1;
                else
                    low = middle;
            }
            var below = Of(BitConverter.UInt32BitsToSingle(low));
            bool away = rounding switch
            {
                "rz" => false,
                "rm" => negative,
                "rp" => !negative,
                _ => IsNearerAbove(magnitude, below, low),
            };
            if (magnitude == below || (magnitude.Numerator * below.Denominator).Equals(below.Numerator * magnitude.Denominator))
                away = false;
            float result = BitConverter.UInt32BitsToSingle(away ? low + 1 : low);
            return negative ? -result : result;
        }

        private static bool IsNearerAbove(Rational magnitude, Rational below, uint bits)
        {
            Rational above = bits == 0x7f7fffff
                ? new Rational(BigInteger.One << 128, 1) : Of(BitConverter.UInt32BitsToSingle(bits + 1));
            Rational middle = (below + above) * new Rational(1, 2);
            return middle < magnitude || (!(magnitude < middle) && (bits & 1) != 0);
        }
    }
}
