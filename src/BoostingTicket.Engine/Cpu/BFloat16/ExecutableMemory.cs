using System.Runtime.InteropServices;

namespace BoostingTicket.Engine.Cpu.BFloat16;

/// <summary>Machine code in pages of its own. They are writable until the code is there and executable from then on, never both.
/// Kept until the process ends.</summary>
internal static unsafe partial class ExecutableMemory
{
    private const int ProtectRead = 1;
    private const int ProtectWrite = 2;
    private const int ProtectExecute = 4;
    private const int MapPrivate = 2;
    private const int MapAnonymous = 0x20;
    private static readonly nint Failed = -1;

    /// <summary>Puts code where it can be called. Linux alone.</summary>
    /// <param name="code">Position-independent code.</param>
    /// <returns>Its address.</returns>
    /// <exception cref="ExecutableMemoryException">The system refuses the memory, or to let it be executed.</exception>
    public static nint Write(ReadOnlySpan<byte> code)
    {
        nuint page = (nuint)Environment.SystemPageSize, length = ((nuint)code.Length + page - 1) / page * page;
        nint address = Map(0, length, ProtectRead | ProtectWrite, MapPrivate | MapAnonymous, -1, 0);
        if (address == Failed)
            throw new ExecutableMemoryException($"the system gives no memory for machine code ({LastError})");
        code.CopyTo(new Span<byte>((void*)address, code.Length));
        if (Protect(address, length, ProtectRead | ProtectExecute) == 0)
            return address;
        string reason = LastError;
        _ = Unmap(address, length);
        throw new ExecutableMemoryException($"the system lets no generated machine code be executed ({reason})");
    }

    private static string LastError => Marshal.GetLastPInvokeErrorMessage();

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    private static partial nint Map(nint address, nuint length, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", EntryPoint = "mprotect", SetLastError = true)]
    private static partial int Protect(nint address, nuint length, int protection);

    [LibraryImport("libc", EntryPoint = "munmap", SetLastError = true)]
    private static partial int Unmap(nint address, nuint length);
}

/// <summary>The system refuses executable memory; the message says which way, as part of a sentence.</summary>
internal sealed class ExecutableMemoryException(string message) : Exception(message);
