using System.Runtime.CompilerServices;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cpu.Kernels;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Cpu;

/// <summary>A choice that is made at compile time, so that a loop holds no branch for it.</summary>
internal interface IChoice
{
    static abstract bool Taken { get; }
}

/// <summary>Taken.</summary>
internal readonly struct Yes : IChoice
{
    public static bool Taken => true;
}

/// <summary>Not taken.</summary>
internal readonly struct No : IChoice
{
    public static bool Taken => false;
}

// The vector loops and the partitions that several families of operations share.
internal sealed unsafe partial class CpuBackend<TLanes, TVector>
{
    /// <summary>Floats of one tensor that an item of a parallel loop works on, about: 64 KiB, a third of an L2 cache with two
    /// operands and a result.</summary>
    private const int ItemLength = 16384;

    /// <summary>Cuts the planes of a tensor into items of consecutive channels of one block. Depends on the shape
    /// alone.</summary>
    private readonly struct PlaneGrid
    {
        private readonly int _channels;
        private readonly int _channelsPerItem;
        private readonly int _itemsPerBlock;

        public PlaneGrid(CpuTensor tensor)
        {
            _channels = tensor.Shape.Channels;
            _channelsPerItem = (int)Math.Clamp(ItemLength / tensor.ChannelStride, 1, _channels);
            _itemsPerBlock = (_channels + _channelsPerItem - 1) / _channelsPerItem;
            Items = tensor.Blocks * _itemsPerBlock;
        }

        public int Items { get; }

        public void Locate(int item, out int block, out int firstChannel, out int endChannel)
        {
            block = item / _itemsPerBlock;
            firstChannel = item % _itemsPerBlock * _channelsPerItem;
            endChannel = Math.Min(firstChannel + _channelsPerItem, _channels);
        }
    }

    /// <summary>Cuts consecutive floats into items. Depends on the length alone.</summary>
    private readonly struct FlatGrid(long length)
    {
        public int Items { get; } = (int)((length + ItemLength - 1) / ItemLength);

        public nint Start(int item) => (nint)item * ItemLength;

        public int Length(int item) => (int)Math.Min(ItemLength, length - (long)item * ItemLength);
    }

