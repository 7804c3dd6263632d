using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cuda;
using BoostingTicket.Engine.Cuda.Bindings;
using BoostingTicket.Engine.Devices;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Tests.Cuda.Bindings;

/// <summary>What is said of machines that have all, some or none of CUDA.</summary>
internal sealed class CudaProbeTests
{
    [Test]
    public void Machine_without_anything_is_told_everything()
    {
        CudaProbe probe = CudaProbe.Run(new FakeHost());
        Assert.That(probe.Usable, Is.False);
        Assert.That(probe.DriverFound, Is.False);
        Assert.That(probe.Brief, Is.EqualTo("no NVIDIA driver (libcuda.so.1)"));
        Assert.That(probe.Reason, Does.StartWith(
            "no NVIDIA driver (libcuda.so.1); no GPU, since there is no driver; no cuBLAS (libcublas.so.13, libcublas.so.12, "
            + "libcublas.so.11); "
            + "no cuDNN (libcudnn.so.9, libcudnn.so.8); install a driver for CUDA 12 or later"));
        Assert.That(probe.Reason, Does.Contain("https://www.nvidia.com/drivers").And.Contain("pip install nvidia-cublas-cu12")
            .And.Contain("pip install nvidia-cudnn-cu12").And.EndWith($"wanted are {CudaProbe.Requirements}"));
    }

    [Test]
    public void Windows_machine_is_told_the_names_of_Windows()
    {
        Assert.That(CudaProbe.Run(new FakeHost(windows: true)).Reason, Does.StartWith(
            "no NVIDIA driver (nvcuda.dll); no GPU, since there is no driver; no cuBLAS (cublas64_13.dll, cublas64_12.dll, "
            + "cublas64_11.dll); "
            + "no cuDNN (cudnn64_9.dll, cudnn64_8.dll); install a driver"));
    }

    [Test]
    public void Error_without_a_driver_is_one_line_with_a_remedy_and_devices_has_the_folders()
    {
        CudaProbe probe = CudaProbe.Run(new FakeHost().With("/usr/lib64/libcublas.so.12"));
        Assert.That(probe.Missing, Is.EqualTo(
            "no NVIDIA driver (libcuda.so.1); install a driver for CUDA 12 or later (525 or later) from "
            + "https://www.nvidia.com/drivers, or use "
            + "the device cpu ('devices' says what was found and where it was looked for)."));
        Assert.That(probe.Missing, Has.Length.LessThan(220));
        Assert.That(
            () => DeviceCatalog.Select("cuda:1", () => probe),
            Throws.TypeOf<DeviceException>().With.Message.EqualTo($"The device cuda:1 cannot be used: {probe.Missing}"));
        Assert.That(probe.Places[0], Is.EqualTo("BOOSTING_TICKET_CUDA_PATH (not set)"));
        Assert.That(probe.Places, Has.Some.Contains("/usr/lib64"));
    }

    [Test]
    [NonParallelizable]
    public void Gpu_is_chosen_by_its_number()
    {
        using var libraries = FakeLibraries.Compile();
        CudaProbe probe = CudaProbe.Run(libraries.Host);
        Assert.That(probe.Gpus, Is.EqualTo(new[] { new GpuStatus(0, true, "Fake GPU (compute capability 9.0, 150.0 GiB)") }));
        DeviceSelection chosen = DeviceCatalog.Select("cuda:0", () => probe);
        Assert.That((chosen.Name, chosen.Gpu), Is.EqualTo(("cuda", 0)));
        Assert.That(chosen.Reason, Is.EqualTo("Using GPU 0, Fake GPU (compute capability 9.0, 150.0 GiB), as asked for."));
        Assert.That(DeviceCatalog.Select("cuda", () => probe).Gpu, Is.Null);
        Assert.That(
            () => DeviceCatalog.Select("cuda:1", () => probe),
            Throws.TypeOf<DeviceException>().With.Message.EqualTo(
                "The device cuda:1 cannot be used: the driver shows 1 GPU(s), numbered from 0; 'devices' lists them "
                + "(CUDA_VISIBLE_DEVICES limits "
                + "what the driver shows)."));
        using CudaLibraries opened = CudaLibraries.Open(new CudaInventory(libraries.Host), 0);
        Assert.That(opened.Device, Is.Zero);
    }

