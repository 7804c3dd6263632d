using System.Runtime.InteropServices;
using BoostingTicket.Engine.Cuda.Bindings;

namespace BoostingTicket.Engine.Cuda.Kernels;

/// <summary>A filter to be packed, as <c>kernels/filters.cu</c> reads it from a table in device memory.</summary>
/// <param name="Weight">float32, filter, channel, row, column.</param>
/// <param name="Scale">A float32 factor for each filter; null for 1.</param>
/// <param name="Packed">Receives <see cref="FilterKernels.PackedBytes"/> bytes; aligned to 16.</param>
/// <param name="Shift">A float32 summand for each filter; null only where <paramref name="PackedShift"/> is.</param>
/// <param name="PackedShift">Receives the summands in the type of the weights; null where they are not wanted.</param>
/// <param name="Filters">Filters, padding left out.</param>
/// <param name="Channels">Channels, padding left out.</param>
/// <param name="PhysicalChannels">Channels with padding.</param>
/// <param name="Taps">Positions of the kernel.</param>
/// <param name="TileChannels">Channels of a block.</param>
/// <param name="TileTaps">Positions of a block.</param>
/// <param name="FirstBlock">Blocks of the works before.</param>
/// <param name="Unused">Fills the last 8 bytes.</param>
[StructLayout(LayoutKind.Sequential)]
internal readonly record struct FilterWork(
    DevicePointer Weight, DevicePointer Scale, DevicePointer Packed, DevicePointer Shift, DevicePointer PackedShift, int Filters,
    int Channels, int PhysicalChannels, int Taps, int TileChannels, int TileTaps, uint FirstBlock, uint Unused = 0);
