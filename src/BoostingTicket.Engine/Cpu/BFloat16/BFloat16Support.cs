using System.Runtime.InteropServices;

namespace BoostingTicket.Engine.Cpu.BFloat16;

/// <summary>Whether this machine's processor computes attacks in bfloat16, and with what. Found out once a process: processor and
/// system are asked, kernels emitted and checked.</summary>
internal static class BFloat16Support
{
    private static readonly Lazy<(BFloat16Kernels? Kernels, string Reason)> Found = new(Find);

    /// <summary>The fastest kernels that passed their check; null where there are none.</summary>
    public static BFloat16Kernels? Kernels => Found.Value.Kernels;

    /// <summary>Why there are none, as part of a sentence; empty where there are some.</summary>
    public static string Reason => Found.Value.Reason;

    private static (BFloat16Kernels?, string) Find()
    {
        if (!OperatingSystem.IsLinux() || RuntimeInformation.ProcessArchitecture != Architecture.X64)
            return (null, "bfloat16 needs Linux on an x86-64 processor");
        if (!ProcessorFeatures.HasVectorProducts)
            return (null, "the processor has no AVX512-BF16");
        try
        {
            if (ProcessorFeatures.HasTileProducts && ProcessorFeatures.MayUseTiles())
                return Checked(new TileKernels());
            return ProcessorFeatures.IsIntel
                ? (null, ProcessorFeatures.HasTileProducts
                    ? "the system does not permit AMX, and without it Intel's processors are slower in bfloat16"
                    : "Intel's processors without AMX are slower in bfloat16")
                : Checked(new VectorKernels());
        }
        catch (ExecutableMemoryException refused)
        {
            return (null, refused.Message);
        }
    }

    private static (BFloat16Kernels?, string) Checked(BFloat16Kernels kernels) => KernelCheck.Failure(kernels) is { } failure
        ? (null, $"the {kernels.Name} kernels failed their check ({failure})")
        : (kernels, "");
}
