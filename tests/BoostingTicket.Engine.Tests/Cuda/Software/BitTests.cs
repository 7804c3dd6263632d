using System.Globalization;
using System.Numerics;

namespace BoostingTicket.Engine.Tests.Cuda.Software;

/// <summary>Instructions on bits.</summary>
internal sealed class BitTests : SoftwareFixture
{
    [TestCase("and.b32", "rrr", "0f0f00ff", "00ff0f0f", "000f000f")]
    [TestCase("or.b64", "ddd", "f000000000000001", "0000000000000010", "f000000000000011")]
    [TestCase("xor.b16", "hhh", "ff00", "0ff0", "f0f0")]
    [TestCase("and.pred", "ppp", "1", "1", "1")]
    [TestCase("and.pred", "ppp", "1", "0", "0")]
    [TestCase("xor.pred", "ppp", "1", "1", "0")]
    [TestCase("shl.b32", "rrr", "00000001", "1f", "80000000")]
    [TestCase("shl.b32", "rrr", "00000001", "20", "0")]
    [TestCase("shl.b64", "ddr", "1", "3f", "8000000000000000")]
    [TestCase("shl.b64", "ddr", "1", "40", "0")]
    [TestCase("shl.b16", "hhr", "8001", "1", "2")]
    [TestCase("shr.u32", "rrr", "80000000", "1f", "1")]
    [TestCase("shr.u32", "rrr", "80000000", "ffffffff", "0")]
    [TestCase("shr.s32", "rrr", "80000000", "1f", "ffffffff")]
    [TestCase("shr.s32", "rrr", "80000000", "64", "ffffffff")]
    [TestCase("shr.s32", "rrr", "7fffffff", "64", "0")]
    [TestCase("shr.s16", "hhr", "8000", "4", "f800")]
    [TestCase("shr.u16", "hhr", "8000", "4", "800")]
    [TestCase("shr.s64", "ddr", "8000000000000000", "40", "ffffffffffffffff")]
    public void Of_two_operands(string instruction, string types, string a, string b, string expected) =>
        Assert.That(Evaluate1(instruction, types, Hex(a), Hex(b)), Is.EqualTo(Hex(expected)));

    [TestCase("not.b32", "rr", "0f0f0f0f", "f0f0f0f0")]
    [TestCase("not.b16", "hh", "0f0f", "f0f0")]
    [TestCase("not.pred", "pp", "0", "1")]
    [TestCase("cnot.b32", "rr", "0", "1")]
    [TestCase("cnot.b32", "rr", "8", "0")]
    [TestCase("popc.b32", "rr", "f0f0f0f0", "10")]
    [TestCase("popc.b64", "rd", "ffffffffffffffff", "40")]
    [TestCase("clz.b32", "rr", "0", "20")]
    [TestCase("clz.b32", "rr", "00010000", "f")]
    [TestCase("clz.b64", "rd", "1", "3f")]
    [TestCase("brev.b32", "rr", "00000001", "80000000")]
    [TestCase("brev.b64", "dd", "0000000000000003", "c000000000000000")]
    [TestCase("bfind.u32", "rr", "00010000", "10")]
    [TestCase("bfind.u32", "rr", "0", "ffffffff")]
    [TestCase("bfind.s32", "rr", "ffffff0f", "7")]
    [TestCase("bfind.shiftamt.u32", "rr", "00010000", "f")]
    public void Of_one_operand(string instruction, string types, string a, string expected) =>
        Assert.That(Evaluate1(instruction, types, Hex(a)), Is.EqualTo(Hex(expected)));

