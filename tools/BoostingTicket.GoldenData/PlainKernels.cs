using BoostingTicket.TorchSharpSupport;

namespace BoostingTicket.GoldenData;

/// <summary>Keeps libtorch to its plainest float32 convolutions.</summary>
/// <remarks>oneDNN 3.7.1, which libtorch 2.10.0 brings, was seen to compute wrong gradients of narrow convolutions by AVX2 and
/// AVX-512, not the same ones in every run; by SSE 4.1 they agree with float64 to 4e-7. The golden values are float64, which
/// oneDNN has no part in; the float32 recordings that they are compared with would be refused.</remarks>
internal static class PlainKernels
{
    /// <summary>Asks for them. Call it before libtorch is loaded.</summary>
    /// <exception cref="InvalidOperationException">The environment cannot be changed.</exception>
    public static void Ask() => NativeEnvironment.Set("ONEDNN_MAX_CPU_ISA", "SSE41");
}
