using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;

namespace BoostingTicket.Engine.Cpu;

/// <summary>What the processor and the system say about instructions that .NET does not expose.</summary>
internal static unsafe partial class ProcessorFeatures
{
    // Linux: syscall 158 on x86-64 is arch_prctl; see "Using XSTATE features in user space applications" of the kernel's manual.
    private const nint ArchPrctl = 158;
    private const nint RequestPermission = 0x1023;
    private const nint TileData = 18;

    /// <summary>AVX512-BF16: products of bfloat16 pairs added to float32 in vectors (leaf 7, subleaf 1, EAX bit 5).</summary>
    public static bool HasVectorProducts => Avx512F.IsSupported && Avx512BW.IsSupported && (Leaf7(1).Eax >> 5 & 1) == 1;

    /// <summary>AMX-TILE and AMX-BF16: the same in tiles of 16x16 sums (leaf 7, EDX bits 24 and 22).</summary>
    public static bool HasTileProducts => HasVectorProducts && (Leaf7(0).Edx >> 24 & 1) == 1 && (Leaf7(0).Edx >> 22 & 1) == 1;

    /// <summary>Whether the maker is Intel, whose vector products of bfloat16 run at half the rate of float32's: measured on
    /// Emerald Rapids, 86 against 172 billion operations a second. AMD's run at twice the rate (Zen 4: 231 against
    /// 116).</summary>
    public static bool IsIntel
    {
        get
        {
            if (!X86Base.IsSupported)
                return false;
            (_, int b, int c, int d) = X86Base.CpuId(0, 0);
            return (b, d, c) == (0x756e6547, 0x49656e69, 0x6c65746e);
        }
    }

    /// <summary>Asks the system to let this process use tile registers, whose state of 8 KiB it must then save for every
    /// thread. May be asked again.</summary>
    public static bool MayUseTiles() =>
        OperatingSystem.IsLinux() && RuntimeInformation.ProcessArchitecture == Architecture.X64
        && SystemCall(ArchPrctl, RequestPermission, TileData) == 0;

    private static (int Eax, int Edx) Leaf7(int subleaf)
    {
        if (!X86Base.IsSupported || X86Base.CpuId(0, 0).Eax < 7)
            return default;
        (int eax, _, _, int edx) = X86Base.CpuId(7, subleaf);
        return (eax, edx);
    }

    [LibraryImport("libc", EntryPoint = "syscall")]
    private static partial nint SystemCall(nint number, nint code, nint feature);
}
