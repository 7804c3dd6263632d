using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Testing;

/// <summary>Tensors and buffers for a test, each with memory of its own, freed together.</summary>
internal sealed class Workspace(IBackend backend) : IDisposable
{
    private readonly List<IDisposable> _owned = [];

    /// <summary>A placed tensor that nobody wrote.</summary>
    public Tensor Tensor(int batch, FeatureShape shape)
    {
        Tensor tensor = backend.DescribeTensor(batch, shape);
        backend.Place(tensor, Own(backend.CreateArena(RoundUp(tensor.Bytes))), 0);
        return tensor;
    }

    /// <summary>A tensor that holds values in NCHW order.</summary>
    public Tensor Tensor(int batch, FeatureShape shape, ReadOnlySpan<float> values)
    {
        Tensor tensor = Tensor(batch, shape);
        backend.Upload(values, tensor);
        return tensor;
    }

    /// <summary>A whole buffer that holds values.</summary>
    public BufferSlice Floats(ReadOnlySpan<float> values)
    {
        BufferSlice slice = Own(backend.CreateFloats(values.Length)).All;
        backend.Upload(values, slice);
        return slice;
    }

    /// <summary>A whole buffer of zeros.</summary>
    public BufferSlice Floats(int length) => Own(backend.CreateFloats(length)).All;

    /// <summary>A buffer of integers.</summary>
    public IntBuffer Ints(ReadOnlySpan<int> values)
    {
        IntBuffer buffer = Own(backend.CreateInts(values.Length));
        backend.Upload(values, buffer);
        return buffer;
    }

    /// <summary>A filter, prepared from weights without mask or scale.</summary>
    public Filter Filter(ConvolutionShape shape, FilterUses uses, BufferSlice weight)
    {
        Filter filter = Own(backend.CreateFilter(shape, uses));
        backend.PrepareFilter(filter, new FilterSource(weight, null, 0, null));
        return filter;
    }

    /// <summary>Takes something that is freed with the workspace.</summary>
    public T Own<T>(T resource)
        where T : IDisposable
    {
        _owned.Add(resource);
        return resource;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        for (int i = _owned.Count - 1; i >= 0; i--)
            _owned[i].Dispose();
        _owned.Clear();
    }

    private long RoundUp(long bytes) => (bytes + backend.Alignment - 1) / backend.Alignment * backend.Alignment;
}
