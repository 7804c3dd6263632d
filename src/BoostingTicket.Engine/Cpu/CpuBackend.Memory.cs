using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cpu.BFloat16;
using BoostingTicket.Engine.Cpu.Kernels;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Cpu;

/// <summary>The CPU backend for one set of vector instructions. Kernels stand in the other parts of this class, in files
/// with the suffixes of <see cref="IBackend"/>'s.</summary>
/// <typeparam name="TLanes">The instructions.</typeparam>
/// <typeparam name="TVector">Their vector of float32.</typeparam>
internal sealed unsafe partial class CpuBackend<TLanes, TVector> : IBackend
    where TLanes : struct, ILanes<TVector>
    where TVector : struct
{
    private readonly WorkerPool _pool;

    private readonly BFloat16Kernels? _attackKernels;

    public CpuBackend(int threads, InstructionSet instructionSet, BFloat16Kernels? attackKernels = null)
    {
        _attackKernels = attackKernels;
        _pool = new WorkerPool(threads);
        _scratch = new WorkerScratch(threads);
        _prices = ConvolutionPrices.Of(instructionSet);
        Device = new DeviceInfo(
            "cpu", $"{threads} thread{(threads == 1 ? "" : "s")}, {instructionSet} ({TLanes.Width * 32} bit vectors)"
            + (attackKernels is null ? "" : $", attacks in bfloat16 ({attackKernels.Name})"));
    }

    public DeviceInfo Device { get; }

    public Precision Precision => RoundsAttacksMore ? Precision.BFloat16 : Precision.Float32;

    public bool RoundsAttacksMore => _attackKernels is not null;

    public int Alignment => CpuArena.Alignment;

    public Tensor DescribeTensor(int batch, FeatureShape shape) => new CpuTensor(batch, shape);

    public Arena CreateArena(long bytes) => new CpuArena(bytes);

    public void Place(Tensor tensor, Arena arena, long offset) => CpuTensor.Of(tensor).Place(CpuArena.Of(arena), offset);

    public FloatBuffer CreateFloats(int length) => new CpuFloats(length);

    public IntBuffer CreateInts(int length) => new CpuInts(length);

    public void Upload(ReadOnlySpan<float> source, Tensor destination)
    {
        CpuTensor tensor = CpuTensor.Of(destination);
        CheckLength(source.Length, tensor.Length, tensor);
        int length = tensor.Shape.Length;
        for (int block = 0; block < tensor.Blocks; block++)
        {
            float* data = tensor.Data + block * tensor.BlockStride;
            int used = tensor.LanesUsed(block);
            if (used < Layout.Lanes)
                new Span<float>(data, length * Layout.Lanes).Clear();
            for (int lane = 0; lane < used; lane++)
            {
                ReadOnlySpan<float> image = source.Slice((block * Layout.Lanes + lane) * length, length);
                for (int i = 0; i < length; i++)
                    data[i * Layout.Lanes + lane] = image[i];
            }
        }
    }

    public void Download(Tensor source, Span<float> destination)
    {
        CpuTensor tensor = CpuTensor.Of(source);
        CheckLength(destination.Length, tensor.Length, tensor);
        int length = tensor.Shape.Length;
        for (int sample = 0; sample < tensor.Batch; sample++)
        {
            float* data = tensor.Data + sample / Layout.Lanes * tensor.BlockStride + sample % Layout.Lanes;
            Span<float> image = destination.Slice(sample * length, length);
            for (int i = 0; i < length; i++)
                image[i] = data[i * Layout.Lanes];
        }
    }

    public void Upload(ReadOnlySpan<float> source, BufferSlice destination) =>
        source.CopyTo(Checked(destination, source.Length));

    public void Download(BufferSlice source, Span<float> destination) =>
        Checked(source, destination.Length).CopyTo(destination);

    public void Upload(ReadOnlySpan<int> source, IntBuffer destination)
    {
        CpuInts buffer = CpuInts.Of(destination);
        source.CopyTo(new Span<int>(buffer.Data, buffer.Length));
    }

    public void Copy(Tensor source, Tensor destination)
    {
        CpuTensor from = CpuTensor.Of(source), to = CpuTensor.Of(destination);
        RequireSame(from, to);
        Buffer.MemoryCopy(from.Data, to.Data, to.Bytes, from.Bytes);
    }

    public void Copy(BufferSlice source, BufferSlice destination) =>
        Checked(source, destination.Length).CopyTo(Checked(destination, source.Length));

    public void Fill(BufferSlice destination, float value) => Checked(destination, destination.Length).Fill(value);

    public void Synchronize() { }

    public void Dispose()
    {
        _pool.Dispose();
        _scratch.Dispose();
    }

    private static Span<float> Checked(BufferSlice slice, int length)
    {
        float* data = CpuFloats.Of(slice);
        if (slice.Length != length)
            throw new ArgumentException($"A slice of {slice.Length} values cannot take part with {length} values.");
        return new Span<float>(data, length);
    }

    private static void CheckLength(long values, long expected, Tensor tensor)
    {
        if (values != expected)
            throw new ArgumentException($"The tensor {tensor} holds {expected} values, not {values}.");
    }

    /// <summary>Refuses tensors of different batch or shape.</summary>
    private static void RequireSame(Tensor first, Tensor second)
    {
        if (first.Batch != second.Batch || first.Shape != second.Shape)
            throw new ArgumentException($"The tensors {first} and {second} must have the same shape.");
    }
}
