using System.Globalization;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cuda.Bindings;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Cuda;

/// <summary>Which number formats a GPU computes in. Tensor cores take TF32 and bfloat16 from compute capability 8.0 on (NVIDIA,
/// "CUDA C++ Programming Guide", section on compute capabilities).</summary>
internal static class CudaPrecision
{
    private const int FirstMajor = 8;

    /// <summary>The format that is taken.</summary>
    /// <param name="asked">What was asked for; null for the fastest that the GPU has.</param>
    /// <param name="driver">The driver, started.</param>
    /// <param name="device">Number of the GPU.</param>
    /// <exception cref="DeviceException">The GPU does not have what was asked for.</exception>
    public static Precision Resolve(Precision? asked, ICudaDriver driver, int device) => Resolve(
        asked, driver.DeviceName(device), driver.Attribute(DeviceAttribute.ComputeCapabilityMajor, device),
        driver.Attribute(DeviceAttribute.ComputeCapabilityMinor, device));

    /// <summary>The format that is taken on a GPU of a name and a compute capability.</summary>
    public static Precision Resolve(Precision? asked, string name, int major, int minor)
    {
        if (asked is null)
            return Fastest(major);
        if (asked == Precision.Float32 || major >= FirstMajor)
            return asked.Value;
        string word = asked == Precision.BFloat16 ? "bf16" : "tf32";
        throw new DeviceException(string.Create(
            CultureInfo.InvariantCulture,
            $"The number format {word} needs a GPU of compute capability {FirstMajor}.0 or later, and {name} has "
            + $"{major}.{minor}; leave out "
            + $"the format, or choose float32."));
    }

    /// <summary>What a GPU of a compute capability takes by itself. bfloat16 is faster than TF32, but robust accuracies fell out
    /// of float32's spread in some trainings (docs/architecture.md).</summary>
    public static Precision Fastest(int major) => major >= FirstMajor ? Precision.TensorFloat32 : Precision.Float32;
}
