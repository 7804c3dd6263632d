using BoostingTicket.Engine.Cuda.Bindings;

namespace BoostingTicket.SoftwareCuda;

/// <summary>What the software libraries (cuBLAS, cuDNN) need of the software device: its checked memory and its
/// streams.</summary>
internal interface ISoftwareDevice
{
    /// <summary>Runs work now, or records it where the stream is being captured. The work runs again whenever a graph that holds
    /// it is launched.</summary>
    /// <param name="stream">The stream; an unknown one is reported.</param>
    /// <param name="name">The call, for reports and for the list of what was covered.</param>
    /// <param name="work">What it does.</param>
    void Submit(nint stream, string name, Action work);

    /// <summary>The bytes of a place in memory that is about to be read. Reports bytes outside an allocation, freed ones, and
    /// bytes that nobody wrote.</summary>
    /// <param name="pointer">The first byte.</param>
    /// <param name="bytes">How many.</param>
    /// <param name="reader">The call and operand, for reports.</param>
    ReadOnlySpan<byte> Read(DevicePointer pointer, long bytes, string reader);

    /// <summary>The bytes of a place in memory, all of which are about to be written. Reports bytes outside an allocation and
    /// freed ones, and notes that they are written.</summary>
    /// <param name="pointer">The first byte.</param>
    /// <param name="bytes">How many.</param>
    /// <param name="writer">The call and operand, for reports.</param>
    Span<byte> Write(DevicePointer pointer, long bytes, string writer);
}
