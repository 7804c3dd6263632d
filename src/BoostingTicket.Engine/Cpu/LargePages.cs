using System.Runtime.InteropServices;

namespace BoostingTicket.Engine.Cpu;

/// <summary>Large pages for large blocks of memory. A layer walks over planes that lie many pages apart; with pages of 4 KiB
/// most of its accesses miss the translation caches.</summary>
internal static unsafe partial class LargePages
{
    /// <summary>Bytes of a large page.</summary>
    public const int Size = 2 << 20;

    /// <summary>Bytes of the smallest block that asks for large pages: one that loses little by beginning on a page.</summary>
    public const int Least = 4 << 20;

    private const int AdviseHugePage = 14;

    /// <summary>Asks the system to back a block with large pages, before it is first touched. Where the system has none, or does
    /// not want to, nothing happens.</summary>
    /// <param name="memory">Start of the block.</param>
    /// <param name="bytes">Its length.</param>
    public static void Ask(void* memory, long bytes)
    {
        if (!OperatingSystem.IsLinux() || bytes < Least)
            return;
        try
        {
            _ = Advise(memory, (nuint)(bytes / Size * Size), AdviseHugePage);
        }
        catch (DllNotFoundException)
        {
        }
        catch (EntryPointNotFoundException)
        {
        }
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(void* address, nuint length, int advice);
}
