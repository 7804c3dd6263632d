using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cuda;
using BoostingTicket.Engine.Cuda.Bindings;
using BoostingTicket.Engine.Cuda.Kernels;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Engine.Testing;

namespace BoostingTicket.Engine.Tests.Cuda.Kernels;

internal sealed class KernelLibraryTests
{
    [Test]
    public void Launch_passes_every_type_of_parameter()
    {
        using var driver = new RecordingDriver { ParameterCount = 7 };
        using var library = new KernelLibrary(driver, 0, 77);
        var grid = new LaunchGrid(3, 64);
        library.Launch(
            5, grid, new DevicePointer(0xABCDEF0123456789), -2, 0xFFFFFFFFu, 1L << 40, ulong.MaxValue, 1.5f, -2.5);
        Assert.That(driver.Launched, Is.EqualTo(((nint)5, grid, (nint)77)));
        Assert.That(
            driver.Parameters.ToArray(),
            Is.EqualTo((ulong[])[
                0xABCDEF0123456789, unchecked((ulong)-2L), 0xFFFFFFFF, 1UL << 40, ulong.MaxValue,
                BitConverter.SingleToUInt32Bits(1.5f), BitConverter.DoubleToUInt64Bits(-2.5)]));
    }

    /// <summary>A step of training launches hundreds of kernels.</summary>
    [Test]
    public void Launching_allocates_nothing()
    {
        using var driver = new RecordingDriver();
        using var library = new KernelLibrary(driver, 0, 0);
        var elementwise = new ElementwiseKernels(library);
        var attack = new AttackKernels(library);
        var parameters = new ParameterKernels(library);
        var data = new DataKernels(library);
        var filters = new FilterKernels(library);
        var tensor = new TensorView(new DevicePointer(256), ElementType.Float32, 5, new FeatureShape(3, 8, 8));
        DevicePointer memory = tensor.Data;
        var convolution = new ConvolutionShape(tensor.Shape, 16, 3, 3, 1, 1);
        long bytes = Allocations.LeastBytesOfThread(() =>
        {
            elementwise.Forward(tensor, memory, memory, tensor, Activation.Relu, tensor);
            elementwise.Backward(tensor, memory, tensor, tensor, Activation.Relu, tensor);
            attack.RandomStart(tensor, memory, 0.1f, new RandomStartKey(1, 2, 3), tensor);
            attack.AttackStep(tensor, tensor, 0.1f, 0.01f, tensor);
            attack.KeepWorst(tensor, memory, tensor, memory);
            attack.MeasurePerturbation(tensor, tensor, memory, memory);
            parameters.SgdStep(new SgdOptions(0.1f, 0.9f, 0), memory, memory, memory, memory, 1000);
            parameters.ApplyMask(memory, memory, 1000);
            parameters.Sum(memory, 1000, memory, memory);
            data.Gather(memory, memory, tensor);
            data.Import(memory, tensor);
            data.Export(tensor, memory);
            filters.Prepare(ElementType.BFloat16, memory, 1, 1);
            filters.ExportGradient(convolution, ElementType.BFloat16, memory, memory);
        });
        Assert.That(bytes, Is.Zero);
    }

    [Test]
    public void Families_are_loaded_once_and_unloaded()
    {
        using var driver = new RecordingDriver();
        using (var library = new KernelLibrary(driver, 0, 0))
        {
            nint first = library.Function("attack", "a");
            Assert.That(library.Function("attack", "ab"), Is.EqualTo(first + 1));
            Assert.That(library.Function("data", "a"), Is.Not.EqualTo(first));
            Assert.That(driver.LoadedModules, Is.EqualTo(2));
            Assert.That(() => library.Function("nothing", "a"), Throws.ArgumentException.With.Message.Contains("nothing"));
        }
        Assert.That((driver.LoadedModules, driver.Loads), Is.EqualTo((0, 2)));
    }

    [Test]
    public void Grids_cover_everything_within_the_limits_of_a_launch()
    {
        using var library = new KernelLibrary(new RecordingDriver(), 0, 0);
        foreach (int units in (int[])[1, 2, 3, 80, 160, 256, 257, 1000])
        {
            foreach (long pixels in (long[])[1, 5, 1000, 131072, 1L << 33])
            {
                LaunchGrid grid = library.PerPixel(pixels, units);
                Assert.That(grid.BlockX * grid.BlockY, Is.LessThanOrEqualTo(KernelLibrary.BlockThreads));
                Assert.That(grid.BlockX * grid.GridY, Is.GreaterThanOrEqualTo(units));
                Assert.That(grid.GridX, Is.GreaterThan(0));
                Assert.That((grid.GridX - 1L) * grid.BlockY, Is.LessThan(pixels), "a block without work");
                Assert.That(grid.GridX * (long)grid.GridY, Is.LessThanOrEqualTo(Math.Max(grid.GridY, 132 * 24 * 256)));
            }
        }
        foreach (int items in (int[])[1, 3, 196, 256, 1000, int.MaxValue])
        {
            foreach (int samples in (int[])[1, 7, 10000, int.MaxValue])
            {
                LaunchGrid grid = KernelLibrary.PerSample(items, samples);
                Assert.That(grid.BlockX * grid.BlockY, Is.LessThanOrEqualTo(KernelLibrary.BlockThreads));
                Assert.That((long)grid.BlockX * grid.GridX, Is.GreaterThanOrEqualTo(items));
                Assert.That(grid.GridY, Is.InRange(1, 65535));
                Assert.That((grid.GridY - 1L) * grid.BlockY, Is.LessThan(samples), "a block without work");
            }
        }
        Assert.That(KernelLibrary.OneEach(0), Is.EqualTo(new LaunchGrid(1, 256)));
        Assert.That(KernelLibrary.OneEach(257), Is.EqualTo(new LaunchGrid(2, 256)));
        Assert.That(() => KernelLibrary.OneEach(1L << 62), Throws.TypeOf<OverflowException>());
    }
}
