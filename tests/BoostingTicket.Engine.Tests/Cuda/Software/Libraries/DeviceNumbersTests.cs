using BoostingTicket.SoftwareCuda.Libraries;

namespace BoostingTicket.Engine.Tests.Cuda.Software.Libraries;

[TestFixture]
internal sealed class DeviceNumbersTests
{
    // 0x3f808000 lies halfway between two bfloat16 of which the lower is even, 0x3f818000 below one that is.
    [TestCase(0x3f800000u, 0x3f80)]
    [TestCase(0x3f808000u, 0x3f80)]
    [TestCase(0x3f808001u, 0x3f81)]
    [TestCase(0x3f818000u, 0x3f82)]
    [TestCase(0xbf818000u, 0xbf82)]
    [TestCase(0x7f7fffffu, 0x7f80)]
    [TestCase(0xff800000u, 0xff80)]
    [TestCase(0x80000000u, 0x8000)]
    public void BFloat16_is_the_nearest_ties_to_even(uint bits, int expected) =>
        Assert.That(DeviceNumbers.ToBFloat16(BitConverter.UInt32BitsToSingle(bits)), Is.EqualTo(expected));

    [TestCase(0x7fc00000u)]
    [TestCase(0x7f800001u)]
    [TestCase(0xffffffffu)]
    public void NaN_stays_NaN(uint bits)
    {
        float value = BitConverter.UInt32BitsToSingle(bits);
        Assert.That(DeviceNumbers.FromBFloat16(DeviceNumbers.ToBFloat16(value)), Is.NaN);
        Assert.That(DeviceNumbers.RoundToTensorFloat32(value), Is.NaN);
    }

    // One more than 10 mantissa bits: halfway cases go away from zero.
    [TestCase(0x3f800000u, 0x3f800000u)]
    [TestCase(0x3f800fffu, 0x3f800000u)]
    [TestCase(0x3f801000u, 0x3f802000u)]
    [TestCase(0xbf801000u, 0xbf802000u)]
    [TestCase(0x3f803000u, 0x3f804000u)]
    [TestCase(0x7f7fffffu, 0x7f800000u)]
    [TestCase(0x7f800000u, 0x7f800000u)]
    public void TensorFloat32_keeps_ten_mantissa_bits(uint bits, uint expected) =>
        Assert.That(
            BitConverter.SingleToUInt32Bits(DeviceNumbers.RoundToTensorFloat32(BitConverter.UInt32BitsToSingle(bits))),
            Is.EqualTo(expected));
}
