using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Backends;

/// <summary>What a prepared filter will be used for; a backend prepares only that.</summary>
[Flags]
internal enum FilterUses
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>Forward convolution.</summary>
    Forward = 1,

    /// <summary>Input gradient.</summary>
    BackwardInput = 2,

    /// <summary>Filter gradient.</summary>
    BackwardFilter = 4,

    /// <summary>Passes of attacks, whose products a backend may round more than those of training
    /// (<see cref="IBackend.RoundsAttacksMore"/>). A filter for attacks is used for nothing else.</summary>
    Attack = 8,
}

/// <summary>The weights of one convolution in the form in which a backend computes with them: packed, transposed,
/// converted, scaled, or listed sparsely. Refreshed by
/// <see cref="IBackend.PrepareFilter"/> whenever the weights changed.</summary>
internal abstract class Filter : IDisposable
{
    /// <summary>Describes a filter that was not prepared yet.</summary>
    protected Filter(ConvolutionShape shape, FilterUses uses)
    {
        Shape = shape;
        Uses = uses;
    }

    /// <summary>The convolution.</summary>
    public ConvolutionShape Shape { get; }

    /// <summary>The uses it is prepared for.</summary>
    public FilterUses Uses { get; }

    /// <summary>Bytes of the prepared form.</summary>
    public abstract long Bytes { get; }

    /// <summary>Frees the prepared form.</summary>
    public abstract void Dispose();
}

/// <summary>Where a filter is prepared from.</summary>
/// <param name="Weight">The weights, output channel first.</param>
/// <param name="Mask">1 for kept and 0 for pruned weights, in the order of <paramref name="Weight"/>; null when nothing
/// is pruned. Pruned weights are zero in <paramref name="Weight"/> already.</param>
/// <param name="MaskVersion">Changes whenever <paramref name="Mask"/> does, so that what depends on the pattern alone is
/// rebuilt only then.</param>
/// <param name="Scale">A factor for each output channel, multiplied into the prepared weights (folded normalisation); null
/// for none.</param>
/// <param name="Shift">The shift that forward passes will be given, so that a backend may convert it with the weights; null for
/// none, or where it is not known. It counts as it was when the filter was prepared, or as it is at the forward pass.</param>
internal readonly record struct FilterSource(
    BufferSlice Weight, BufferSlice? Mask, int MaskVersion, BufferSlice? Scale, BufferSlice? Shift = null);

/// <summary>A filter that is brought up to date.</summary>
/// <param name="Filter">The filter.</param>
/// <param name="Source">Where it is prepared from.</param>
internal readonly record struct FilterUpdate(Filter Filter, FilterSource Source);
