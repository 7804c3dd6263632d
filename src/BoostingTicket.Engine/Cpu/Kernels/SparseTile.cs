using System.Runtime.CompilerServices;

namespace BoostingTicket.Engine.Cpu.Kernels;

/// <summary>A register tile of <see cref="SparseKernel{TLanes,TVector}"/>.</summary>
/// <param name="Rows">Rows.</param>
/// <param name="Columns">Columns; where images of several blocks lie side by side, each is a column.</param>
internal readonly unsafe record struct SparseTile(int Rows, int Columns)
{
    // What a tile costs beside its multiply-adds, in multiply-adds a kept weight.
    private const double Overhead = 2;

    // Those that fit into the registers of a narrow machine, then those that need 32.
    private static readonly SparseTile[] Narrow = [new(2, 4), new(1, 8), new(1, 7), new(2, 2), new(1, 4), new(1, 1)];
    private static readonly SparseTile[] Wide = [new(4, 4), new(2, 8), new(1, 16), new(2, 7), new(1, 14), .. Narrow];

    /// <summary>Pixels.</summary>
    public int Pixels => Rows * Columns;

    /// <summary>The tile that covers a plane at the least cost, and of those the one that reads the fewest different
    /// values.</summary>
    /// <param name="maximalPixels">Most pixels of a tile.</param>
    /// <param name="rows">Rows of the plane.</param>
    /// <param name="columns">Columns of the plane.</param>
    /// <param name="haloRows">Rows around a tile's that it reads.</param>
    /// <param name="haloColumns">Columns around a tile's that it reads.</param>
    public static SparseTile Choose(int maximalPixels, int rows, int columns, int haloRows, int haloColumns) =>
        (maximalPixels >= 16 ? Wide : Narrow)
            .OrderBy(tile => Count(rows, tile.Rows) * Count(columns, tile.Columns) * (tile.Pixels + Overhead))
            .ThenBy(tile => (tile.Rows + haloRows) * (tile.Columns + haloColumns))
            .First();

    /// <summary>Runs a call on this tile.</summary>
    public void Run<TLanes, TVector>(in SparseCall call)
        where TLanes : struct, ILanes<TVector>
        where TVector : struct
    {
        switch (Rows, Columns)
        {
            case (4, 4):
                SparseKernel<TLanes, TVector>.Run<Four, Four>(call);
                break;
            case (2, 8):
                SparseKernel<TLanes, TVector>.Run<Two, Eight>(call);
                break;
            case (1, 16):
                SparseKernel<TLanes, TVector>.Run<One, Sixteen>(call);
                break;
            case (2, 7):
                SparseKernel<TLanes, TVector>.Run<Two, Seven>(call);
                break;
            case (1, 14):
                SparseKernel<TLanes, TVector>.Run<One, Fourteen>(call);
                break;
            case (2, 4):
                SparseKernel<TLanes, TVector>.Run<Two, Four>(call);
                break;
            case (1, 8):
                SparseKernel<TLanes, TVector>.Run<One, Eight>(call);
                break;
            case (1, 7):
                SparseKernel<TLanes, TVector>.Run<One, Seven>(call);
                break;
            case (2, 2):
                SparseKernel<TLanes, TVector>.Run<Two, Two>(call);
                break;
            case (1, 4):
                SparseKernel<TLanes, TVector>.Run<One, Four>(call);
                break;
            case (1, 1):
                SparseKernel<TLanes, TVector>.Run<One, One>(call);
                break;
            default:
                throw new InvalidOperationException($"No sparse kernel computes tiles of {Rows} x {Columns} pixels.");
        }
    }

    /// <summary>Runs a call of the filter gradient on this tile.</summary>
    public void Run<TLanes, TVector>(in SparseGradientCall call)
        where TLanes : struct, ILanes<TVector>
        where TVector : struct
    {
        switch (Rows, Columns)
        {
            case (4, 4):
                SparseGradientKernel<TLanes, TVector>.Run<Four, Four>(call);
                break;
            case (2, 8):
                SparseGradientKernel<TLanes, TVector>.Run<Two, Eight>(call);
                break;
            case (1, 16):
                SparseGradientKernel<TLanes, TVector>.Run<One, Sixteen>(call);
                break;
            case (2, 7):
                SparseGradientKernel<TLanes, TVector>.Run<Two, Seven>(call);
                break;
            case (1, 14):
                SparseGradientKernel<TLanes, TVector>.Run<One, Fourteen>(call);
                break;
            case (2, 4):
                SparseGradientKernel<TLanes, TVector>.Run<Two, Four>(call);
                break;
            case (1, 8):
                SparseGradientKernel<TLanes, TVector>.Run<One, Eight>(call);
                break;
            case (1, 7):
                SparseGradientKernel<TLanes, TVector>.Run<One, Seven>(call);
                break;
            case (2, 2):
                SparseGradientKernel<TLanes, TVector>.Run<Two, Two>(call);
                break;
            case (1, 4):
                SparseGradientKernel<TLanes, TVector>.Run<One, Four>(call);
                break;
            case (1, 1):
                SparseGradientKernel<TLanes, TVector>.Run<One, One>(call);
                break;
            default:
                throw new InvalidOperationException($"No sparse kernel computes tiles of {Rows} x {Columns} pixels.");
        }
    }

    /// <summary>Address of pixel <paramref name="i"/> of a tile, row by row, when its rows start at the addresses given. Of
    /// constants all of it: one address remains.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float* At<TColumns>(int i, float* x0, float* x1, float* x2, float* x3)
        where TColumns : struct, ICount
    {
        if (i < TColumns.Value)
            return x0 + i * Layout.Lanes;
        if (i < 2 * TColumns.Value)
            return x1 + (i - TColumns.Value) * Layout.Lanes;
        return i < 3 * TColumns.Value
            ? x2 + (i - 2 * TColumns.Value) * Layout.Lanes
            : x3 + (i - 3 * TColumns.Value) * Layout.Lanes;
    }

    private static int Count(int length, int part) => (length + part - 1) / part;
}
