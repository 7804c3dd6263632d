using System.Globalization;
using System.Runtime.InteropServices;

namespace BoostingTicket.Engine.Cuda;

/// <summary>Finds out what of CUDA this machine has, without touching a GPU: only the driver library is asked.</summary>
public sealed record CudaProbe
{
    /// <summary>What the program needs, in words.</summary>
    public const string Requirements = "an NVIDIA driver for CUDA 12 or 13 (525 or later), cuBLAS 12 or 13 and cuDNN 8 or 9";

    private const int Success = 0;

    /// <summary>Name of the driver's library on this system.</summary>
    public static string DriverLibrary => OperatingSystem.IsWindows() ? "nvcuda.dll" : "libcuda.so.1";

    /// <summary>Whether the driver's library could be loaded.</summary>
    public bool DriverFound { get; private init; }

    /// <summary>CUDA version that the driver supports, such as <c>13.0</c>; null when it did not say.</summary>
    public string? DriverVersion { get; private init; }

    /// <summary>GPUs that the driver reports; 0 when it could not be started.</summary>
    public int Devices { get; private init; }

    /// <summary>Looks.</summary>
    public static CudaProbe Run()
    {
        if (!NativeLibrary.TryLoad(DriverLibrary, out nint library))
            return new CudaProbe();
        try
        {
            return new CudaProbe
            {
                DriverFound = true,
                DriverVersion = ReadVersion(library),
                Devices = CountDevices(library),
            };
        }
        finally
        {
            NativeLibrary.Free(library);
        }
    }

    /// <summary>Whether <c>--device cuda</c> can work: never in a build without the CUDA backend.</summary>
    public bool Usable => false;

    /// <summary>Why CUDA cannot be used and what to do about it, as the middle of a sentence.</summary>
    public string Reason => DriverFound
        ? $"the driver library {DriverLibrary} is there (CUDA {DriverVersion ?? "of an unknown version"}, {Devices} GPU(s)), "
            + "but this version of the program has no CUDA backend yet"
        : $"the driver library {DriverLibrary} was not found on the system's library path"
            + $"{(OperatingSystem.IsWindows() ? "" : " or in LD_LIBRARY_PATH")}; wanted are {Requirements}, from "
            + "https://www.nvidia.com/drivers and https://developer.nvidia.com/cudnn; besides, this version of the program has no "
            + "CUDA backend yet";

    private static unsafe string? ReadVersion(nint library)
    {
        if (!NativeLibrary.TryGetExport(library, "cuDriverGetVersion", out nint address))
            return null;
        int version;
        return ((delegate* unmanaged<int*, int>)address)(&version) == Success
            ? string.Create(CultureInfo.InvariantCulture, $"{version / 1000}.{version % 1000 / 10}")
            : null;
    }

    private static unsafe int CountDevices(nint library)
    {
        if (!NativeLibrary.TryGetExport(library, "cuInit", out nint init)
            || !NativeLibrary.TryGetExport(library, "cuDeviceGetCount", out nint count)
            || ((delegate* unmanaged<uint, int>)init)(0) != Success)
        {
            return 0;
        }

        int devices;
        return ((delegate* unmanaged<int*, int>)count)(&devices) == Success ? devices : 0;
    }
}
