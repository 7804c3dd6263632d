namespace BoostingTicket.Engine.Cpu.BFloat16;

/// <summary>Kernels of AVX512-BF16: sixteen pairs a register.</summary>
internal sealed unsafe class VectorKernels : BFloat16Kernels
{
    private const int Widest = 4;
    private readonly delegate* unmanaged<TileCall*, void>[] _run = new delegate* unmanaged<TileCall*, void>[Widest + 1];

    /// <summary>Emits the kernels.</summary>
    /// <exception cref="ExecutableMemoryException">Machine code is refused.</exception>
    public VectorKernels()
    {
        for (int pixels = 1; pixels <= Widest; pixels++)
            _run[pixels] = (delegate* unmanaged<TileCall*, void>)ExecutableMemory.Write(VectorAssembler.Run(pixels));
    }

    public override string Name => "AVX512-BF16";

    public override int MostGroups => 1;

    public override BFloat16Prices Prices => BFloat16Prices.Vectors;

    public override int MostPixels(int groups) => Widest;

    public override void Run(int groups, int pixels, TileCall* call) => _run[pixels](call);
}
