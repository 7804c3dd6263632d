using BoostingTicket.Engine.Cuda.Bindings;

namespace BoostingTicket.Engine.Tests.Cuda.Bindings;

/// <summary>Where libraries are looked for, in which order and version, on machines made of nothing but lists of files.</summary>
internal sealed class LibrarySearchTests
{
    private const string Site = "/home/u/env/lib/python3.12/site-packages";

    [TestCase("/opt/mine/libcublas.so.12", LibraryFolders.Variable, "/opt/mine")]
    [TestCase("/opt/mine/lib64/libcublas.so.12", LibraryFolders.Variable, "/opt/mine")]
    [TestCase("/opt/mine/targets/x86_64-linux/lib/libcublas.so.12", LibraryFolders.Variable, "/opt/mine")]
    [TestCase("/opt/mine/nvidia/cublas/lib/libcublas.so.12", LibraryFolders.Variable, "/opt/mine")]
    [TestCase("/opt/mine/cublas/lib/libcublas.so.12", LibraryFolders.Variable, "/nowhere:/opt/mine")]
    [TestCase("/a/b/libcublas.so.13", "LD_LIBRARY_PATH", "/x:/a/b/")]
    [TestCase("/usr/lib/x86_64-linux-gnu/libcublas.so.12", "", "")]
    [TestCase("/usr/lib64/libcublas.so.12", "", "")]
    [TestCase("/tk/lib64/libcublas.so.12", "CUDA_PATH", "/tk")]
    [TestCase("/tk/lib64/libcublas.so.12", "CUDA_HOME", "/tk")]
    [TestCase("/usr/local/cuda/lib64/libcublas.so.12", "", "")]
    [TestCase("/usr/local/cuda-12.6/lib64/libcublas.so.12", "", "")]
    [TestCase("/opt/cuda/lib64/libcublas.so.13", "", "")]
    [TestCase(Site + "/nvidia/cublas/lib/libcublas.so.12", "VIRTUAL_ENV", "/home/u/env")]
    [TestCase(Site + "/nvidia/cu13/lib/libcublas.so.13", "VIRTUAL_ENV", "/home/u/env")]
    [TestCase(Site + "/torch/lib/libcublas.so.11", "VIRTUAL_ENV", "/home/u/env")]
    [TestCase("/home/u/project/.venv/lib/python3.13/site-packages/nvidia/cublas/lib/libcublas.so.12", "", "")]
    [TestCase("/usr/lib/python3/dist-packages/nvidia/cublas/lib/libcublas.so.12", "", "")]
    [TestCase("/usr/local/lib/python3.12/dist-packages/nvidia/cu13/lib/libcublas.so.13", "", "")]
    [TestCase("/home/u/.local/lib/python3.10/site-packages/nvidia/cublas/lib/libcublas.so.12", "HOME", "/home/u")]
    [TestCase("/home/u/.pyenv/versions/3.11.7/lib/python3.11/site-packages/nvidia/cublas/lib/libcublas.so.12", "HOME", "/home/u")]
    [TestCase("/home/u/conda/lib/libcublas.so.12", "CONDA_PREFIX", "/home/u/conda")]
    [TestCase("/p/nvidia/cublas/lib/libcublas.so.12", "PYTHONPATH", "/p")]
    public void Usual_place_on_Linux_is_found(string file, string variable, string value)
    {
        FakeHost host = new FakeHost().With(file).Set(variable, value);
        Assert.That(new LibrarySearch(host).Locate(LibraryName.Cublas)?.Path, Is.EqualTo(file));
        Assert.That(new LibrarySearch(host).Load(LibraryName.Cublas, int.MaxValue, [])?.Place, Is.EqualTo(file));
    }

