using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cuda.Bindings;

namespace BoostingTicket.Engine.Cuda.Kernels;

/// <summary>The optimizer step, masks and sums over slices of flat float32 buffers, which may begin at any 4-byte aligned
/// address. Kernels in <c>kernels/parameters.cu</c>.</summary>
internal sealed class ParameterKernels
{
    private const string Family = "parameters";
    private const int VectorBytes = TensorView.VectorBytes;
    private const int VectorLength = VectorBytes / sizeof(float);

    /// <summary>Blocks of a sum, at most, and the values that make another block worth while.</summary>
    private const int MaximalSumBlocks = 1024, ValuesPerSumBlock = 4096;

    private readonly KernelLibrary _library;
    private readonly nint _sgdStep, _applyMask, _blend, _pack, _unpack, _sum, _sumTotal;

    /// <summary>Loads the kernels.</summary>
    public ParameterKernels(KernelLibrary library)
    {
        _library = library;
        _sgdStep = library.Function(Family, "parameters_sgd_step_f32");
        _applyMask = library.Function(Family, "parameters_apply_mask_f32");
        _blend = library.Function(Family, "parameters_blend_f32");
        _pack = library.Function(Family, "parameters_pack_f32");
        _unpack = library.Function(Family, "parameters_unpack_f32");
        _sum = library.Function(Family, "parameters_sum_f32");
        _sumTotal = library.Function(Family, "parameters_sum_total_f64");
    }

    /// <summary><c>g = gradient + decay * w; v = momentum * v + g; w = w - rate * v</c>, each multiply-add fused; where the mask
    /// is 0, v and w become +0.</summary>
    /// <param name="options">Rate, momentum, decay.</param>
    /// <param name="gradients">Gradients.</param>
    /// <param name="momenta">v; read and written.</param>
    /// <param name="masks">1 kept, 0 pruned; null when nothing is pruned.</param>
    /// <param name="weights">w; read and written.</param>
    /// <param name="length">Values of each.</param>
    public void SgdStep(
        in SgdOptions options, DevicePointer gradients, DevicePointer momenta, DevicePointer masks, DevicePointer weights,
        int length)
    {
        if (length == 0)
            return;
        bool alike = Misalignment(gradients) == Misalignment(weights) && Misalignment(momenta) == Misalignment(weights)
            && (masks.IsNull || Misalignment(masks) == Misalignment(weights));
        Split(weights, length, alike, out long head, out long quads);
        _library.Launch(
            _sgdStep, Grid(length, quads), gradients, momenta, masks, weights, -options.LearningRate, options.Momentum,
            options.WeightDecay, (long)length, head, quads);
    }

    /// <summary><c>values = values * masks</c>, +0 where the mask is 0.</summary>
    /// <param name="masks">1 or 0.</param>
    /// <param name="values">Read and written.</param>
    /// <param name="length">Values of each.</param>
    public void ApplyMask(DevicePointer masks, DevicePointer values, int length)
    {
        if (length == 0)
            return;
        Split(values, length, Misalignment(masks) == Misalignment(values), out long head, out long quads);
        _library.Launch(_applyMask, Grid(length, quads), masks, values, (long)length, head, quads);
    }

    /// <summary><c>values = factor * values + sourceFactor * source</c>, the first product fused.</summary>
    /// <param name="source">Read.</param>
    /// <param name="sourceFactor">Its factor.</param>
    /// <param name="factor">Factor of the values.</param>
    /// <param name="values">Read and written.</param>
    /// <param name="length">Values of each.</param>
    public void Blend(DevicePointer source, float sourceFactor, float factor, DevicePointer values, int length)
    {
        if (length == 0)
            return;
        Split(values, length, Misalignment(source) == Misalignment(values), out long head, out long quads);
        _library.Launch(_blend, Grid(length, quads), source, values, sourceFactor, factor, (long)length, head, quads);
    }

    /// <summary><c>packed[i] = values[indices[i]]</c>.</summary>
    /// <param name="values">Read where an index points to.</param>
    /// <param name="indices">32-bit numbers of values.</param>
    /// <param name="packed">Overwritten.</param>
    /// <param name="length">Packed values.</param>
    public void Pack(DevicePointer values, DevicePointer indices, DevicePointer packed, int length)
    {
        if (length > 0)
            _library.Launch(_pack, KernelLibrary.OneEach(length), values, indices, packed, length);
    }

    /// <summary><c>values[indices[i]] = packed[i]</c>.</summary>
    /// <param name="packed">Read.</param>
    /// <param name="indices">32-bit numbers of values, none twice.</param>
    /// <param name="values">Written where an index points to.</param>
    /// <param name="length">Packed values.</param>
    public void Unpack(DevicePointer packed, DevicePointer indices, DevicePointer values, int length)
    {
        if (length > 0)
            _library.Launch(_unpack, KernelLibrary.OneEach(length), packed, indices, values, length);
    }

    /// <summary>Sum in double precision, in an order that depends on the length alone.</summary>
    /// <param name="values">float32 values.</param>
    /// <param name="length">How many.</param>
    /// <param name="scratch"><see cref="SumScratchBytes"/> bytes, aligned to 8.</param>
    /// <param name="result">Receives one float64; aligned to 8 bytes.</param>
    public void Sum(DevicePointer values, int length, DevicePointer scratch, DevicePointer result)
    {
        int blocks = SumBlocks(length);
        _library.Launch(
            _sum, new LaunchGrid((uint)blocks, KernelLibrary.BlockThreads), values, (long)length,
            Misalignment(values) == 0 ? 1 : 0, scratch);
        _library.Launch(_sumTotal, new LaunchGrid(1, KernelLibrary.BlockThreads), scratch, blocks, result);
    }

    /// <summary>Bytes of scratch memory that <see cref="Sum"/> needs.</summary>
    public static long SumScratchBytes(int length) => (long)SumBlocks(length) * sizeof(double);

    private static int SumBlocks(int length) =>
        (int)Math.Clamp(((long)length + ValuesPerSumBlock - 1) / ValuesPerSumBlock, 1, MaximalSumBlocks);

    private static int Misalignment(DevicePointer pointer) => (int)(pointer.Address % VectorBytes);

    /// <summary>Cuts slices that lie alike into values before the first aligned group of four, and such groups; others into
    /// single values.</summary>
    private static void Split(DevicePointer pointer, int length, bool alike, out long head, out long quads)
    {
        int before = (VectorBytes - Misalignment(pointer)) % VectorBytes / sizeof(float);
        head = alike ? Math.Min(before, length) : length;
        quads = (length - head) / VectorLength;
    }

    private static LaunchGrid Grid(int length, long quads) =>
        KernelLibrary.OneEach(length - (VectorLength - 1) * quads);
}
