using System.Numerics;

namespace BoostingTicket.Engine.Tests.Cuda.Software;

/// <summary>Integer instructions against integers of any size.</summary>
internal sealed class IntegerTests : SoftwareFixture
{
    private static readonly ulong[] Edges =
    [
        0, 1, 2, 3, 7, 31, 32, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x12345678, 0x7fffffff, 0x80000000, 0xdeadbeef,
        0xffffffff,
        0x100000000, 0x7fffffffffffffff, 0x8000000000000000, 0xfedcba9876543210, ulong.MaxValue,
    ];

    // Operations on numbers without limits; the result is cut to the type.
    private static readonly Dictionary<string, Func<BigInteger, BigInteger, BigInteger, BigInteger?>> Operations = new()
    {
        ["add"] = (a, b, c) => a + b,
        ["sub"] = (a, b, c) => a - b,
        ["mul.lo"] = (a, b, c) => a * b,
        ["mul.hi"] = (a, b, c) => a * b,
        ["mul.wide"] = (a, b, c) => a * b,
        ["mad.lo"] = (a, b, c) => (a * b) + c,
        ["div"] = (a, b, c) => b.IsZero ? null : BigInteger.Divide(a, b),
        ["rem"] = (a, b, c) => b.IsZero ? null : BigInteger.Remainder(a, b),
        ["min"] = (a, b, c) => BigInteger.Min(a, b),
        ["max"] = (a, b, c) => BigInteger.Max(a, b),
        ["sad"] = (a, b, c) => c + BigInteger.Abs(a - b),
        ["abs"] = (a, b, c) => BigInteger.Abs(a),
        ["neg"] = (a, b, c) => -a,
    };

    private static IEnumerable<TestCaseData> Cases()
    {
        foreach (string operation in Operations.Keys)
        {
            foreach (string type in new[] { "u16", "s16", "u32", "s32", "u64", "s64" })
            {
                bool wrong = (operation == "mul.wide" && type.EndsWith("64", StringComparison.Ordinal))
                    || (operation is "abs" or "neg" && type[0] == 'u');
                if (!wrong)
                    yield return new TestCaseData(operation, type);
            }
        }
    }

    [TestCaseSource(nameof(Cases))]
    public void Arithmetic_is_that_of_integers_cut_to_the_type(string operation, string type)
    {
        int bits = int.Parse(type[1..], null);
        bool signed = type[0] == 's';
        char letter = Letter(bits);
        char result = operation == "mul.wide" ? Letter(2 * bits) : letter;
        int operands = operation switch { "abs" or "neg" => 1, "mad.lo" or "sad" => 3, _ => 2 };
        var rows = new List<ulong[]>();
        var expected = new List<ulong>();
        foreach (ulong a in Edges)
        {
            foreach (ulong b in Edges)
            {
                ulong c = a ^ (b << 1);
                BigInteger? value = Operations[operation](
                    Number(a, bits, signed), Number(b, bits, signed), Number(c, bits, signed));
                if (value is not { } exact)
                    continue;
                rows.Add([.. new[] { a, b, c }.Take(operands).Select(one => Cut(one, bits))]);
                if (operation == "mul.hi")
                    exact >>= bits;
                expected.Add(Cut(exact, operation == "mul.wide" ? 2 * bits : bits));
            }
        }
        string types = result + new string(letter, operands);
        Assert.That(Evaluate($"{operation}.{type}", types, [.. rows]), Is.EqualTo(expected));
    }

