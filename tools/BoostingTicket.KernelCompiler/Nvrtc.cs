using System.Runtime.InteropServices;
using System.Text;

namespace BoostingTicket.KernelCompiler;

/// <summary>NVIDIA's run-time compiler from CUDA C to PTX. It needs no GPU, no driver and no host compiler. Only version 11.8 is
/// accepted: another one makes other bytes, and its PTX asks for a later driver.</summary>
public sealed unsafe class Nvrtc : IDisposable
{
    /// <summary>The version.</summary>
    public const string RequiredVersion = "11.8";

    private const int Success = 0;
    private const int CompilationError = 6;

    private readonly nint _builtins;
    private readonly nint _library;

    private Nvrtc(nint builtins, nint library)
    {
        _builtins = builtins;
        _library = library;
    }

    /// <summary>Loads the compiler from a folder.</summary>
    /// <param name="folder">Holds both libraries.</param>
    /// <exception cref="DllNotFoundException">A library is missing or cannot be loaded.</exception>
    /// <exception cref="NotSupportedException">It is of another version.</exception>
    public static Nvrtc Load(string folder)
    {
        // The compiler looks for its builtins by name alone, which finds them only if they are loaded already.
        nint builtins = NativeLibrary.Load(Path.Combine(folder, NvrtcFolders.BuiltinsFile));
        nint library = NativeLibrary.Load(Path.Combine(folder, NvrtcFolders.LibraryFile));
        var nvrtc = new Nvrtc(builtins, library);
        string version = nvrtc.Version();
        if (version == RequiredVersion)
            return nvrtc;
        nvrtc.Dispose();
        throw new NotSupportedException($"{folder} holds NVRTC {version}; kernels are compiled with {RequiredVersion}.");
    }

    /// <summary>Compiles a family; the PTX begins with <see cref="KernelSource.Head"/> and ends with a line feed.</summary>
    /// <exception cref="KernelCompilationException">The compiler refuses it or warns.</exception>
    public string Compile(KernelSource source)
    {
        using var names = new Strings([source.Family + ".cu"]);
        using var texts = new Strings([source.Text]);
        using var headerNames = new Strings([.. source.Headers.Select(header => header.Name)]);
        using var headerTexts = new Strings([.. source.Headers.Select(header => header.Text)]);
        using var options = new Strings(KernelSource.Options);
        nint program;
        Check(((delegate* unmanaged<nint*, byte*, byte*, int, byte**, byte**, int>)Export("nvrtcCreateProgram"))(
            &program, texts.Pointers[0], names.Pointers[0], headerNames.Count, headerTexts.Pointers, headerNames.Pointers),
            "nvrtcCreateProgram");
        try
        {
            int status = ((delegate* unmanaged<nint, int, byte**, int>)Export("nvrtcCompileProgram"))(
                program, options.Count, options.Pointers);
            string log = Text(program, "nvrtcGetProgramLogSize", "nvrtcGetProgramLog");
            if (status == CompilationError || (status == Success && log.Trim().Length > 0))
                throw new KernelCompilationException($"{source.Path}:\n{log.Trim()}");
            Check(status, "nvrtcCompileProgram");
            return source.Head + Text(program, "nvrtcGetPTXSize", "nvrtcGetPTX").Trim() + "\n";
        }
        finally
        {
            _ = ((delegate* unmanaged<nint*, int>)Export("nvrtcDestroyProgram"))(&program);
        }
    }

    /// <summary>Unloads the compiler.</summary>
    public void Dispose()
    {
        NativeLibrary.Free(_library);
        NativeLibrary.Free(_builtins);
    }

    private string Version()
    {
        int major, minor;
        Check(((delegate* unmanaged<int*, int*, int>)Export("nvrtcVersion"))(&major, &minor), "nvrtcVersion");
        return $"{major}.{minor}";
    }

    private string Text(nint program, string sizeCall, string call)
    {
        nuint size;
        Check(((delegate* unmanaged<nint, nuint*, int>)Export(sizeCall))(program, &size), sizeCall);
        byte[] bytes = new byte[size];
        fixed (byte* first = bytes)
            Check(((delegate* unmanaged<nint, byte*, int>)Export(call))(program, first), call);
        return Encoding.UTF8.GetString(bytes.AsSpan().TrimEnd((byte)0));
    }

    private void Check(int status, string call)
    {
        if (status == Success)
            return;
        byte* meaning = ((delegate* unmanaged<int, byte*>)Export("nvrtcGetErrorString"))(status);
        throw new InvalidOperationException($"{call} answered {Marshal.PtrToStringUTF8((nint)meaning)} ({status}).");
    }

    private nint Export(string name) => NativeLibrary.GetExport(_library, name);

    /// <summary>An array of C strings.</summary>
    private sealed class Strings : IDisposable
    {
        public Strings(string[] values)
        {
            Count = values.Length;
            Pointers = (byte**)NativeMemory.Alloc((nuint)Math.Max(1, Count), (nuint)sizeof(byte*));
            for (int i = 0; i < Count; i++)
                Pointers[i] = (byte*)Marshal.StringToCoTaskMemUTF8(values[i]);
        }

        public int Count { get; }

        public byte** Pointers { get; }

        public void Dispose()
        {
            for (int i = 0; i < Count; i++)
                Marshal.FreeCoTaskMem((nint)Pointers[i]);
            NativeMemory.Free(Pointers);
        }
    }
}

/// <summary>CUDA C that does not compile; the message is the compiler's log.</summary>
public sealed class KernelCompilationException(string message) : Exception(message);
