using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Runtime.InteropServices;
using BoostingTicket.Engine.Cuda.Bindings;

namespace BoostingTicket.Engine.Tests.Cuda.Bindings;

/// <summary>The libraries of FakeCuda.c, compiled into a folder. Each instance loads copies of its own.</summary>
internal sealed unsafe class FakeLibraries : IDisposable
{
    private const int Patience = 60_000;

    private FakeLibraries(string folder)
    {
        Folder = folder;
    }

    /// <summary>Where they lie.</summary>
    public string Folder { get; }

    /// <summary>This machine, with nothing but the folder in its environment.</summary>
    public ILibraryHost Host => new OnlyFolder(Folder);

    /// <summary>Compiles the libraries; ignores the calling test where there is no C compiler.</summary>
    public static FakeLibraries Compile(int driver = 13_000, int cublas = 12, int cudnn = 91_002, int nccl = 22_809)
    {
        if (!OperatingSystem.IsLinux())
            Assert.Ignore("Needs Linux: the stand-ins for CUDA's libraries are built as ELF libraries.");
        if (!Gcc(Path.GetTempPath(), "--version"))
            Assert.Ignore("Needs gcc, to build stand-ins for CUDA's libraries.");
        string folder = Directory.CreateTempSubdirectory("boosting-ticket-fake-cuda-").FullName;
        using (Stream source = Assembly.GetExecutingAssembly().GetManifestResourceStream("FakeCuda.c")!)
        using (FileStream file = File.Create(Path.Combine(folder, "fake.c")))
            source.CopyTo(file);
        int cudnnMajor = cudnn >= 90_000 ? cudnn / 10_000 : cudnn / 1_000;
        Build(folder, "libcuda.so.1", $"-DDRIVER -DVERSION={driver}");
        Build(folder, $"libcublasLt.so.{cublas}", "");
        Build(folder, $"libcublas.so.{cublas}", $"-DCUBLAS -DVERSION={cublas}");
        Build(folder, $"libcudnn_ops.so.{cudnnMajor}", "-DCUDNN_OPS");
        Build(folder, $"libcudnn.so.{cudnnMajor}", $"-DCUDNN -DVERSION={cudnn} -L. -l:libcudnn_ops.so.{cudnnMajor}");
        Build(folder, "libnccl.so.2", $"-DNCCL -DVERSION={nccl}");
        return new FakeLibraries(folder);
    }

    /// <summary>Calls that a library got since <see cref="Reset"/>, one a line.</summary>
    public static string[] Calls(NativeModule library) =>
        Marshal.PtrToStringUTF8((nint)((delegate* unmanaged<byte*>)Export(library, "fake_calls"))())!
        .Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>Forgets calls and failures.</summary>
    public static void Reset(NativeModule library) => ((delegate* unmanaged<void>)Export(library, "fake_reset"))();

    /// <summary>Makes a function fail.</summary>
    public static void Fail(NativeModule library, string function, int status)
    {
        nint name = Marshal.StringToCoTaskMemUTF8(function);
        ((delegate* unmanaged<nint, int, void>)Export(library, "fake_fail"))(name, status);
        Marshal.FreeCoTaskMem(name);
    }

    /// <summary>Whether the driver says that it has memory pools.</summary>
    public static void SetPools(NativeModule library, bool supported) =>
        ((delegate* unmanaged<int, void>)Export(library, "fake_pools"))(supported ? 1 : 0);

    /// <summary>Sets a number that describes the GPU.</summary>
    public static void SetAttribute(NativeModule library, int attribute, int value) =>
        ((delegate* unmanaged<int, int, void>)Export(library, "fake_attribute"))(attribute, value);

    /// <summary>Loads one of the libraries.</summary>
    public NativeModule Load(LibraryName name)
    {
        var search = new LibrarySearch(Host);
        List<string> problems = [];
        return search.Load(name, int.MaxValue, problems) ?? throw new InvalidOperationException(string.Join("; ", problems));
    }

    public void Dispose() => Directory.Delete(Folder, true);

    private static nint Export(NativeModule library, string name) => NativeLibrary.GetExport(library.Handle, name);

    // The loader takes a library that is loaded already for any other of the same SONAME: with the real names, tests that look
    // for the machine's own CUDA later in the same process would find the stand-ins.
    private static void Build(string folder, string file, string options)
    {
        string name = $"{Path.GetFileName(folder)}-{file}";
        const string Warnings = "-Wall -Werror -Wno-unused-function -Wno-unused-variable";
        if (!Gcc(folder, $"-shared -fPIC -O1 {Warnings} -Wl,-soname,{name} -o {file} fake.c {options}"))
            throw new InvalidOperationException($"gcc does not compile {file}.");
    }

    private static bool Gcc(string folder, string arguments)
    {
        try
        {
            using Process gcc = Process.Start(
                new ProcessStartInfo("gcc", arguments) { WorkingDirectory = folder, RedirectStandardOutput = true })!;
            gcc.StandardOutput.ReadToEnd();
            return gcc.WaitForExit(Patience) && gcc.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }

    // The real loader, and no folder but one: whatever of CUDA the machine has stays out of the test.
    private sealed class OnlyFolder(string folder) : ILibraryHost
    {
        public bool IsWindows => false;

        public bool IsArm64 => SystemLibraryHost.Instance.IsArm64;

        public string CurrentFolder => folder;

        public string? Variable(string name) => name == LibraryFolders.Variable ? folder : null;

        public bool FileExists(string path) => IsInside(path) && File.Exists(path);

        public string? LinkTarget(string path) => null;

        public bool FolderExists(string path) => IsInside(path) && Directory.Exists(path);

        public IEnumerable<string> FileNames(string path) => IsInside(path) ? SystemLibraryHost.Instance.FileNames(path) : [];

        public IEnumerable<string> FolderNames(string path) => IsInside(path) ? SystemLibraryHost.Instance.FolderNames(path) : [];

        public bool TryLoad(string pathOrName, out nint handle, [NotNullWhen(false)] out string? problem)
        {
            if (IsInside(pathOrName))
                return SystemLibraryHost.Instance.TryLoad(pathOrName, out handle, out problem);
            handle = 0;
            problem = $"{pathOrName}: cannot open shared object file: No such file or directory";
            return false;
        }

        public bool TryExport(nint handle, string name, out nint address) =>
            SystemLibraryHost.Instance.TryExport(handle, name, out address);

        private bool IsInside(string path) => path.StartsWith(folder, StringComparison.Ordinal);
    }
}
