using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cuda;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.SoftwareCuda;

namespace BoostingTicket.Engine.Tests.Cuda;

/// <summary>The number format that a GPU computes in when none is asked for, and those that it is never asked for.</summary>
internal sealed class CudaPrecisionTests
{
    [TestCase(7, 0, Precision.Float32)]
    [TestCase(7, 5, Precision.Float32)]
    [TestCase(8, 0, Precision.TensorFloat32)]
    [TestCase(8, 9, Precision.TensorFloat32)]
    [TestCase(9, 0, Precision.TensorFloat32)]
    public void Format_that_is_taken_is_one_that_the_gpu_has(int major, int minor, Precision expected)
    {
        using CudaBackend backend = Open(major, minor, null);
        Assert.That(backend.Precision, Is.EqualTo(expected));
        Assert.That(backend.Device.Description, Does.EndWith($", {expected}"));
    }

    [Test]
    public void Formats_of_tensor_cores_are_refused_before_8_0(
        [Values(Precision.TensorFloat32, Precision.BFloat16)] Precision precision)
    {
        Assert.That(
            () => Open(7, 5, precision),
            Throws.TypeOf<DeviceException>().With.Message.Contains(
                "needs a GPU of compute capability 8.0 or later, and Software CUDA device "
                + "has 7.5; leave out the format, or choose float32."));
        using CudaBackend backend = Open(8, 0, precision);
        Assert.That(backend.Precision, Is.EqualTo(precision));
    }

    private static CudaBackend Open(int major, int minor, Precision? precision) => SoftwareMachine.Open(
        new CudaOptions(Precision: precision),
        new SoftwareCudaDevice(new SoftwareCudaOptions { MemoryBytes = 64UL << 20, ComputeCapability = (major, minor) }));
}
