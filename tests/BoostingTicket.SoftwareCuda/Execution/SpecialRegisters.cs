using BoostingTicket.Engine.Cuda.Bindings;

namespace BoostingTicket.SoftwareCuda.Execution;

/// <summary>The registers that tell a thread who it is.</summary>
internal static unsafe class SpecialRegisters
{
    private static readonly HashSet<string> Names = new(StringComparer.Ordinal)
    {
        "%tid.x", "%tid.y", "%tid.z", "%ntid.x", "%ntid.y", "%ntid.z", "%ctaid.x", "%ctaid.y", "%ctaid.z",
        "%nctaid.x", "%nctaid.y", "%nctaid.z", "%laneid", "%warpid", "%nwarpid", "%smid", "%nsmid", "%gridid",
        "%lanemask_eq", "%lanemask_le", "%lanemask_lt", "%lanemask_ge", "%lanemask_gt", "%dynamic_smem_size",
        "%total_smem_size", "WARP_SZ",
    };

    /// <summary>Whether there is a register of a name.</summary>
    public static bool Exists(string name) => Names.Contains(name);

    /// <summary>Whether a register differs from block to block.</summary>
    public static bool DependsOnBlock(string name) => name.StartsWith("%ctaid", StringComparison.Ordinal);

    /// <summary>A thread's three coordinates.</summary>
    public static (uint X, uint Y, uint Z) ThreadIndex(in LaunchGrid grid, int thread)
    {
        uint linear = (uint)thread;
        return (linear % grid.BlockX, linear / grid.BlockX % grid.BlockY, linear / grid.BlockX / grid.BlockY);
    }

    /// <summary>Fills a register for all threads of a block.</summary>
    public static void Fill(BlockState block, SpecialRegister special)
    {
        ulong* row = block.Row(special.Row);
        for (int thread = 0; thread < block.Threads; thread++)
            row[thread] = Value(block, special.Name, thread);
    }

    private static uint Value(BlockState block, string name, int thread)
    {
        LaunchGrid grid = block.Grid;
        int lane = thread & 31;
        uint bit = 1u << lane;
        return name switch
        {
            "%tid.x" => ThreadIndex(grid, thread).X,
            "%tid.y" => ThreadIndex(grid, thread).Y,
            "%tid.z" => ThreadIndex(grid, thread).Z,
            "%ntid.x" => grid.BlockX,
            "%ntid.y" => grid.BlockY,
            "%ntid.z" => grid.BlockZ,
            "%ctaid.x" => block.Index.X,
            "%ctaid.y" => block.Index.Y,
            "%ctaid.z" => block.Index.Z,
            "%nctaid.x" => grid.GridX,
            "%nctaid.y" => grid.GridY,
            "%nctaid.z" => grid.GridZ,
            "%laneid" => (uint)lane,
            "%warpid" => (uint)(thread >> 5),
            "%nwarpid" => (uint)block.Warps,
            "%lanemask_eq" => bit,
            "%lanemask_le" => bit | (bit - 1),
            "%lanemask_lt" => bit - 1,
            "%lanemask_ge" => ~(bit - 1),
            "%lanemask_gt" => ~(bit | (bit - 1)),
            "%total_smem_size" => (uint)block.SharedBytes,
            "%nsmid" => 1,
            "WARP_SZ" => 32,
            _ => 0,
        };
    }
}
