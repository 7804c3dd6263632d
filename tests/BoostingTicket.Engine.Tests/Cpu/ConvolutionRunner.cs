using System.Numerics;
using System.Runtime.Intrinsics;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cpu;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Tests.Cpu;

/// <summary>The CPU backend's convolutions for one instruction set, with the memory that a test places.</summary>
internal abstract class ConvolutionRunner : IDisposable
{
    private readonly List<IDisposable> _owned = [];

    public static ConvolutionRunner Create(InstructionSet set, int threads) => set switch
    {
        InstructionSet.Avx512 => new Runner<Avx512Lanes, Vector512<float>>(set, threads),
        InstructionSet.Avx2 => new Runner<Avx2Lanes, Vector256<float>>(set, threads),
        _ => new Runner<PortableLanes, Vector<float>>(set, threads),
    };

    public abstract Filter CreateFilter(ConvolutionShape shape, FilterUses uses);

    public abstract void Prepare(Filter filter, in FilterSource source);

    public abstract void Forward(Filter filter, Tensor x, Tensor y, in ForwardEpilogue epilogue);

    public abstract void BackwardInput(Filter filter, Tensor dy, Tensor dx, in GradientEpilogue epilogue);

    public abstract void BackwardFilter(Filter filter, Tensor x, Tensor dy, BufferSlice dw);

    public abstract void Bias(Tensor dy, BufferSlice db);

    public abstract float[] Read(Tensor tensor);

    public abstract float[] Read(BufferSlice slice);

    /// <summary>A placed tensor whose memory, unused lanes included, is NaN until it is written.</summary>
    public unsafe Tensor NewTensor(int batch, FeatureShape shape, float[]? values = null)
    {
        var tensor = new CpuTensor(batch, shape);
        var arena = new CpuArena(tensor.Bytes);
        _owned.Add(arena);
        tensor.Place(arena, 0);
        new Span<float>(tensor.Data, (int)tensor.PhysicalLength).Fill(float.NaN);
        if (values is not null)
            Write(values, tensor);
        return tensor;
    }

    public BufferSlice NewBuffer(float[] values)
    {
        var buffer = new CpuFloats(values.Length);
        _owned.Add(buffer);
        Write(values, buffer.All);
        return buffer.All;
    }

    /// <summary>A filter prepared from these weights.</summary>
    public Filter NewFilter(ConvolutionShape shape, FilterUses uses, float[] weight, float[]? scale = null)
    {
        Filter filter = CreateFilter(shape, uses);
        _owned.Add(filter);
        Prepare(filter, new FilterSource(NewBuffer(weight), null, 0, scale is null ? null : NewBuffer(scale)));
        return filter;
    }

    /// <summary>Sets the lanes that hold no image.</summary>
    public static unsafe void FillUnusedLanes(Tensor tensor, float value)
    {
        CpuTensor own = CpuTensor.Of(tensor);
        for (long i = 0; i < own.PhysicalLength; i++)
        {
            if (i % Layout.Lanes >= own.LanesUsed((int)(i / own.BlockStride)))
                own.Data[i] = value;
        }
    }

    /// <summary>Values of the lanes that hold no image.</summary>
    public static unsafe float[] UnusedLanes(Tensor tensor)
    {
        CpuTensor own = CpuTensor.Of(tensor);
        var values = new List<float>();
        for (long i = 0; i < own.PhysicalLength; i++)
        {
            if (i % Layout.Lanes >= own.LanesUsed((int)(i / own.BlockStride)))
                values.Add(own.Data[i]);
        }
        return [.. values];
    }

    public virtual void Dispose()
    {
        foreach (IDisposable owned in _owned)
            owned.Dispose();
    }

    protected abstract void Write(float[] values, Tensor tensor);

    protected abstract void Write(float[] values, BufferSlice slice);

    private sealed class Runner<TLanes, TVector>(InstructionSet set, int threads) : ConvolutionRunner
        where TLanes : struct, ILanes<TVector>
        where TVector : struct
    {
        private readonly CpuBackend<TLanes, TVector> _backend = new(threads, set);

        public override Filter CreateFilter(ConvolutionShape shape, FilterUses uses) => _backend.CreateFilter(shape, uses);

        public override void Prepare(Filter filter, in FilterSource source) => _backend.PrepareFilter(filter, source);

        public override void Forward(Filter filter, Tensor x, Tensor y, in ForwardEpilogue epilogue) =>
            _backend.ConvolutionForward(filter, x, y, epilogue);

        public override void BackwardInput(Filter filter, Tensor dy, Tensor dx, in GradientEpilogue epilogue) =>
            _backend.ConvolutionBackwardInput(filter, dy, dx, epilogue);

        public override void BackwardFilter(Filter filter, Tensor x, Tensor dy, BufferSlice dw) =>
            _backend.ConvolutionBackwardFilter(filter, x, dy, dw);

        public override void Bias(Tensor dy, BufferSlice db) => _backend.BiasBackward(dy, db);

        public override float[] Read(Tensor tensor)
        {
            var values = new float[tensor.Length];
            _backend.Download(tensor, values);
            return values;
        }

        public override float[] Read(BufferSlice slice)
        {
            var values = new float[slice.Length];
            _backend.Download(slice, values);
            return values;
        }

        public override void Dispose()
        {
            base.Dispose();
            _backend.Dispose();
        }

        protected override void Write(float[] values, Tensor tensor) => _backend.Upload(values, tensor);

        protected override void Write(float[] values, BufferSlice slice) => _backend.Upload(values, slice);
    }
}
