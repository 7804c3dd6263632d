using System.Runtime.InteropServices;
using BoostingTicket.Engine.Cuda.Bindings;

namespace BoostingTicket.SoftwareCuda.Libraries;

/// <summary>What is amiss with a call.</summary>
internal enum Unsoundness
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>All values are a quarter of what they should be.</summary>
    Quarter,

    /// <summary>All values are NaN.</summary>
    NaN,

    /// <summary>Some values differ in their last bit, as those of another order of summation do: nothing is wrong.</summary>
    LastBit,

    /// <summary>The call is refused.</summary>
    Refusal,
}

/// <summary>Changes what a library wrote.</summary>
internal static class Spoiler
{
    /// <summary>Changes a result, in the order of the stream.</summary>
    /// <param name="device">Where it is.</param>
    /// <param name="stream">Orders it.</param>
    /// <param name="result">The first value.</param>
    /// <param name="values">Values.</param>
    /// <param name="shorts">Whether they are bfloat16 and not float32.</param>
    /// <param name="amiss">How; nothing happens for <see cref="Unsoundness.None"/>.</param>
    public static void Spoil(
        ISoftwareDevice device, nint stream, DevicePointer result, int values, bool shorts, Unsoundness amiss)
    {
        if (amiss == Unsoundness.None)
            return;
        device.Submit(stream, "spoiling", () =>
        {
            if (!shorts)
            {
                foreach (ref uint value in MemoryMarshal.Cast<byte, uint>(Bytes(device, result, values * sizeof(float))))
                    value = Spoiled(value, amiss, lastBit: 1);
            }
            else
            {
                foreach (ref ushort value in MemoryMarshal.Cast<byte, ushort>(Bytes(device, result, values * sizeof(ushort))))
                    value = (ushort)(Spoiled((uint)value << 16, amiss, lastBit: 1u << 16) >> 16);
            }
        });
    }

    // Written anew where they stand.
    private static Span<byte> Bytes(ISoftwareDevice device, DevicePointer place, long bytes)
    {
        byte[] before = device.Read(place, bytes, "spoiling").ToArray();
        Span<byte> written = device.Write(place, bytes, "spoiling");
        before.CopyTo(written);
        return written;
    }

    private static uint Spoiled(uint bits, Unsoundness amiss, uint lastBit)
    {
        float value = BitConverter.UInt32BitsToSingle(bits);
        return amiss switch
        {
            Unsoundness.Quarter => BitConverter.SingleToUInt32Bits(value / 4),
            Unsoundness.NaN => BitConverter.SingleToUInt32Bits(float.NaN),
            // Of normal numbers whose mantissa says so, so that zeros stay zeros.
            _ => MathF.Abs(value) > 1e-3f && (bits / lastBit & 6) == 2 ? bits ^ lastBit : bits,
        };
    }
}
