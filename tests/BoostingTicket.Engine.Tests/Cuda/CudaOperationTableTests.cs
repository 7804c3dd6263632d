using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cuda;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Engine.Testing.Operations;

namespace BoostingTicket.Engine.Tests.Cuda;

/// <summary>The operation table on CUDA, in every precision, with measured and with deterministic algorithms.</summary>
[TestFixtureSource(nameof(Devices))]
public sealed class CudaOperationTableTests(string device, Precision precision, bool deterministic) : OperationTableTests
{
    private static IEnumerable<TestFixtureData> Devices() =>
        from device in CudaDevices.Names
        from precision in Enum.GetValues<Precision>()
        from deterministic in (bool[])[false, true]
        where !deterministic || precision == Precision.Float32
        select new TestFixtureData(device, precision, deterministic);

    protected override IBackend OpenBackend() =>
        CudaDevices.Open(device, new CudaOptions(Precision: precision, Deterministic: deterministic));
}