    [TestCase(@"C:\mine\cublas64_12.dll", LibraryFolders.Variable, @"C:\mine")]
    [TestCase(@"C:\bin\cublas64_12.dll", "PATH", @"C:\x;C:\bin")]
    [TestCase(@"C:\tk\bin\cublas64_12.dll", "CUDA_PATH", @"C:\tk")]
    [TestCase(@"C:\tk\bin\x64\cublas64_13.dll", "CUDA_PATH", @"C:\tk")]
    [TestCase(@"C:\Program Files\NVIDIA GPU Computing Toolkit\CUDA\v12.6\bin\cublas64_12.dll", "", "")]
    [TestCase(@"C:\env\Lib\site-packages\nvidia\cublas\bin\cublas64_12.dll", "VIRTUAL_ENV", @"C:\env")]
    [TestCase(@"C:\env\Lib\site-packages\nvidia\cu13\bin\x86_64\cublas64_13.dll", "VIRTUAL_ENV", @"C:\env")]
    [TestCase(@"C:\env\Lib\site-packages\torch\lib\cublas64_12.dll", "VIRTUAL_ENV", @"C:\env")]
    [TestCase(@"C:\conda\Library\bin\cublas64_12.dll", "CONDA_PREFIX", @"C:\conda")]
    [TestCase(@"C:\u\Programs\Python\Python312\Lib\site-packages\nvidia\cublas\bin\cublas64_12.dll", "LOCALAPPDATA", @"C:\u")]
    [TestCase(@"C:\r\Python\Python312\site-packages\nvidia\cublas\bin\cublas64_12.dll", "APPDATA", @"C:\r")]
    public void Usual_place_on_Windows_is_found(string file, string variable, string value)
    {
        FakeHost host = new FakeHost(windows: true).With(file).Set(variable, value);
        Assert.That(new LibrarySearch(host).Locate(LibraryName.Cublas)?.Path, Is.EqualTo(file));
    }

    [Test]
    public void Cudnn_of_its_own_Windows_installer_is_found()
    {
        const string file = @"C:\Program Files\NVIDIA\CUDNN\v9.6\bin\12.6\cudnn64_9.dll";
        Assert.That(new LibrarySearch(new FakeHost(windows: true).With(file)).Locate(LibraryName.Cudnn)?.Path, Is.EqualTo(file));
    }

    [Test]
    public void Python_on_the_path_shows_its_packages()
    {
        const string file = "/opt/py/lib/python3.11/site-packages/nvidia/cudnn/lib/libcudnn.so.9";
        FakeHost host = new FakeHost().With(file, "/opt/py/bin/python3").Set("PATH", "/usr/bin:/opt/py/bin");
        Assert.That(new LibrarySearch(host).Locate(LibraryName.Cudnn)?.Path, Is.EqualTo(file));
    }

    [Test]
    public void Python_that_is_a_link_into_a_virtual_environment_shows_the_packages_there()
    {
        const string file = "/srv/env/lib/python3.12/site-packages/nvidia/cudnn/lib/libcudnn.so.9";
        FakeHost host = new FakeHost().With(file, "/home/u/bin/python3", "/srv/env/bin/python3").Set("PATH", "/home/u/bin");
        Assert.That(new LibrarySearch(host).Locate(LibraryName.Cudnn), Is.Null);
        host.Links["/home/u/bin/python3"] = "/srv/env/bin/python3";
        host.Links["/srv/env/bin/python3"] = "/usr/bin/python3.12";
        Assert.That(new LibrarySearch(host).Locate(LibraryName.Cudnn)?.Path, Is.EqualTo(file));
        // A circle of links ends.
        host.Links["/usr/bin/python3.12"] = "/home/u/bin/python3";
        Assert.That(new LibrarySearch(host).Locate(LibraryName.Cudnn)?.Path, Is.EqualTo(file));
    }

    [Test]
    public void Arm_has_folders_of_its_own()
    {
        FakeHost host = new FakeHost { IsArm64 = true }.With(
            "/usr/local/cuda/targets/sbsa-linux/lib/libcublas.so.12", "/usr/lib/x86_64-linux-gnu/libcublas.so.12");
        Assert.That(new LibrarySearch(host).Locate(LibraryName.Cublas)?.Path, Does.Contain("sbsa"));
    }

