namespace BoostingTicket.Engine.Cpu.BFloat16;

/// <summary>Compares kernels with <see cref="ManagedKernels"/>, every shape of tile, on small integers, of which every sum is
/// exact in float32: results must be equal, whatever order the processor adds in.</summary>
internal static unsafe class KernelCheck
{
    private const int Pixels = 12;
    private const int Steps = 3;

    /// <summary>What is wrong; null where nothing is.</summary>
    public static string? Failure(BFloat16Kernels kernels)
    {
        for (int groups = 1; groups <= kernels.MostGroups; groups++)
        {
            for (int pixels = 1; pixels <= kernels.MostPixels(groups); pixels++)
            {
                foreach ((int rows, int pairs) in (ReadOnlySpan<(int, int)>)[(16, 16), (16, 5), (3, 16), (10, 1)])
                {
                    for (int steps = 0; steps <= Steps; steps += Steps)
                    {
                        if (!Agrees(kernels, groups, pixels, rows, pairs, steps))
                            return $"{groups} x {rows} channels, {pixels} pixels, {pairs} pairs, {steps} steps";
                    }
                }
            }
        }
        return null;
    }

    private static bool Agrees(BFloat16Kernels kernels, int groups, int pixels, int rows, int pairs, int steps)
    {
        int pixelBytes = pairs * Layout.Lanes * sizeof(int), stepBytes = groups * TileCall.GroupBytes;
        using var inputs = new NativeBlock(Pixels * pixelBytes);
        using var weights = new NativeBlock(Steps * stepBytes);
        Fill((ushort*)inputs.Data, inputs.Bytes / sizeof(ushort), 7);
        Fill((ushort*)weights.Data, weights.Bytes / sizeof(ushort), 11);
        int tiles = 2, sums = tiles * groups * pixels * TileCall.GroupBytes;
        using var expected = new NativeBlock(sums);
        using var actual = new NativeBlock(sums);
        int* offsets = stackalloc int[2 * pixels * tiles];
        for (int tile = 0; tile < tiles; tile++)
        {
            for (int pixel = 0; pixel < pixels; pixel++)
                offsets[2 * pixels * tile + pixel] = (5 * tile + pixel) * pixelBytes;
        }
        int* list = stackalloc int[2 * Steps];
        for (int step = 0; step < Steps; step++)
            (list[2 * step], list[2 * step + 1]) = (step * pixelBytes, (Steps - 1 - step) * stepBytes);
        var call = new TileCall
        {
            Inputs = inputs.Data,
            Weights = weights.Data,
            Steps = list,
            StepCount = steps,
            Tiles = offsets,
            TileCount = tiles,
            Sums = expected.Data,
            Pairs = pairs,
            Rows = rows,
        };
        ManagedKernels.Instance.Run(groups, pixels, &call);
        call.Sums = actual.Data;
        kernels.Begin(groups, rows, pairs);
        kernels.Run(groups, pixels, &call);
        kernels.End();
        for (int tile = 0; tile < tiles * groups * pixels; tile++)
        {
            int start = tile * TileCall.GroupBytes, length = rows * Layout.Lanes * sizeof(float);
            if (!new Span<byte>(expected.Data + start, length).SequenceEqual(new Span<byte>(actual.Data + start, length)))
                return false;
        }
        return true;
    }

    // Integers from -period/2 to period/2, no two neighbours equal.
    private static void Fill(ushort* to, long count, int period)
    {
        for (long i = 0; i < count; i++)
            to[i] = Rounding.Round(i * 3 % period - period / 2);
    }
}
