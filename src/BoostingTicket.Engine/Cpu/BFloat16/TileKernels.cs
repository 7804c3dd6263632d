namespace BoostingTicket.Engine.Cpu.BFloat16;

/// <summary>Kernels of AMX: a product of 16x32 weights and 32x16 inputs an instruction, 512 multiply-adds a cycle.</summary>
internal sealed unsafe class TileKernels : BFloat16Kernels
{
    private const int MostSums = 4;
    private readonly delegate* unmanaged<TileCall*, void>[,] _run = new delegate* unmanaged<TileCall*, void>[3, MostSums + 1];
    private readonly delegate* unmanaged<byte*, void> _configure;
    private readonly delegate* unmanaged<void> _release;

    /// <summary>Emits the kernels. The system must have permitted tiles before.</summary>
    /// <exception cref="ExecutableMemoryException">Machine code is refused.</exception>
    public TileKernels()
    {
        for (int groups = 1; groups <= MostGroups; groups++)
        {
            for (int pixels = 1; pixels <= MostPixels(groups); pixels++)
                _run[groups, pixels] =
                    (delegate* unmanaged<TileCall*, void>)ExecutableMemory.Write(TileAssembler.Run(groups, pixels));
        }
        _configure = (delegate* unmanaged<byte*, void>)ExecutableMemory.Write(TileAssembler.Configure());
        _release = (delegate* unmanaged<void>)ExecutableMemory.Write(TileAssembler.Release());
    }

    public override string Name => "AMX";

    public override int MostGroups => 2;

    public override BFloat16Prices Prices => BFloat16Prices.Tiles;

    public override int MostPixels(int groups) => MostSums / groups;

    public override void Begin(int groups, int rows, int pairs)
    {
        const int Palette = 1, FirstWidth = 16, FirstHeight = 48, Bytes = 64;
        byte* configuration = stackalloc byte[Bytes];
        new Span<byte>(configuration, Bytes).Clear();
        configuration[0] = Palette;
        ushort* widths = (ushort*)(configuration + FirstWidth);
        byte* heights = configuration + FirstHeight;
        int firstInputs = TileAssembler.FirstInputs(groups);
        for (int tile = 0; tile < 2 * MostSums; tile++)
        {
            bool weights = tile >= TileAssembler.FirstWeights && tile < firstInputs;
            widths[tile] = (ushort)(weights ? pairs * sizeof(int) : Layout.Lanes * sizeof(float));
            heights[tile] = (byte)(tile < firstInputs ? rows : pairs);
        }
        _configure(configuration);
    }

    public override void Run(int groups, int pixels, TileCall* call) => _run[groups, pixels](call);

    public override void End() => _release();
}
