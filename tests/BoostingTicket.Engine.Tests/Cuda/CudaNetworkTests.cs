using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cuda;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Engine.Testing.Networks;

namespace BoostingTicket.Engine.Tests.Cuda;

/// <summary>Whole networks on CUDA, called, recorded and replayed.</summary>
[TestFixture(CudaDevices.Software)]
[TestFixture(CudaDevices.Gpu)]
public sealed class CudaNetworkTests(string device) : NetworkTests
{
    // The software device would take a minute to measure algorithms.
    protected override IBackend Open() => CudaDevices.Open(
        device, new CudaOptions(Precision: Precision.Float32, Deterministic: device == CudaDevices.Software));
}