    /// <summary><c>y = max(floor, x * scale + shift + residual)</c>; the residual may be null. A floor of 0 is a ReLU, of
    /// -infinity none; NaN passes through.</summary>
    private static void Affine(
        float* x, float scale, float shift, float* residual, float floor, float* y, int length)
    {
        if (residual == null)
            AffineLoop<No>(x, scale, shift, null, floor, y, length);
        else
            AffineLoop<Yes>(x, scale, shift, residual, floor, y, length);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AffineLoop<TResidual>(
        float* x, float scale, float shift, float* residual, float floor, float* y, int length)
        where TResidual : struct, IChoice
    {
        TVector s = TLanes.Create(scale), t = TLanes.Create(shift), low = TLanes.Create(floor);
        for (nint i = 0; i < length; i += TLanes.Width)
        {
            TVector value = TLanes.MultiplyAdd(TLanes.Load(x + i), s, t);
            if (TResidual.Taken)
                value = TLanes.Add(value, TLanes.Load(residual + i));
            TLanes.Store(y + i, TLanes.Max(low, value));
        }
    }

    /// <summary><c>dx = (dy * scale + addend) where reluOutput &gt; 0, else 0</c>; addend and ReLU output may be null.</summary>
    private static void ScaleGradient(float* dy, float scale, float* addend, float* reluOutput, float* dx, int length)
    {
        if (addend == null && reluOutput == null)
            ScaleGradientLoop<No, No>(dy, scale, null, null, dx, length);
        else if (addend == null)
            ScaleGradientLoop<No, Yes>(dy, scale, null, reluOutput, dx, length);
        else if (reluOutput == null)
            ScaleGradientLoop<Yes, No>(dy, scale, addend, null, dx, length);
        else
            ScaleGradientLoop<Yes, Yes>(dy, scale, addend, reluOutput, dx, length);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void ScaleGradientLoop<TAddend, TRelu>(
        float* dy, float scale, float* addend, float* reluOutput, float* dx, int length)
        where TAddend : struct, IChoice
        where TRelu : struct, IChoice
    {
        TVector s = TLanes.Create(scale);
        for (nint i = 0; i < length; i += TLanes.Width)
        {
            TVector value = TLanes.Load(dy + i);
            value = TAddend.Taken
                ? TLanes.MultiplyAdd(value, s, TLanes.Load(addend + i))
                : TLanes.Multiply(value, s);
            if (TRelu.Taken)
                value = TLanes.WherePositive(TLanes.Load(reluOutput + i), value);
            TLanes.Store(dx + i, value);
        }
    }

    private static float Floor(Activation activation) =>
        activation.Kind == ActivationKind.Relu ? 0 : float.NegativeInfinity;

    /// <summary>The derivative at the end of a gradient operation: of a ReLU a mask, which loops apply themselves, of others what
    /// follows them piece by piece.</summary>
    private readonly struct DerivativeEnd
    {
        private readonly Activation _late;
        private readonly float* _through;

        public DerivativeEnd(in GradientEpilogue epilogue, CpuTensor like)
        {
            float* through = DataOrNull(epilogue.Through, like);
            if (epilogue.IsMask)
            {
                ReluOutput = through;
            }
            else
            {
                _late = epilogue.Activation;
                _through = through;
            }
        }

        /// <summary>The output of a ReLU, or null.</summary>
        public float* ReluOutput { get; }

        /// <summary>The part of <see cref="ReluOutput"/> that begins at an offset; null where there is none.</summary>
        public float* ReluOutputAt(nint at) => ReluOutput == null ? null : ReluOutput + at;

        /// <summary>Multiplies results that were just written.</summary>
        public void Finish(float* dx, nint at, nint length)
        {
            if (_late != Activation.None)
                ActivationKernel<TLanes, TVector>.Backward(_late, _through + at, dx + at, length);
        }
    }

    /// <summary>An optional operand of the given tensor's shape, or null.</summary>
    private static float* DataOrNull(Tensor? optional, CpuTensor like)
    {
        if (optional is null)
            return null;
        RequireSame(optional, like);
        return CpuTensor.Of(optional).Data;
    }

    /// <summary>The first of as many values as the tensor has channels.</summary>
    private static float* PerChannel(BufferSlice slice, CpuTensor tensor, string what)
    {
        if (slice.Length != tensor.Shape.Channels)
            throw new ArgumentException(
                $"The {what} of {slice.Length} values does not fit the {tensor.Shape.Channels} channels of the tensor {tensor}.");
        return CpuFloats.Of(slice);
    }

    private static float* PerChannelOrNull(BufferSlice? slice, CpuTensor tensor, string what) =>
        slice is { } some ? PerChannel(some, tensor, what) : null;

    /// <summary>The first of at least as many values as the tensor has samples.</summary>
    private static float* PerSample(FloatBuffer buffer, CpuTensor tensor, string what)
    {
        CpuFloats floats = CpuFloats.Of(buffer);
        RequireSamples(floats.Length, tensor, what);
        return floats.Data;
    }

    /// <summary>The first of at least as many numbers as the tensor has samples.</summary>
    private static int* PerSample(IntBuffer buffer, CpuTensor tensor, string what)
    {
        CpuInts ints = CpuInts.Of(buffer);
        RequireSamples(ints.Length, tensor, what);
        return ints.Data;
    }

    private static void RequireSamples(int length, CpuTensor tensor, string what)
    {
        if (length < tensor.Batch)
            throw new ArgumentException(
                $"The buffer of {length} {what} is too short for the {tensor.Batch} samples of the tensor {tensor}.");
    }

    private static void RequireNoShift(in ForwardEpilogue epilogue)
    {
        if (epilogue.Shift is not null)
            throw new ArgumentException("This operation takes no shift; its epilogue's shift must be null.", nameof(epilogue));
    }
}
