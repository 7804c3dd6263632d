using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cuda;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Engine.Testing.Operations;

namespace BoostingTicket.Engine.Tests.Cuda;

/// <summary>The operation table on CUDA, in every precision: TF32 with deterministic, the others with measured algorithms.</summary>
[TestFixtureSource(nameof(Devices))]
public sealed class CudaOperationTableTests(string device, Precision precision, bool deterministic) : OperationTableTests
{
    private static IEnumerable<TestFixtureData> Devices() =>
        from device in CudaDevices.Names
        from precision in Enum.GetValues<Precision>()
        // Every choice of algorithms and every precision once: a table takes the software device half a minute.
        let deterministic = precision == Precision.TensorFloat32
        select new TestFixtureData(device, precision, deterministic);

    protected override IBackend OpenBackend() =>
        CudaDevices.Open(device, new CudaOptions(Precision: precision, Deterministic: deterministic));
}