    [TestCase("shf.l.wrap.b32", "80000001", "00000000", "21", "1")]
    [TestCase("shf.l.clamp.b32", "80000001", "0000000f", "20", "80000001")]
    [TestCase("shf.r.wrap.b32", "80000001", "0000000f", "4", "f8000000")]
    [TestCase("shf.r.clamp.b32", "80000001", "0000000f", "28", "f")]
    [TestCase("prmt.b32", "33221100", "77665544", "7531", "77553311")]
    [TestCase("prmt.b32", "33228100", "77665544", "8910", "00ff8100")]
    [TestCase("prmt.b32.f4e", "33221100", "77665544", "1", "44332211")]
    [TestCase("prmt.b32.b4e", "33221100", "77665544", "1", "66770011")]
    [TestCase("prmt.b32.rc8", "33221100", "77665544", "2", "22222222")]
    [TestCase("prmt.b32.ecl", "33221100", "77665544", "2", "33222222")]
    [TestCase("prmt.b32.ecr", "33221100", "77665544", "2", "22221100")]
    [TestCase("prmt.b32.rc16", "33221100", "77665544", "1", "33223322")]
    [TestCase("bfe.u32", "12345678", "8", "8", "56")]
    [TestCase("bfe.s32", "1234f678", "8", "8", "fffffff6")]
    [TestCase("bfe.u32", "12345678", "18", "20", "12")]
    [TestCase("bfe.s32", "80000000", "1c", "10", "fffffff8")]
    [TestCase("bfe.u32", "12345678", "20", "8", "0")]
    [TestCase("bfe.s32", "80000000", "20", "8", "ffffffff")]
    [TestCase("bfe.s32", "80000000", "0", "0", "0")]
    public void Of_three_operands(string instruction, string a, string b, string c, string expected) =>
        Assert.That(Evaluate1(instruction, "rrrr", Hex(a), Hex(b), Hex(c)), Is.EqualTo(Hex(expected)));

    [TestCase("bfi.b32", "rrrrr", "ff", "12345678", "8", "8", "1234ff78")]
    [TestCase("bfi.b32", "rrrrr", "ffffffff", "0", "1c", "10", "f0000000")]
    [TestCase("bfi.b32", "rrrrr", "ffffffff", "12345678", "20", "8", "12345678")]
    [TestCase("bfi.b32", "rrrrr", "ffffffff", "12345678", "4", "0", "12345678")]
    [TestCase("bfi.b64", "dddrr", "abcd", "1111111111111111", "20", "10", "1111abcd11111111")]
    public void Insertion(string instruction, string types, string a, string b, string c, string d, string expected) =>
        Assert.That(Evaluate1(instruction, types, Hex(a), Hex(b), Hex(c), Hex(d)), Is.EqualTo(Hex(expected)));

    /// <summary>The table of lop3 has a bit for each of the eight combinations of bits.</summary>
    [Test]
    public void Lop3_looks_up_its_table([Values(0x80, 0xfe, 0x96, 0xca, 0x01, 0xe8)] int table)
    {
        uint a = 0b11110000, b = 0b11001100, c = 0b10101010;
        ulong result = Evaluate1($"lop3.b32 %r0, %r1, %r2, %r3, {table};", "rrrr", a, b, c);
        Assert.That(result & 0xff, Is.EqualTo(table));
        Assert.That(BitOperations.PopCount(result >> 8), Is.EqualTo((table & 1) * 24));
    }

    [Test]
    public void Moves_join_and_split()
    {
        using (Assert.EnterMultipleScope())
        {
            Assert.That(Evaluate1("mov.b64 %rd0, {%r1, %r2};", "drr", 0x11111111, 0x22222222), Is.EqualTo(0x2222222211111111));
            Assert.That(Evaluate1("mov.b32 %r0, {%rs1, %rs2};", "rhh", 0x1111, 0x2222), Is.EqualTo(0x22221111));
            Assert.That(Evaluate1("mov.b64 {%r2, %r0}, %rd1;", "rd", 0x2222222211111111), Is.EqualTo(0x22222222));
            Assert.That(Evaluate1("mov.b32 {%rs0, _}, %r1;", "hr", 0x22221111), Is.EqualTo(0x1111));
            Assert.That(Evaluate1("mov.b64 {%rs1, %rs2, %rs3, %rs0}, %rd1;", "hd", 0x4444333322221111), Is.EqualTo(0x4444));
            Assert.That(Evaluate1("mov.u32 %r0, -2;", "rr", 0), Is.EqualTo(0xfffffffe));
            Assert.That(Evaluate1("mov.f32 %f0, 0fBF800000;", "fr", 0), Is.EqualTo(Bits(-1f)));
            Assert.That(Evaluate1("mov.f32 %f0, 0.5;", "fr", 0), Is.EqualTo(Bits(0.5f)));
            Assert.That(Evaluate1("mov.f64 %fd0, 0d3FF0000000000000;", "er", 0), Is.EqualTo(Bits(1.0)));
            Assert.That(Evaluate1("mov.pred %p0, -1;", "pr", 0), Is.EqualTo(1));
            Assert.That(Evaluate1("mov.u32 %r0, 0x1F; add.u32 %r0, %r0, 017;", "rr", 0), Is.EqualTo(31 + 15));
        }
    }

    private static ulong Hex(string digits) => ulong.Parse(digits, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
}
