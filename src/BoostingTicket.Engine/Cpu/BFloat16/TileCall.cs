using System.Runtime.InteropServices;

namespace BoostingTicket.Engine.Cpu.BFloat16;

/// <summary>What one call of a kernel computes: for each tile of output pixels, and for one or two groups of at most sixteen
/// output channels, <c>sums = Σ weights * inputs</c> over a list of steps. A step is one tap of the filter and one chunk of at
/// most 32 input channels, taken in pairs. Machine code reads the fields at fixed offsets.</summary>
/// <remarks>Layouts. Inputs of a step at a pixel: for each pair of channels sixteen images, of each image the pair's two
/// bfloat16, 64 bytes a pair. Weights of a step: for each group of output channels sixteen rows of 64 bytes, a row holds one
/// output channel's weights of the chunk. Sums: for each tile, each group of output channels and each pixel, sixteen output
/// channels of sixteen images in float32, 1024 bytes.</remarks>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct TileCall
{
    /// <summary>Bytes of a step's weights for one group of output channels, and of a pixel's sums for one.</summary>
    public const int GroupBytes = 1024;

    /// <summary>Packed inputs; offsets in <see cref="Tiles"/> count from here.</summary>
    public byte* Inputs;

    /// <summary>Packed weights; offsets in <see cref="Steps"/> count from here.</summary>
    public byte* Weights;

    /// <summary>Pairs: bytes from a pixel's inputs to the step's, bytes from <see cref="Weights"/> to the step's.</summary>
    public int* Steps;

    /// <summary>Steps; may be 0.</summary>
    public nint StepCount;

    /// <summary>For each tile the bytes to its pixels' inputs, then as many numbers that kernels pass over.</summary>
    public int* Tiles;

    /// <summary>Tiles, at least 1.</summary>
    public nint TileCount;

    /// <summary>Receives the sums.</summary>
    public byte* Sums;

    /// <summary>Pairs of input channels in a chunk, 1 to 16.</summary>
    public nint Pairs;

    /// <summary>Output channels of each group, 1 to 16; other rows of <see cref="Sums"/> may be left as they are.</summary>
    public nint Rows;
}
