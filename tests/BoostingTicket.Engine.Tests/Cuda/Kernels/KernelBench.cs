using System.Runtime.InteropServices;
using BoostingTicket.Engine.Cuda;
using BoostingTicket.Engine.Cuda.Bindings;
using BoostingTicket.Engine.Cuda.Kernels;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.SoftwareCuda;

namespace BoostingTicket.Engine.Tests.Cuda.Kernels;

/// <summary>Device memory for one test of a kernel, and the way in and out of it. Values are logical, in the order sample,
/// channel, row, column; reading a tensor also checks that its padding holds +0.</summary>
internal sealed unsafe class KernelBench : IDisposable
{
    private readonly ICudaDriver _driver;
    private readonly nint _stream;
    private readonly List<DevicePointer> _memory = [];

    /// <summary>A bench on the software device.</summary>
    public KernelBench() : this(new SoftwareCudaDevice()) { }

    /// <summary>A bench on a driver's first GPU.</summary>
    public KernelBench(ICudaDriver driver)
    {
        _driver = driver;
        _driver.SetCurrentContext(_driver.RetainPrimaryContext(0));
        _stream = _driver.CreateStream();
        Library = new KernelLibrary(_driver, 0, _stream);
    }

    public KernelLibrary Library { get; }

    /// <summary>Memory without contents.</summary>
    public DevicePointer Reserve(long bytes)
    {
        DevicePointer pointer = _driver.Allocate((nuint)bytes, _stream);
        _memory.Add(pointer);
        return pointer;
    }

    /// <summary>Memory with contents, which begin <paramref name="offset"/> values after an aligned address.</summary>
    public DevicePointer Upload<T>(ReadOnlySpan<T> values, int offset = 0)
        where T : unmanaged
    {
        DevicePointer pointer = Reserve((long)(offset + values.Length) * sizeof(T)) + (long)offset * sizeof(T);
        Write(values, pointer);
        return pointer;
    }

    /// <inheritdoc cref="Upload{T}(ReadOnlySpan{T}, int)"/>
    public DevicePointer Upload<T>(T[] values, int offset = 0)
        where T : unmanaged => Upload((ReadOnlySpan<T>)values, offset);

    /// <summary>Contents of memory.</summary>
    public T[] Read<T>(DevicePointer pointer, int length)
        where T : unmanaged
    {
        T[] values = new T[length];
        fixed (T* to = values)
        {
            _driver.CopyToHost(to, pointer, (nuint)((long)length * sizeof(T)), _stream);
            _driver.Synchronize(_stream);
        }
        return values;
    }

    /// <summary>A tensor without contents.</summary>
    public TensorView Reserve(ElementType type, int batch, FeatureShape shape)
    {
        var empty = new TensorView(default, type, batch, shape);
        return empty with { Data = Reserve(empty.Bytes) };
    }

    /// <summary>A tensor with contents, rounded to its type.</summary>
    public TensorView Upload(ElementType type, int batch, FeatureShape shape, float[] values)
    {
        TensorView tensor = Reserve(type, batch, shape);
        float[] physical = new float[tensor.PhysicalLength];
        for (int i = 0; i < values.Length; i++)
            physical[Place(tensor, i)] = values[i];
        if (type == ElementType.Float32)
            Write<float>(physical, tensor.Data);
        else
            Write<ushort>(Array.ConvertAll(physical, BFloat16Values.Nearest), tensor.Data);
        return tensor;
    }

    /// <summary>Contents of a tensor.</summary>
    public float[] Read(TensorView tensor)
    {
        int length = (int)tensor.PhysicalLength;
        float[] physical = tensor.Type == ElementType.Float32
            ? Read<float>(tensor.Data, length)
            : Array.ConvertAll(Read<ushort>(tensor.Data, length), BFloat16Values.Value);
        for (int i = 0; i < length; i++)
        {
            if (i % tensor.PhysicalChannels >= tensor.Shape.Channels)
                Assert.That(BitConverter.SingleToUInt32Bits(physical[i]), Is.Zero, $"padding, physical element {i}");
        }
        float[] values = new float[tensor.Batch * tensor.Shape.Length];
        for (int i = 0; i < values.Length; i++)
            values[i] = physical[Place(tensor, i)];
        return values;
    }

    /// <summary>A value as a tensor of a type holds it.</summary>
    public static float Rounded(ElementType type, float value) =>
        type == ElementType.Float32 ? value : BFloat16Values.Round(value);

    public void Dispose()
    {
        foreach (DevicePointer pointer in _memory)
            _driver.Free(pointer, _stream);
        _driver.Synchronize(_stream);
        Library.Dispose();
        _driver.DestroyStream(_stream);
        _driver.ReleasePrimaryContext(0);
        _driver.Dispose();
    }

    private static long Place(in TensorView tensor, int index)
    {
        int pixels = tensor.Shape.Pixels, pixel = index % pixels, channel = index / pixels % tensor.Shape.Channels;
        long sample = index / tensor.Shape.Length;
        return (sample * pixels + pixel) * tensor.PhysicalChannels + channel;
    }

    private void Write<T>(ReadOnlySpan<T> values, DevicePointer pointer)
        where T : unmanaged
    {
        fixed (T* from = &MemoryMarshal.GetReference(values))
        {
            _driver.CopyToDevice(pointer, from, (nuint)((long)values.Length * sizeof(T)), _stream);
            _driver.Synchronize(_stream);
        }
    }
}
