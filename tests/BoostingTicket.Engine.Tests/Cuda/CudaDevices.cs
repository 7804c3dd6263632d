using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cuda;
using BoostingTicket.SoftwareCuda;

namespace BoostingTicket.Engine.Tests.Cuda;

/// <summary>The devices that the CUDA backend is tested on: the software device everywhere, the real GPU where there is one. With
/// <see cref="RequireVariable"/> set to 1, a GPU that cannot be used is a failure instead of a reason to skip.</summary>
internal static class CudaDevices
{
    /// <summary>The software device.</summary>
    public const string Software = "software";

    /// <summary>The first GPU.</summary>
    public const string Gpu = "gpu";

    /// <summary>Environment variable that requires the GPU.</summary>
    public const string RequireVariable = "BOOSTING_TICKET_REQUIRE_CUDA";

    /// <summary>Names of all devices.</summary>
    public static IReadOnlyList<string> Names { get; } = [Software, Gpu];

    /// <summary>Opens the CUDA backend on a device; skips or fails the test where there is no GPU.</summary>
    public static IBackend Open(string device, CudaOptions options)
    {
        if (device == Software)
            return SoftwareMachine.Open(options);
        CudaProbe probe = CudaProbe.Run();
        if (!probe.Usable)
        {
            string reason = $"There is no usable GPU: {probe.Reason}.";
            if (Environment.GetEnvironmentVariable(RequireVariable) == "1")
                Assert.Fail($"{RequireVariable} is set, but {reason}");
            Assert.Ignore(reason);
        }
        return CudaBackend.Open(options);
    }
}
