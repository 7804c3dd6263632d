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
    // The software device takes seconds for what a GPU does in microseconds.
    protected override IReadOnlyList<int> Batches => device == CudaDevices.Software ? [3] : [5, 17];

    protected override IBackend Open() => CudaDevices.Open(device, new CudaOptions(Precision: Precision.Float32));
}
