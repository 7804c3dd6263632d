using System.Text.RegularExpressions;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cuda;
using BoostingTicket.Engine.Cuda.Bindings;
using BoostingTicket.Engine.Cuda.Kernels;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.SoftwareCuda;

namespace BoostingTicket.Engine.Tests.Cuda.Software;

/// <summary>Defects planted in the engine's own kernels are caught by name: the kernels run, with one change in their
/// PTX.</summary>
internal sealed unsafe partial class PlantedDefectTests
{
    private static readonly FeatureShape Shape = new(8, 5, 5);

    [Test]
    public void Kernels_without_a_planted_defect_pass()
    {
        using var device = Open(text => text);
        Assert.That(() => Normalise(device), Throws.Nothing);
        Assert.That(() => Sum(device), Throws.Nothing);
    }

    [Test]
    public void A_store_one_vector_too_far()
    {
        using var device = Open(text => Store().Replace(text, "st.global.v4.f32 \t[$1+16],"));
        string report = Assert.Throws<SoftwareCudaException>(() => Normalise(device))!.Message;
        Assert.That(
            report,
            Does.StartWith("Kernel elementwise_forward_f32_f32: write of 16 bytes out of bounds").And.Contain(
                "behind the last byte of")
                .And.Contain("'st.global.v4.f32 [").And.Contain("thread ("));
    }

    [Test]
    public void An_output_that_is_not_written()
    {
        using var device = Open(text => Store().Replace(text, "prefetch.global.L2 [$1]; //"));
        Assert.That(
            Assert.Throws<SoftwareCudaException>(() => Normalise(device))!.Message,
            Is.EqualTo("cuMemcpyDtoHAsync: read of memory that nobody wrote: byte 0 of allocation 4 (4000 bytes)."));
    }

    [Test]
    public void A_missing_barrier()
    {
        using var device = Open(text => text.Replace("bar.sync", "// bar.sync", StringComparison.Ordinal));
        Assert.That(
            Assert.Throws<SoftwareCudaException>(() => Sum(device))!.Message,
            Does.StartWith("Kernel channel_sums_f32: missing barrier: byte ")
                .And.Contain("of shared memory (byte ").And.Contain("was written by thread ("));
    }

    [Test]
    public void A_barrier_that_some_threads_skip()
    {
        // The first thread of each block ends before the first barrier.
        using var device = Open(text => FirstBarrier().Replace(
            text, "{ .reg .pred %planted; .reg .b32 %thread; mov.u32 %thread, %tid.x; setp.eq.u32 %planted, %thread, 0; "
                + "@%planted ret; } $1",
            1));
        Assert.That(
            Assert.Throws<SoftwareCudaException>(() => Sum(device))!.Message,
            Does.StartWith("Kernel channel_sums_f32: barrier not reached by all: 255 of 256 threads wait")
                .And.Contain("thread (0, 0, 0) has ended at 'ret'"));
    }

    private static SoftwareCudaDevice Open(Func<string, string> edit)
    {
        var device = new SoftwareCudaDevice(new SoftwareCudaOptions { EditPtx = edit });
        device.SetCurrentContext(device.RetainPrimaryContext(0));
        return device;
    }

    private static void Normalise(SoftwareCudaDevice device)
    {
        nint stream = device.CreateStream();
        using var library = new KernelLibrary(device, 0, stream);
        var elementwise = new ElementwiseKernels(library);
        TensorView x = Tensor(device, stream, written: true);
        DevicePointer scale = Fill(device, stream, Shape.Channels), shift = Fill(device, stream, Shape.Channels);
        TensorView y = Tensor(device, stream, written: false);
        elementwise.Forward(x, scale, shift, null, Activation.Relu, y);
        var values = new float[y.PhysicalLength];
        fixed (float* host = values)
            device.CopyToHost(host, y.Data, (nuint)y.Bytes, stream);
        foreach (DevicePointer pointer in (DevicePointer[])[x.Data, scale, shift, y.Data])
            device.Free(pointer, stream);
    }

    private static void Sum(SoftwareCudaDevice device)
    {
        nint stream = device.CreateStream();
        using var library = new KernelLibrary(device, 0, stream);
        var reductions = new ReductionKernels(library);
        TensorView dy = Tensor(device, stream, written: true);
        DevicePointer scratch = device.Allocate((nuint)ReductionKernels.ChannelSumsScratchBytes(dy), stream);
        DevicePointer sums = device.Allocate((nuint)(Shape.Channels * sizeof(float)), stream);
        reductions.ChannelSums(dy, scratch, sums);
        foreach (DevicePointer pointer in (DevicePointer[])[dy.Data, scratch, sums])
            device.Free(pointer, stream);
    }

    private static TensorView Tensor(SoftwareCudaDevice device, nint stream, bool written)
    {
        var shape = new TensorView(default, ElementType.Float32, 5, Shape);
        DevicePointer data = written
            ? Fill(device, stream, (int)shape.PhysicalLength) : device.Allocate((nuint)shape.Bytes, stream);
        return shape with { Data = data };
    }

    private static DevicePointer Fill(SoftwareCudaDevice device, nint stream, int count)
    {
        DevicePointer pointer = device.Allocate((nuint)(count * sizeof(float)), stream);
        device.Fill(pointer, BitConverter.SingleToUInt32Bits(1), (nuint)count, stream);
        return pointer;
    }

    [GeneratedRegex(@"st\.global\.v4\.f32\s+\[(%rd\d+)\],")]
    private static partial Regex Store();

    [GeneratedRegex(@"(bar\.sync\s+0;)")]
    private static partial Regex FirstBarrier();
}
