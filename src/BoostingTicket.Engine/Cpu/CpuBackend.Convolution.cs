using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cpu.BFloat16;
using BoostingTicket.Engine.Cpu.Kernels;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Cpu;

internal sealed unsafe partial class CpuBackend<TLanes, TVector>
{
    private readonly WorkerScratch _scratch;
    private readonly ConvolutionPrices _prices;

    public Filter CreateFilter(ConvolutionShape shape, FilterUses uses)
    {
        RequireValid(shape);
        BFloat16Kernels? bfloat16 = uses.HasFlag(FilterUses.Attack) ? _attackKernels : null;
        return new CpuFilter(
            shape, uses,
            uses.HasFlag(FilterUses.Forward) ? Choice(shape, forward: true, bfloat16) : null,
            uses.HasFlag(FilterUses.BackwardInput) ? Choice(shape, forward: false, bfloat16) : null,
            uses.HasFlag(FilterUses.BackwardFilter) ? new GradientChoice<TLanes, TVector>(shape, _prices, _scratch) : null);
    }

    public void PrepareFilter(Filter filter, in FilterSource source)
    {
        CpuFilter own = CpuFilter.Of(filter);
        RequireLength(source.Weight, own.Shape.WeightCount, "weights");
        if (source.Scale is { } scale)
            RequireLength(scale, own.Shape.OutputChannels, "factors");
        if (source.Mask is { } mask)
            RequireLength(mask, own.Shape.WeightCount, "mask values");
        own.Prepare(
            _pool, CpuFloats.Of(source.Weight), CpuFloats.OrNull(source.Mask), source.MaskVersion,
            CpuFloats.OrNull(source.Scale));
    }

    public void ConvolutionForward(Filter filter, Tensor x, Tensor y, in ForwardEpilogue epilogue)
    {
        CpuFilter own = CpuFilter.Of(filter);
        CpuTensor from = CpuTensor.Of(x), to = CpuTensor.Of(y);
        RequireFits(own, from, to);
        if (epilogue.Shift is { } shift)
            RequireLength(shift, own.Shape.OutputChannels, "summands");
        own.Forward.Run(
            _pool, from.Blocks, from.Data, to.Data,
            new PassEpilogue(
                CpuFloats.OrNull(epilogue.Shift), DataOrNull(epilogue.Residual, to), epilogue.Activation, null,
                Streams(to, epilogue.Residual)));
    }

    public void ConvolutionBackwardInput(Filter filter, Tensor dy, Tensor dx, in GradientEpilogue epilogue)
    {
        CpuFilter own = CpuFilter.Of(filter);
        CpuTensor from = CpuTensor.Of(dy), to = CpuTensor.Of(dx);
        RequireFits(own, to, from);
        own.BackwardInput.Run(
            _pool, from.Blocks, from.Data, to.Data,
            new PassEpilogue(
                null, DataOrNull(epilogue.Addend, to), epilogue.Activation, DataOrNull(epilogue.Through, to),
                Streams(to, epilogue.Addend)));
    }

    public void ConvolutionBackwardFilter(Filter filter, Tensor x, Tensor dy, BufferSlice dw)
    {
        CpuFilter own = CpuFilter.Of(filter);
        CpuTensor input = CpuTensor.Of(x), gradient = CpuTensor.Of(dy);
        RequireFits(own, input, gradient);
        RequireLength(dw, own.Shape.WeightCount, "weight gradients");
        own.BackwardFilter.Run(_pool, input.Blocks, input.Data, gradient.Data, CpuFloats.Of(dw));
    }

    public void BiasBackward(Tensor dy, BufferSlice db)
    {
        CpuTensor gradient = CpuTensor.Of(dy);
        RequireLength(db, gradient.Shape.Channels, "bias gradients");
        var job = new BiasJob(gradient.Data, CpuFloats.Of(db), gradient.Blocks, gradient.BlockStride, gradient.ChannelStride);
        _pool.Run(ref job, gradient.Shape.Channels);
    }

    private bool Streams(CpuTensor target, Tensor? addend) =>
        addend != target && StreamedStores.Pay(target.Bytes, _pool.Threads);

    private PassChoice<TLanes, TVector> Choice(ConvolutionShape shape, bool forward, BFloat16Kernels? bfloat16) =>
        new(shape, forward, _prices, _scratch, bfloat16);

    private static void RequireValid(ConvolutionShape shape)
    {
        bool positive = shape is { OutputChannels: > 0, KernelHeight: > 0, KernelWidth: > 0, Stride: > 0, Padding: >= 0 }
            && shape.Input is { Channels: > 0, Height: > 0, Width: > 0 };
        if (!positive || shape.Input.Height + 2 * shape.Padding < shape.KernelHeight
            || shape.Input.Width + 2 * shape.Padding < shape.KernelWidth)
            throw new ArgumentException($"The convolution {shape} has no output.", nameof(shape));
    }

    private static void RequireFits(CpuFilter filter, CpuTensor input, CpuTensor output)
    {
        ConvolutionShape shape = filter.Shape;
        if (input.Shape != shape.Input || output.Shape != shape.Output || input.Batch != output.Batch)
            throw new ArgumentException($"The tensors {input} and {output} do not fit the convolution {shape}.");
        if (input.Data == output.Data)
            throw new ArgumentException("A convolution cannot be computed in place.");
    }

    // Four independent sums hide the latency of an addition; blocks are added in order.
    private readonly struct BiasJob(float* dy, float* db, int blocks, nint blockStride, nint channelStride) : IParallelJob
    {
        private readonly float* _dy = dy;
        private readonly float* _db = db;

        public void Run(int item, int worker)
        {
            TVector s0 = TLanes.Zero, s1 = TLanes.Zero, s2 = TLanes.Zero, s3 = TLanes.Zero;
            for (int block = 0; block < blocks; block++)
            {
                float* at = _dy + block * blockStride + item * channelStride, end = at + channelStride;
                for (; at + 4 * TLanes.Width <= end; at += 4 * TLanes.Width)
                {
                    s0 = TLanes.Add(s0, TLanes.Load(at));
                    s1 = TLanes.Add(s1, TLanes.Load(at + TLanes.Width));
                    s2 = TLanes.Add(s2, TLanes.Load(at + 2 * TLanes.Width));
                    s3 = TLanes.Add(s3, TLanes.Load(at + 3 * TLanes.Width));
                }
                for (; at < end; at += TLanes.Width)
                    s0 = TLanes.Add(s0, TLanes.Load(at));
            }
            _db[item] = TLanes.Sum(TLanes.Add(TLanes.Add(s0, s1), TLanes.Add(s2, s3)));
        }
    }
}
