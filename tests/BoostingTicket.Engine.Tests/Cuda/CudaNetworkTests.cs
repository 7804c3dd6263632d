using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cuda;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Engine.Testing.Networks;

namespace BoostingTicket.Engine.Tests.Cuda;

/// <summary>Whole networks on CUDA, called, recorded and replayed.</summary>
[TestFixture(CudaDevices.Software)]
[TestFixture(CudaDevices.Gpu)]
internal sealed class CudaNetworkTests(string device) : NetworkTests
{
    private readonly List<CudaContext> _opened = [];

    // Every test opens a backend, and measuring all algorithms in each would take a minute on either device.
    protected override IBackend Open()
    {
        var backend = (CudaBackend)CudaDevices.Open(device, new CudaOptions(Precision: Precision.Float32, Deterministic: true));
        _opened.Add(backend.Context);
        return backend;
    }

    [OneTimeTearDown]
    public void Everything_could_be_recorded() =>
        Assert.That(_opened.Select(context => context.RecordingFailure?.Message), Is.All.Null);
}