    [Test]
    public void Places_are_searched_in_order()
    {
        string[] files =
        [
            "/mine/libcudnn.so.9", "/ld/libcudnn.so.9", "/usr/lib64/libcudnn.so.9", "/tk/lib64/libcudnn.so.9",
            "/usr/local/cuda/lib64/libcudnn.so.9", "/usr/local/cuda-13.0/lib64/libcudnn.so.9",
            "/usr/local/cuda-12.10/lib64/libcudnn.so.9",
            "/usr/local/cuda-12.9/lib64/libcudnn.so.9", Site + "/nvidia/cudnn/lib/libcudnn.so.9",
        ];
        List<string> order = [];
        for (int first = 0; first < files.Length; first++)
        {
            FakeHost host = new FakeHost().With(files[first..]).Set(LibraryFolders.Variable, "/mine").Set(
                "LD_LIBRARY_PATH", "/ld")
                .Set("CUDA_PATH", "/tk").Set("VIRTUAL_ENV", "/home/u/env");
            order.Add(new LibrarySearch(host).Locate(LibraryName.Cudnn)!.Value.Path);
        }
        Assert.That(order, Is.EqualTo(files));
    }

    [Test]
    public void New_version_anywhere_comes_before_an_old_one()
    {
        FakeHost host = new FakeHost().With("/usr/lib64/libcublas.so.11", Site + "/nvidia/cublas/lib/libcublas.so.12").Set(
            "VIRTUAL_ENV", "/home/u/env");
        Assert.That(new LibrarySearch(host).Locate(LibraryName.Cublas)?.Major, Is.EqualTo(12));
    }

    [Test]
    public void What_the_user_named_wins_in_any_version()
    {
        FakeHost host = new FakeHost().With("/mine/libcudnn.so.8", "/usr/lib64/libcudnn.so.9").Set(
            LibraryFolders.Variable, "/mine");
        Assert.That(new LibrarySearch(host).Locate(LibraryName.Cudnn)?.Major, Is.EqualTo(8));
    }

    [Test]
    public void Version_that_the_driver_cannot_run_is_passed_over()
    {
        FakeHost host = new FakeHost().With("/usr/lib64/libcublas.so.13", "/usr/lib64/libcublas.so.12");
        Assert.That(new LibrarySearch(host).Load(LibraryName.Cublas, 12, [])?.Major, Is.EqualTo(12));
    }

    [Test]
    public void Systems_loader_is_asked_by_name()
    {
        FakeHost host = new FakeHost { SystemNames = { "libcuda.so.1" } };
        Assert.That(new LibrarySearch(host).Load(LibraryName.Driver, int.MaxValue, [])?.Place, Is.EqualTo("libcuda.so.1"));
    }

    [Test]
    public void Stub_of_the_toolkit_is_not_the_driver()
    {
        FakeHost host = new FakeHost().With("/usr/local/cuda/lib64/libcuda.so").Set("LD_LIBRARY_PATH", "/usr/local/cuda/lib64");
        Assert.That(new LibrarySearch(host).Load(LibraryName.Driver, int.MaxValue, []), Is.Null);
    }

    [Test]
    public void Cublas_comes_after_what_it_depends_on()
    {
        FakeHost host = new FakeHost().With("/usr/lib64/libcublas.so.12", "/usr/lib64/libcublasLt.so.12");
        new LibrarySearch(host).Load(LibraryName.Cublas, int.MaxValue, []);
        Assert.That(host.Loaded, Is.EqualTo(new[] { "/usr/lib64/libcublasLt.so.12", "/usr/lib64/libcublas.so.12" }));
    }

    [Test]
    public void Cudnn_comes_after_its_parts_whatever_their_order()
    {
        const string folder = "/usr/lib64/";
        var host = new FakeHost();
        host.With(
            folder + "libcudnn.so.9", folder + "libcudnn_cnn.so.9", folder + "libcudnn_ops.so.9", folder + "libcudnn_graph.so.9",
            folder + "libcudnn_ops.so.9.1.0", folder + "libcudnn_ops_infer.so.8");
        host.Problem = path =>
            path.EndsWith("libcudnn_cnn.so.9", StringComparison.Ordinal) && !host.Loaded.Contains(folder + "libcudnn_ops.so.9")
                ? "needs ops"
            : path.EndsWith("libcudnn_ops.so.9", StringComparison.Ordinal)
                && !host.Loaded.Contains(folder + "libcudnn_graph.so.9") ? "needs graph"
            : null;
        List<string> problems = [];
        new LibrarySearch(host).Load(LibraryName.Cudnn, int.MaxValue, problems);
        Assert.That(problems, Is.Empty);
        Assert.That(host.Loaded, Is.EqualTo(new[] { "libcudnn_graph.so.9", "libcudnn_ops.so.9", "libcudnn_cnn.so.9",
            "libcudnn.so.9" }.Select(name => folder + name)));
    }