    [TestCase("cuda:0", true)]
    [TestCase("cuda:12", true)]
    [TestCase("cuda", true)]
    [TestCase("cuda:", false)]
    [TestCase("cuda:-1", false)]
    [TestCase("cuda:1 ", false)]
    [TestCase("gpu", false)]
    public void Names_of_devices(string name, bool known) => Assert.That(DeviceCatalog.IsName(name), Is.EqualTo(known));

    [Test]
    [NonParallelizable]
    public void Precision_that_a_gpu_lacks_is_refused_with_the_remedy()
    {
        using var libraries = FakeLibraries.Compile();
        FakeLibraries.SetAttribute(libraries.Load(LibraryName.Driver), 75, 7);
        CudaProbe probe = CudaProbe.Run(libraries.Host);
        Assert.That(probe.Usable);
        foreach ((Precision precision, string word) in (
            (Precision, string)[])[(Precision.BFloat16, "bf16"), (Precision.TensorFloat32, "tf32")])
        {
            Assert.That(
                () => probe.RequirePrecision(null, precision),
                Throws.TypeOf<DeviceException>().With.Message.EqualTo(
                    $"The number format {word} needs a GPU of compute capability 8.0 or later, and Fake GPU has 7.0; leave out "
                    + $"the format, or choose "
                    + "float32."));
        }
        Assert.That(() => probe.RequirePrecision(0, Precision.Float32), Throws.Nothing);
        Assert.That(() => probe.RequirePrecision(null, null), Throws.Nothing);
    }

    [Test]
    public void Libraries_without_a_driver_are_found_and_not_loaded()
    {
        FakeHost host = new FakeHost().With("/usr/lib64/libcublas.so.12", "/usr/lib64/libcudnn.so.9");
        CudaProbe probe = CudaProbe.Run(host);
        Assert.That(probe.Reason, Does.Contain(
            "found: cuBLAS 12 (/usr/lib64/libcublas.so.12); found: cuDNN 9 (/usr/lib64/libcudnn.so.9)"));
        Assert.That(probe.Reason, Does.Not.Contain("pip install"));
        Assert.That(host.Loaded, Is.Empty);
    }

    [Test]
    public void Library_that_is_not_the_driver_is_named_with_what_it_lacks()
    {
        FakeHost host = new FakeHost { SystemNames = { "libcuda.so.1" } };
        Assert.That(CudaProbe.Run(host).Brief, Does.StartWith("The library libcuda.so.1 lacks cuInit, cuDriverGetVersion, "));
    }

    [Test]
    [NonParallelizable]
    public void Machine_with_everything_is_usable()
    {
        using var libraries = FakeLibraries.Compile();
        CudaProbe probe = CudaProbe.Run(libraries.Host);
        Assert.That(probe.Reason, Is.EqualTo(
            $"Fake GPU (compute capability 9.0, 150.0 GiB), driver for CUDA 13.0 ({libraries.Folder}/libcuda.so.1), "
            + $"cuBLAS 12.8.4 ({libraries.Folder}/libcublas.so.12), cuDNN 9.10.2 ({libraries.Folder}/libcudnn.so.9)"));
        Assert.That(probe.Usable, Is.True);
        Assert.That((probe.DriverVersion, probe.Devices, probe.Brief), Is.EqualTo(("13.0", 1, "")));
    }

    [Test]
    [NonParallelizable]
    public void Loaded_stand_ins_are_not_found_under_the_real_names()
    {
        using var libraries = FakeLibraries.Compile();
        CudaProbe.Run(libraries.Host);
        foreach (string name in (
            string[])["libcuda.so.1", "libcublas.so.12", "libcublasLt.so.12", "libcudnn.so.9", "libcudnn_ops.so.9"])
        {
            if (SystemLibraryHost.Instance.TryLoad(name, out nint handle, out _))
                Assert.That(SystemLibraryHost.Instance.TryExport(handle, "fake_calls", out _), Is.False, name);
        }
    }

