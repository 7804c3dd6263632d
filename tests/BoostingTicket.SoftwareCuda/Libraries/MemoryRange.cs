using BoostingTicket.Engine.Cuda.Bindings;

namespace BoostingTicket.SoftwareCuda.Libraries;

/// <summary>A place in device memory.</summary>
/// <param name="Data">Its first byte.</param>
/// <param name="Bytes">Its length.</param>
internal readonly record struct MemoryRange(DevicePointer Data, long Bytes)
{
    /// <summary>Whether a byte belongs to both.</summary>
    public bool Overlaps(MemoryRange other) =>
        Bytes > 0 && other.Bytes > 0
        && Data.Address < other.Data.Address + (ulong)other.Bytes && other.Data.Address < Data.Address + (ulong)Bytes;

    /// <summary>Whether the first byte's address is a multiple.</summary>
    public bool IsAligned(int bytes) => Data.Address % (ulong)bytes == 0;
}
