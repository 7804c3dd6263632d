using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Backends;

/// <summary>How a device computes.</summary>
/// <param name="Threads">Threads of the processor; 0 for one a processor. The CPU's alone.</param>
/// <param name="Precision">Number format; null for the device's own choice: float32 on the CPU, the fastest that
/// a GPU has.</param>
/// <param name="Deterministic">Whether the same program gives the same bits in every process, at the price of algorithms that are
/// not chosen by measurement. The CPU always does.</param>
internal sealed record DeviceOptions(int Threads = 0, Precision? Precision = null, bool Deterministic = false);
