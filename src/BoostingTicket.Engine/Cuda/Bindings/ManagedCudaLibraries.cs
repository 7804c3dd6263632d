using System.Runtime.Loader;

namespace BoostingTicket.Engine.Cuda.Bindings;

/// <summary>Shows ManagedCuda the libraries that were found: by itself it only knows the names of CUDA 12 on the system's library
/// path.</summary>
internal static class ManagedCudaLibraries
{
    private static readonly Lock Gate = new();
    private static nint _driver;
    private static nint _cublas;

    /// <summary>Answers ManagedCuda's requests with these libraries. The runtime asks here after its own search has
    /// failed.</summary>
    public static void Resolve(NativeModule driver, NativeModule cublas)
    {
        lock (Gate)
        {
            if (_driver == 0)
                AssemblyLoadContext.Default.ResolvingUnmanagedDll += (_, name) => Library(name);
            _driver = driver.Handle;
            _cublas = cublas.Handle;
        }
    }

    // ManagedCuda's names: those of Windows everywhere, and on Linux first the plain ones.
    private static nint Library(string name) => name switch
    {
        "nvcuda" or "libcuda" => _driver,
        "cublas" => _cublas,
        _ when name.StartsWith("cublas64_", StringComparison.Ordinal) => _cublas,
        _ => 0,
    };
}