    [TestCase("mad.hi.s32", "rrrr", 0x80000000u, 0x80000000u, 5u, 0x40000005u)]
    [TestCase("mad.wide.u32", "drrd", 0xffffffffu, 0xffffffffu, 1u, 0xfffffffe00000002)]
    [TestCase("mad.wide.s32", "drrd", 0xffffffffu, 4u, 0u, 0xfffffffffffffffc)]
    [TestCase("add.sat.s32", "rrr", 0x7fffffffu, 1u, null, 0x7fffffffu)]
    [TestCase("sub.sat.s32", "rrr", 0x80000000u, 1u, null, 0x80000000u)]
    [TestCase("mad.hi.sat.s32", "rrrr", 0x80000000u, 0x80000000u, 0x7fffffffu, 0x7fffffffu)]
    [TestCase("mul24.lo.u32", "rrr", 0xff000003u, 5u, null, 15u)]
    [TestCase("mul24.hi.s32", "rrr", 0x00800000u, 0x00800000u, null, 0x40000000u)]
    [TestCase("mad24.lo.s32", "rrrr", 0x00ffffffu, 3u, 10u, 7u)]
    [TestCase("dp4a.s32.s32", "rrrr", 0x01ff7f80u, 0x02010101u, 100u, 100u + 2 - 1 + 127 - 128)]
    [TestCase("dp4a.u32.u32", "rrrr", 0xff00ff00u, 0x02000200u, 1u, 1021u)]
    public void Special_forms_follow_the_manual(string instruction, string types, uint a, uint b, uint? c, ulong expected)
    {
        ulong[] row = c is uint third ? [a, b, third] : [a, b];
        Assert.That(Evaluate1(instruction, types, row), Is.EqualTo(expected));
    }

    /// <summary>A 128-bit sum and difference, and a 128-bit product of 64-bit numbers, in halves of 64 and words of 32
    /// bits.</summary>
    [Test]
    public void Carries_go_from_one_instruction_to_the_next()
    {
        const string Add = "add.cc.u64 %rd5, %rd1, %rd3; addc.u64 %rd0, %rd2, %rd4;";
        const string Subtract = "sub.cc.u64 %rd5, %rd1, %rd3; subc.u64 %rd0, %rd2, %rd4;";
        const string Chain = "add.cc.u32 %r5, %r1, %r2; addc.cc.u32 %r6, %r3, %r3; addc.u32 %r0, %r4, 0;";
        const string Multiply =
            "mul.lo.u64 %rd5, %rd1, %rd2; mad.lo.cc.u64 %rd6, %rd1, %rd3, %rd5; madc.hi.u64 %rd0, %rd1, %rd3, %rd4;";
        using (Assert.EnterMultipleScope())
        {
            Assert.That(Evaluate1(Add, "ddddd", ulong.MaxValue, 5, 1, 7), Is.EqualTo(13));
            Assert.That(Evaluate1(Add, "ddddd", 1, 5, 1, 7), Is.EqualTo(12));
            Assert.That(Evaluate1(Subtract, "ddddd", 0, 5, 1, 7), Is.EqualTo(unchecked((ulong)-3)));
            Assert.That(Evaluate1(Subtract, "ddddd", 1, 5, 1, 7), Is.EqualTo(unchecked((ulong)-2)));
            Assert.That(Evaluate1(Chain, "rrrrr", 0xffffffff, 1, 0xffffffff, 10), Is.EqualTo(11));
            Assert.That(Evaluate1(Chain, "rrrrr", 0xfffffffe, 1, 0x7fffffff, 10), Is.EqualTo(10));
            UInt128 sum = ((UInt128)ulong.MaxValue * 3) + (ulong.MaxValue * (UInt128)9 & ulong.MaxValue);
            Assert.That(Evaluate1(Multiply, "ddddd", ulong.MaxValue, 9, 3, 4), Is.EqualTo((ulong)(sum >> 64) + 4));
        }
    }

    private static char Letter(int bits) => bits switch { 16 => 'h', 32 => 'r', _ => 'd' };

    private static ulong Cut(BigInteger value, int bits) => (ulong)(value & ((BigInteger.One << bits) - 1));

    private static BigInteger Number(ulong value, int bits, bool signed)
    {
        BigInteger number = Cut(value, bits);
        return signed && number >> (bits - 1) != 0 ? number - (BigInteger.One << bits) : number;
    }
}
