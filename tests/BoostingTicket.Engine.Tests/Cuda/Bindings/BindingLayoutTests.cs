using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;
using BoostingTicket.Engine.Cuda.Bindings;

namespace BoostingTicket.Engine.Tests.Cuda.Bindings;

/// <summary>Layouts and numbers that C sees, as NVIDIA's headers have them.</summary>
internal sealed unsafe class BindingLayoutTests
{
    [TestCase(nameof(CudnnPerformance.Algorithm), 0)]
    [TestCase(nameof(CudnnPerformance.Status), 4)]
    [TestCase(nameof(CudnnPerformance.Time), 8)]
    [TestCase(nameof(CudnnPerformance.Memory), 16)]
    [TestCase(nameof(CudnnPerformance.Determinism), 24)]
    [TestCase(nameof(CudnnPerformance.MathType), 28)]
    [TestCase(nameof(CudnnPerformance.Reserved), 32)]
    public void Performance_has_cudnns_layout(string field, int offset) =>
        Assert.That((int)Marshal.OffsetOf<CudnnPerformance>(field), Is.EqualTo(offset));

    [Test]
    public void Performance_has_cudnns_size() => Assert.That(sizeof(CudnnPerformance), Is.EqualTo(48));

    [Test]
    public void Device_pointer_is_64_bits() => Assert.That(sizeof(DevicePointer), Is.EqualTo(8));

    [TestCase(nameof(NcclConfig.Size), 0)]
    [TestCase(nameof(NcclConfig.Magic), 8)]
    [TestCase(nameof(NcclConfig.Version), 12)]
    [TestCase(nameof(NcclConfig.Blocking), 16)]
    [TestCase(nameof(NcclConfig.CgaClusterSize), 20)]
    [TestCase(nameof(NcclConfig.MinCtas), 24)]
    [TestCase(nameof(NcclConfig.MaxCtas), 28)]
    [TestCase(nameof(NcclConfig.NetName), 32)]
    [TestCase(nameof(NcclConfig.SplitShare), 40)]
    public void Configuration_has_nccls_layout(string field, int offset) =>
        Assert.That((int)Marshal.OffsetOf<NcclConfig>(field), Is.EqualTo(offset));

    [Test]
    public void Configuration_and_id_have_nccls_sizes() =>
        Assert.That((sizeof(NcclConfig), sizeof(NcclId)), Is.EqualTo((48, 128)));

    [TestCase(typeof(CudaDriverFunctions))]
    [TestCase(typeof(CublasFunctions))]
    [TestCase(typeof(CudnnFunctions))]
    [TestCase(typeof(NcclFunctions))]
    public void Names_stand_in_the_order_of_the_fields(Type table)
    {
        IEnumerable<string> fields = table.GetFields(BindingFlags.Public | BindingFlags.Instance)
            .OrderBy(field => (long)Marshal.OffsetOf(table, field.Name)).Select(field => field.Name);
        string[] names = (string[])table.GetField("Names", BindingFlags.Public | BindingFlags.Static)!.GetValue(null)!;
        Assert.That(names.Select(name => name.TrimEnd('?')), Is.EqualTo(fields));
    }

    // cuda.h maps its plain names to these by macros; the exports of the plain names are older functions.
    [TestCase("cuMemAlloc", "_v2")]
    [TestCase("cuMemFree", "_v2")]
    [TestCase("cuMemGetInfo", "_v2")]
    [TestCase("cuDeviceTotalMem", "_v2")]
    [TestCase("cuDevicePrimaryCtxRelease", "_v2")]
    [TestCase("cuMemcpyHtoDAsync", "_v2")]
    [TestCase("cuMemcpyDtoHAsync", "_v2")]
    [TestCase("cuMemcpyDtoDAsync", "_v2")]
    [TestCase("cuStreamDestroy", "_v2")]
    [TestCase("cuEventDestroy", "_v2")]
    [TestCase("cuStreamBeginCapture", "_v2")]
    [TestCase("cuMemsetD32Async", "")]
    [TestCase("cuEventElapsedTime", "")]
    [TestCase("cuGraphInstantiate", "WithFlags")]
    public void Exported_names_are_bound_and_not_macros(string plain, string suffix) =>
        Assert.That(CudaDriverFunctions.Names.Where(name => name.StartsWith(plain, StringComparison.Ordinal)
            && !name[plain.Length..].StartsWith("Host", StringComparison.Ordinal)
            && !name[plain.Length..].StartsWith("Async", StringComparison.Ordinal)), Is.EqualTo(new[] { plain + suffix }));

    [TestCase(DeviceAttribute.MaxThreadsPerBlock, 1)]
    [TestCase(DeviceAttribute.MaxSharedMemoryPerBlock, 8)]
    [TestCase(DeviceAttribute.ClockRate, 13)]
    [TestCase(DeviceAttribute.MultiprocessorCount, 16)]
    [TestCase(DeviceAttribute.PciBus, 33)]
    [TestCase(DeviceAttribute.PciDevice, 34)]
    [TestCase(DeviceAttribute.MemoryClockRate, 36)]
    [TestCase(DeviceAttribute.MemoryBusWidth, 37)]
    [TestCase(DeviceAttribute.L2CacheSize, 38)]
    [TestCase(DeviceAttribute.PciDomain, 50)]
    [TestCase(DeviceAttribute.ComputeCapabilityMajor, 75)]
    [TestCase(DeviceAttribute.ComputeCapabilityMinor, 76)]
    [TestCase(DeviceAttribute.MemoryPoolsSupported, 115)]
    [TestCase(JitOption.ErrorLogBuffer, 5)]
    [TestCase(JitOption.ErrorLogBufferSizeBytes, 6)]
    [TestCase(CublasOperation.None, 0)]
    [TestCase(CublasOperation.Transpose, 1)]
    [TestCase(CudaDataType.Float32, 0)]
    [TestCase(CudaDataType.BFloat16, 14)]
    [TestCase(CublasCompute.Float32, 68)]
    [TestCase(CublasCompute.Float32Pedantic, 69)]
    [TestCase(CublasCompute.Float32FastTensorFloat32, 77)]
    [TestCase(CudnnDataType.Float32, 0)]
    [TestCase(CudnnDataType.BFloat16, 9)]
    [TestCase(CudnnMath.Default, 0)]
    [TestCase(CudnnMath.TensorOp, 1)]
    [TestCase(CudnnMath.TensorOpAllowConversion, 2)]
    [TestCase(CudnnMath.Fma, 3)]
    public void Numbers_are_nvidias(object value, int number) =>
        Assert.That(Convert.ToInt32(value, CultureInfo.InvariantCulture), Is.EqualTo(number));
}
