using System.Runtime.InteropServices;
using BoostingTicket.TorchSharpSupport;

namespace BoostingTicket.Benchmarks;

/// <summary>Sets up memory for libtorch as someone does who cares for speed.</summary>
/// <remarks>libtorch allocates every result anew. As glibc is set up by itself, it maps such blocks from the system and gives
/// them back at once, so that every tensor costs its page faults: on a virtual machine that was four fifths of TorchSharp's time.
/// This engine allocates nothing in its steps, and its memory is in large pages already.</remarks>
internal static class TorchAllocator
{
    private const int TrimThreshold = -1;
    private const int TopPad = -2;
    private const int MostMapped = -4;

    /// <summary>Lets the process keep what it freed, and libtorch ask for large pages; nothing where the C library is not glibc.
    /// Call it before libtorch is loaded.</summary>
    /// <exception cref="InvalidOperationException">The C library refused.</exception>
    public static void KeepFreedMemory()
    {
        if (!OperatingSystem.IsLinux() || !NativeLibrary.TryLoad("libc.so.6", out nint library))
            return;
        NativeLibrary.Free(library);
        Set(TrimThreshold, -1);
        Set(TopPad, 256 << 20);
        Set(MostMapped, 0);
        NativeEnvironment.Set("THP_MEM_ALLOC_ENABLE", "1");
    }

    private static void Set(int parameter, int value)
    {
        if (SetOption(parameter, value) == 0)
            throw new InvalidOperationException($"The allocator refused {value} for its parameter {parameter} (mallopt).");
    }

    [DllImport("libc.so.6", EntryPoint = "mallopt")]
    private static extern int SetOption(int parameter, int value);
}
