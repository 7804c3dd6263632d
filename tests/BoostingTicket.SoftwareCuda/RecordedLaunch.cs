using BoostingTicket.Engine.Cuda.Bindings;

namespace BoostingTicket.SoftwareCuda;

/// <summary>A launch with all that it read and wrote, so that something else can repeat it.</summary>
/// <param name="Kernel">Name.</param>
/// <param name="Grid">Blocks and threads.</param>
/// <param name="Parameters">In the kernel's order.</param>
/// <param name="BytesRead">Bytes of device memory that it read before it wrote them, each once.</param>
/// <param name="BytesWritten">Bytes of device memory that it wrote, each once.</param>
/// <param name="Arrays">The allocations that parameters and lists in memory point into, each once.</param>
/// <param name="Pointers">Pointers in lists in memory.</param>
internal sealed record RecordedLaunch(
    string Kernel, LaunchGrid Grid, IReadOnlyList<RecordedParameter> Parameters, long BytesRead, long BytesWritten,
    IReadOnlyList<RecordedArray> Arrays, IReadOnlyList<RecordedPointer> Pointers);

/// <summary>A pointer that is in memory.</summary>
/// <param name="Array">Number of the allocation that holds it.</param>
/// <param name="Offset">Where in it.</param>
/// <param name="Target">Number of the allocation that it points into.</param>
/// <param name="Value">The bytes in that one that it skips.</param>
internal readonly record struct RecordedPointer(int Array, long Offset, int Target, ulong Value);

/// <summary>A parameter's value.</summary>
/// <param name="Array">Number of the allocation that it points into; null for anything but a pointer.</param>
/// <param name="Value">The bytes in it that the pointer skips, or the value as little-endian bytes, filled up with zeros.</param>
internal readonly record struct RecordedParameter(int? Array, ulong Value);

/// <summary>An allocation's bytes before and after the launch. What nobody wrote is arbitrary, and the same in both.</summary>
internal sealed record RecordedArray(byte[] Before, byte[] After);

/// <summary>Takes down launches of a software device.</summary>
internal interface ILaunchRecorder
{
    /// <summary>Whether a launch is wanted: recording copies all memory that it can reach.</summary>
    bool Wants(string kernel, in LaunchGrid grid);

    /// <summary>Takes a launch that has run.</summary>
    void Add(RecordedLaunch launch);
}
