namespace BoostingTicket.Engine.Cpu.BFloat16;

/// <summary>The same arithmetic in plain C#: what emitted kernels are checked against, and what tests run where the processor
/// lacks the instructions. Much slower than float32, so that no run uses it.</summary>
internal sealed unsafe class ManagedKernels : BFloat16Kernels
{
    /// <summary>The only one.</summary>
    public static ManagedKernels Instance { get; } = new();

    public override string Name => "emulation";

    public override int MostGroups => 2;

    // Nothing, so that tests reach every shape.
    public override BFloat16Prices Prices => default;

    public override int MostPixels(int groups) => groups == 2 ? 2 : 3;

    public override void Run(int groups, int pixels, TileCall* call)
    {
        int* tile = call->Tiles;
        byte* sums = call->Sums;
        for (nint tiles = call->TileCount; tiles > 0; tiles--, tile += 2 * pixels)
        {
            for (int group = 0; group < groups; group++)
            {
                for (int pixel = 0; pixel < pixels; pixel++, sums += TileCall.GroupBytes)
                    RunPixel(*call, group, call->Inputs + tile[pixel], (float*)sums);
            }
        }
    }

    private static void RunPixel(in TileCall call, int group, byte* inputs, float* sums)
    {
        for (int row = 0; row < call.Rows; row++, sums += Layout.Lanes)
        {
            new Span<float>(sums, Layout.Lanes).Clear();
            for (nint step = 0; step < call.StepCount; step++)
            {
                ushort* x = (ushort*)(inputs + call.Steps[2 * step]);
                byte* first = call.Weights + call.Steps[2 * step + 1] + group * TileCall.GroupBytes;
                ushort* w = (ushort*)(first + row * Layout.Lanes * sizeof(float));
                for (int i = 0; i < 2 * call.Pairs; i += 2)
                {
                    for (int lane = 0; lane < Layout.Lanes; lane++)
                    {
                        ushort* pair = x + i * Layout.Lanes + 2 * lane;
                        float sum = MathF.FusedMultiplyAdd(Rounding.Widen(w[i]), Rounding.Widen(pair[0]), sums[lane]);
                        sums[lane] = MathF.FusedMultiplyAdd(Rounding.Widen(w[i + 1]), Rounding.Widen(pair[1]), sum);
                    }
                }
            }
        }
    }
}
