using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cuda;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Engine.Testing;
using BoostingTicket.Engine.Testing.Operations;

namespace BoostingTicket.Engine.Tests.Cuda;

/// <summary>The operation table on CUDA, in every precision: bfloat16 with measured, float32 with deterministic algorithms, TF32
/// with measured ones where there is a GPU to measure on.</summary>
[TestFixtureSource(nameof(Devices))]
internal sealed class CudaOperationTableTests(string device, Precision precision, bool deterministic) : OperationTableTests
{
    private static IEnumerable<TestFixtureData> Devices() =>
        from device in CudaDevices.Names
        from precision in Enum.GetValues<Precision>()
            // Measuring algorithms is most of the work of a table on the software device: once is enough.
        let deterministic = precision == Precision.Float32
            || (precision == Precision.TensorFloat32 && device == CudaDevices.Software)
        // On the software device TF32 differs from float32 in the library calls' rounding alone.
        let isLong = precision == Precision.TensorFloat32 && device == CudaDevices.Software
        select Marked(new TestFixtureData(device, precision, deterministic), isLong);

    private static TestFixtureData Marked(TestFixtureData data, bool isLong) => isLong ? LongAttribute.Mark(data) : data;

    protected override IBackend OpenBackend() =>
        CudaDevices.Open(device, new CudaOptions(Precision: precision, Deterministic: deterministic));
}
