using System.Runtime.InteropServices;

namespace BoostingTicket.GoldenData;

/// <summary>Keeps libtorch to its plainest float32 convolutions.</summary>
/// <remarks>oneDNN 3.7.1, which libtorch 2.10.0 brings, was seen to compute wrong gradients of narrow convolutions by AVX2 and AVX-512,
/// not the same ones in every run; by SSE 4.1 they agree with float64 to 4e-7. The golden values are float64, which oneDNN has no
/// part in; the float32 recordings that they are compared with would be refused.</remarks>
internal static partial class PlainKernels
{
    /// <summary>Asks for them. Call it before libtorch is loaded.</summary>
    /// <exception cref="InvalidOperationException">The environment cannot be changed.</exception>
    public static void Ask()
    {
        // Environment.SetEnvironmentVariable changes .NET's copy alone.
        if (SetVariable("ONEDNN_MAX_CPU_ISA", "SSE41", 1) != 0)
            throw new InvalidOperationException("ONEDNN_MAX_CPU_ISA=SSE41 cannot be set; set it before the start.");
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetVariable(string name, string value, int overwrite);
}
