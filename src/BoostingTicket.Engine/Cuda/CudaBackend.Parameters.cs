using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cuda.Bindings;
using BoostingTicket.Engine.Cuda.Kernels;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Cuda;

internal sealed partial class CudaBackend
{
    public void SgdStep(
        in SgdOptions options, BufferSlice gradients, BufferSlice momenta, BufferSlice? masks, BufferSlice weights)
    {
        _context.EnterThread();
        int length = weights.Length;
        if (length > 0)
        {
            _parameters.SgdStep(
                options, CudaFloats.Of(gradients, length, "gradient slice"), CudaFloats.Of(momenta, length, "momentum slice"),
                CudaFloats.Of(masks, length, "mask slice"), CudaFloats.Of(weights), length);
        }
    }

    public void ApplyMask(BufferSlice masks, BufferSlice values)
    {
        _context.EnterThread();
        if (values.Length > 0 || masks.Length > 0)
            _parameters.ApplyMask(CudaFloats.Of(masks, values.Length, "mask slice"), CudaFloats.Of(values), values.Length);
    }

    public void Blend(BufferSlice source, float sourceFactor, float factor, BufferSlice values)
    {
        _context.EnterThread();
        if (values.Length > 0 || source.Length > 0)
        {
            _parameters.Blend(
                CudaFloats.Of(source, values.Length, "source slice"), sourceFactor, factor, CudaFloats.Of(values), values.Length);
        }
    }

    public void Pack(BufferSlice values, IntBuffer indices, BufferSlice packed)
    {
        _context.EnterThread();
        DevicePointer from = CudaFloats.Of(values), to = CudaFloats.Of(packed);
        _parameters.Pack(from, CudaInts.First(indices, packed.Length, nameof(indices)), to, packed.Length);
    }

    public void Unpack(BufferSlice packed, IntBuffer indices, BufferSlice values)
    {
        _context.EnterThread();
        DevicePointer from = CudaFloats.Of(packed), to = CudaFloats.Of(values);
        _parameters.Unpack(from, CudaInts.First(indices, packed.Length, nameof(indices)), to, packed.Length);
    }

    public double Sum(BufferSlice values)
    {
        _context.EnterThread();
        if (values.Length == 0)
            return 0;
        DevicePointer scratch = _scratch.Reserve(CudaTensor.Alignment + ParameterKernels.SumScratchBytes(values.Length));
        _parameters.Sum(CudaFloats.Of(values), values.Length, scratch + CudaTensor.Alignment, scratch);
        Span<double> sum = stackalloc double[1];
        _staging.Download(scratch, sum);
        return sum[0];
    }
}