    [Test]
    public void Cudnns_dependencies_are_loaded_from_other_packages()
    {
        FakeHost host = new FakeHost().Set("VIRTUAL_ENV", "/home/u/env").With(
            Site + "/nvidia/cublas/lib/libcublas.so.12", Site + "/nvidia/cublas/lib/libcublasLt.so.12",
            Site + "/nvidia/cuda_nvrtc/lib/libnvrtc.so.12", Site + "/nvidia/cuda_runtime/lib/libcudart.so.12",
            Site + "/nvidia/cuda_nvrtc/lib/libnvrtc-builtins.so.12.8", Site + "/nvidia/cuda_nvrtc/lib/libnvrtc-builtins.so.13.0",
            "/usr/lib64/libcublas.so.13");
        new LibrarySearch(host).PreloadCudnnDependencies(12);
        Assert.That(host.Loaded, Is.EqualTo(new[]
        {
            Site + "/nvidia/cuda_runtime/lib/libcudart.so.12", Site + "/nvidia/cuda_nvrtc/lib/libnvrtc.so.12",
            Site + "/nvidia/cuda_nvrtc/lib/libnvrtc-builtins.so.12.8",
            Site + "/nvidia/cublas/lib/libcublasLt.so.12", Site + "/nvidia/cublas/lib/libcublas.so.12",
        }));
    }

    [Test]
    public void Windows_parts_of_cudnn_are_loaded_first()
    {
        FakeHost host = new FakeHost(windows: true).With(
            @"C:\env\Lib\site-packages\nvidia\cudnn\bin\cudnn64_9.dll",
            @"C:\env\Lib\site-packages\nvidia\cudnn\bin\cudnn_graph64_9.dll").Set("VIRTUAL_ENV", @"C:\env");
        new LibrarySearch(host).Load(LibraryName.Cudnn, int.MaxValue, []);
        Assert.That(host.Loaded.Select(path => path[(path.LastIndexOf('\\') + 1)..]), Is.EqualTo(
            new[] { "cudnn_graph64_9.dll", "cudnn64_9.dll" }));
    }

    [Test]
    public void Library_is_loaded_once()
    {
        FakeHost host = new FakeHost().With("/usr/lib64/libcublas.so.12");
        var search = new LibrarySearch(host);
        search.PreloadCudnnDependencies(12);
        search.Load(LibraryName.Cublas, int.MaxValue, []);
        Assert.That(host.Loaded, Has.Exactly(1).Items);
    }

    [Test]
    public void Broken_file_is_reported_and_the_next_one_taken()
    {
        FakeHost host = new FakeHost
        {
            Problem = path => path.StartsWith("/ld", StringComparison.Ordinal) ? "invalid ELF header" : null,
        }
            .With("/ld/libcublas.so.12", "/usr/lib64/libcublas.so.12").Set("LD_LIBRARY_PATH", "/ld");
        List<string> problems = [];
        Assert.That(new LibrarySearch(host).Load(LibraryName.Cublas, int.MaxValue, problems)?.Place, Is.EqualTo(
            "/usr/lib64/libcublas.so.12"));
        Assert.That(problems, Is.EqualTo(new[] { "/ld/libcublas.so.12 could not be loaded (invalid ELF header)" }));
    }

    [Test]
    public void Places_name_variables_and_folders()
    {
        FakeHost host = new FakeHost().With("/ld/x", "/usr/lib64/x").Set("LD_LIBRARY_PATH", "/ld:/gone");
        Assert.That(new LibrarySearch(host).Places, Is.EqualTo(
            "BOOSTING_TICKET_CUDA_PATH (not set), LD_LIBRARY_PATH (/ld), the system's library path (with /usr/lib64), CUDA_PATH "
            + "(not set), "
            + "CUDA_HOME (not set), /usr/local/cuda* (none), Python and conda packages (none)"));
    }
}
