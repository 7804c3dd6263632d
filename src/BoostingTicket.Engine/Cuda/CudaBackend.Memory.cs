using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cuda.Bindings;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Cuda;

internal sealed partial class CudaBackend
{
    public int Alignment => CudaTensor.Alignment;

    public long? FreeMemory
    {
        get
        {
            _context.EnterThread();
            return (long)_context.Driver.MemoryInfo().Free;
        }
    }

    public Tensor DescribeTensor(int batch, FeatureShape shape) => new CudaTensor(ElementType, batch, shape);

    public Tensor DescribeImages(int batch, FeatureShape shape) => new CudaTensor(ElementType.Float32, batch, shape);

    public Arena CreateArena(long bytes) => new CudaArena(_context, bytes);

    public void Place(Tensor tensor, Arena arena, long offset)
    {
        CudaTensor.Of(tensor).Place(CudaArena.Of(arena), offset);
        _context.MemoryMoved();
    }

    public FloatBuffer CreateFloats(int length) => new CudaFloats(_context, length);

    public IntBuffer CreateInts(int length) => new CudaInts(_context, length);

    public void Upload(ReadOnlySpan<float> source, Tensor destination)
    {
        TensorView to = View(destination);
        RequireLength(source.Length, destination);
        DevicePointer values = _scratch.Reserve((long)source.Length * sizeof(float));
        _staging.Upload(source, values);
        _data.Import(values, to);
    }

    public void Download(Tensor source, Span<float> destination)
    {
        TensorView from = View(source);
        RequireLength(destination.Length, source);
        DevicePointer values = _scratch.Reserve((long)destination.Length * sizeof(float));
        _data.Export(from, values);
        _staging.Download(values, destination);
    }

    public void Upload(ReadOnlySpan<float> source, BufferSlice destination) =>
        _staging.Upload(source, CudaFloats.Of(destination, source.Length, "slice"));

    public void Download(BufferSlice source, Span<float> destination) =>
        _staging.Download(CudaFloats.Of(source, destination.Length, "slice"), destination);

    public void Upload(ReadOnlySpan<int> source, IntBuffer destination) =>
        _staging.Upload(source, CudaInts.PerSample(destination, source.Length, "values"));

    public Reading CreateReading(IReadOnlyList<BufferSlice> sources, int marks) => new CudaReading(_context, sources, marks);

    public void Copy(Tensor source, Tensor destination)
    {
        TensorView from = View(source), to = View(destination);
        RequireSame(from, to);
        if (from.Type != to.Type)
            _elementwise.Forward(from, DevicePointer.Null, DevicePointer.Null, null, Activation.None, to);
        else if (from.Data != to.Data)
            _context.Driver.CopyOnDevice(to.Data, from.Data, (nuint)from.Bytes, _context.Stream);
    }

    public void Copy(BufferSlice source, BufferSlice destination)
    {
        _context.EnterThread();
        DevicePointer from = CudaFloats.Of(source, destination.Length, "slice"), to = CudaFloats.Of(destination);
        if (source.Length > 0 && from != to)
            _context.Driver.CopyOnDevice(to, from, (nuint)source.Length * sizeof(float), _context.Stream);
    }

    public void Fill(BufferSlice destination, float value)
    {
        _context.EnterThread();
        DevicePointer to = CudaFloats.Of(destination);
        if (destination.Length > 0)
            _context.Driver.Fill(to, BitConverter.SingleToUInt32Bits(value), (nuint)destination.Length, _context.Stream);
    }

    private static void RequireLength(long values, Tensor tensor)
    {
        if (values != tensor.Length)
            throw new ArgumentException($"The tensor {tensor} holds {tensor.Length} values, not {values}.");
    }
}
