using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace BoostingTicket.Engine.Cpu.BFloat16;

/// <summary>Rounds feature maps to bfloat16 and lays pairs of channels side by side.</summary>
internal static unsafe class InputPacking
{
    /// <summary>Packs pixels of a block that lie one behind another.</summary>
    /// <param name="source">First channel of the first pixel.</param>
    /// <param name="channels">Channels.</param>
    /// <param name="stride">Floats from a channel to the next.</param>
    /// <param name="pixels">Pixels.</param>
    /// <param name="geometry">How channels are cut into chunks.</param>
    /// <param name="packed">Receives pixel, chunk, pair, image; channels that are missing are zeros.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Pack(float* source, int channels, nint stride, int pixels, BFloat16Geometry geometry, byte* packed)
    {
        int pairs = geometry.Chunks * geometry.Pairs;
        nint pixelBytes = geometry.PixelBytes;
        for (int pair = 0; pair < pairs; pair++, packed += Layout.Lanes * sizeof(int))
        {
            // Missing channels are the last ones.
            float* first = 2 * pair < channels ? source + 2 * pair * stride : null;
            float* second = 2 * pair + 1 < channels ? source + (2 * pair + 1) * stride : null;
            byte* to = packed;
            for (nint i = 0; i < (nint)pixels * Layout.Lanes; i += Layout.Lanes, to += pixelBytes)
            {
                Vector512<float> low = first == null ? Vector512<float>.Zero : Vector512.Load(first + i);
                Vector512<float> high = second == null ? Vector512<float>.Zero : Vector512.Load(second + i);
                Rounding.Pair(low, high).Store((uint*)to);
            }
        }
    }
}