    [Test]
    [NonParallelizable]
    public void Libraries_open_where_everything_is_there()
    {
        using var libraries = FakeLibraries.Compile(cudnn: 8_907);
        using CudaLibraries opened = CudaLibraries.Open(new CudaInventory(libraries.Host));
        Assert.That((opened.Device, opened.Driver.Version, opened.Cublas.Version, opened.Cudnn.Version), Is.EqualTo(
            (0, 13_000, 120_804, 8_907)));
    }

    [Test]
    public void Libraries_do_not_open_without_them() => Assert.That(
        () => CudaLibraries.Open(new CudaInventory(new FakeHost())),
        Throws.TypeOf<DeviceException>().With.Message.StartsWith("CUDA cannot be used: no NVIDIA driver (libcuda.so.1); "));

    [Test]
    [NonParallelizable]
    public void Driver_for_CUDA_12_does_not_run_cuBLAS_13()
    {
        using var libraries = FakeLibraries.Compile(driver: 12_080, cublas: 13);
        CudaProbe probe = CudaProbe.Run(libraries.Host);
        Assert.That(
            probe.Brief, Does.StartWith("no cuBLAS for CUDA 12 or earlier, which is what the driver can run (libcublas.so.13"));
    }

    [Test]
    [NonParallelizable]
    public void Old_driver_is_refused()
    {
        using var libraries = FakeLibraries.Compile(driver: 11_040);
        CudaProbe probe = CudaProbe.Run(libraries.Host);
        Assert.That(probe.Brief, Is.EqualTo(
            $"the driver ({libraries.Folder}/libcuda.so.1) is for CUDA 11.4, and wanted is 11.8 or later"));
        Assert.That(probe.DriverVersion, Is.EqualTo("11.4"));
    }

    [Test]
    [NonParallelizable]
    public void Old_cudnn_is_refused()
    {
        using var libraries = FakeLibraries.Compile(cudnn: 8_402);
        Assert.That(
            CudaProbe.Run(libraries.Host).Brief,
            Is.EqualTo($"cuDNN 8.4.2 ({libraries.Folder}/libcudnn.so.8) is too old, and wanted is 8.9.0 or later"));
    }

    [Test]
    [NonParallelizable]
    public void Old_gpu_is_refused()
    {
        using var libraries = FakeLibraries.Compile();
        FakeLibraries.SetAttribute(libraries.Load(LibraryName.Driver), 75, 6);
        Assert.That(
            CudaProbe.Run(libraries.Host).Brief,
            Is.EqualTo("no GPU of compute capability 7.0 or later, only Fake GPU (compute capability 6.0, 150.0 GiB)"));
    }

    [Test]
    [NonParallelizable]
    public void Driver_that_sees_no_gpu_says_so()
    {
        using var libraries = FakeLibraries.Compile();
        FakeLibraries.Fail(libraries.Load(LibraryName.Driver), "cuInit", 100);
        CudaProbe probe = CudaProbe.Run(libraries.Host);
        Assert.That(probe.Brief, Does.StartWith(
            "The CUDA driver answered CUDA_ERROR_NO_DEVICE (100) to cuInit(0): the driver sees no NVIDIA GPU"));
        Assert.That(
            probe.Reason, Does.Contain($"found: driver for CUDA 13.0 ({libraries.Folder}/libcuda.so.1); found: cuBLAS 12 ("));
    }

    [TestCase(8907, "8.9.7")]
    [TestCase(90_000, "9.0.0")]
    [TestCase(91_002, "9.10.2")]
    public void Cudnn_versions_are_written_as_people_do(int version, string expected) =>
        Assert.That(CudaInventory.CudnnVersion(version), Is.EqualTo(expected));

    [TestCase(120_804, "12.8.4")]
    [TestCase(130_002, "13.0.2")]
    public void Cublas_versions_are_written_as_people_do(int version, string expected) =>
        Assert.That(CudaInventory.DecimalVersion(version), Is.EqualTo(expected));
}
