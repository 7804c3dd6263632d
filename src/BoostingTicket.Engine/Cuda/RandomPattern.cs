using System.Runtime.Intrinsics;
using BoostingTicket.Engine.Cuda.Bindings;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Cuda;

/// <summary>Random numbers in [-1, 1) that repeat after a prime number of elements, so that the host knows what every element of
/// a large operand on the device is without having filled it element by element.</summary>
internal sealed class RandomPattern
{
    /// <summary>Elements until it repeats: no size of a convolution divides it.</summary>
    private const int Period = 65_521;

    private static readonly RandomPattern[] Known = new RandomPattern[8];

    private readonly float[] _values = new float[Period];
    private readonly ElementType _type;

    private RandomPattern(uint stream, ElementType type)
    {
        _type = type;
        for (int i = 0; i < Period; i++)
        {
            float value = (2 * Philox.Uniform(Philox.Words(stream, (uint)i, 0, 0, 0).GetElement(0))) - 1;
            _values[i] = type == ElementType.BFloat16 ? BitConverter.UInt32BitsToSingle((uint)Short(value) << 16) : value;
        }
    }

    /// <summary>The value of an element, as it is on the device.</summary>
    public float this[long index] => _values[index % Period];

    /// <summary>A pattern.</summary>
    /// <param name="stream">0 to 3; each has other numbers.</param>
    /// <param name="type">What they are rounded to.</param>
    public static RandomPattern Of(int stream, ElementType type) =>
        Known[(2 * stream) + (int)type] ??= new RandomPattern((uint)stream, type);

    /// <summary>Fills memory with as many elements; one piece comes from the host, the rest is copied on the device.</summary>
    public void Fill(CudaContext context, HostStaging staging, DevicePointer destination, long elements)
    {
        long filled = Math.Min(elements, Period), size = _type == ElementType.BFloat16 ? sizeof(ushort) : sizeof(float);
        if (_type == ElementType.BFloat16)
            staging.Upload<ushort>(Array.ConvertAll(_values[..(int)filled], Short), destination);
        else
            staging.Upload<float>(_values.AsSpan(0, (int)filled), destination);
        while (filled < elements)
        {
            long more = Math.Min(filled, elements - filled);
            context.Driver.CopyOnDevice(destination + (filled * size), destination, (nuint)(more * size), context.Stream);
            filled += more;
        }
    }

    // The upper half of a float32, rounded to nearest even.
    private static ushort Short(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        return (ushort)((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
    }
}
