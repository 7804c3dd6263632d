namespace BoostingTicket.Engine.Cpu.BFloat16;

/// <summary>One way to multiply and add bfloat16: products of rounded operands, sums in float32, in the order of the steps, so
/// that a result does not depend on how pixels are gathered into tiles.</summary>
internal abstract unsafe class BFloat16Kernels
{
    /// <summary>What it computes with, for people.</summary>
    public abstract string Name { get; }

    /// <summary>Most groups of sixteen output channels in a tile: 1 or 2.</summary>
    public abstract int MostGroups { get; }

    /// <summary>What its steps cost.</summary>
    public abstract BFloat16Prices Prices { get; }

    /// <summary>Most pixels of a tile.</summary>
    /// <param name="groups">Groups of output channels, at most <see cref="MostGroups"/>.</param>
    public abstract int MostPixels(int groups);

    /// <summary>What a thread does before its calls of one shape.</summary>
    /// <param name="groups">Groups of output channels.</param>
    /// <param name="rows">As in <see cref="TileCall.Rows"/>.</param>
    /// <param name="pairs">As in <see cref="TileCall.Pairs"/>.</param>
    public virtual void Begin(int groups, int rows, int pairs) { }

    /// <summary>Computes.</summary>
    /// <param name="groups">Groups of output channels, as in <see cref="Begin"/>.</param>
    /// <param name="pixels">Pixels of each tile.</param>
    /// <param name="call">Operands.</param>
    public abstract void Run(int groups, int pixels, TileCall* call);

    /// <summary>What a thread does after its calls.</summary>
    public virtual void End() { }
}
