using System.Globalization;

namespace BoostingTicket.Engine.Cuda.Bindings;

/// <summary>A library of CUDA: what its files are called, which versions can be used, and how to get it.</summary>
/// <param name="Product">What people call it.</param>
/// <param name="Linux">Name of its file on Linux, <c>{0}</c> the major version.</param>
/// <param name="Windows">Name of its file on Windows, <c>{0}</c> the major version.</param>
/// <param name="Tiers">Major versions: those of the first group are looked for everywhere before those of the second.</param>
/// <param name="Install">How to get it, as the end of a sentence.</param>
internal sealed record LibraryName(string Product, string Linux, string Windows, int[][] Tiers, string Install)
{
    /// <summary>The driver, which comes with the GPU's own installer. Not <c>libcuda.so</c>: that may be the toolkit's
    /// stub.</summary>
    public static LibraryName Driver { get; } = new(
        "NVIDIA driver", "libcuda.so.1", "nvcuda.dll", [[0]],
        "install a driver for CUDA 12 or later (525 or later) from https://www.nvidia.com/drivers");

    /// <summary>cuBLAS, a part of the CUDA toolkit.</summary>
    public static LibraryName Cublas { get; } = new(
        "cuBLAS", "libcublas.so.{0}", "cublas64_{0}.dll", [[13, 12], [11]],
        "install cuBLAS with 'pip install nvidia-cublas-cu12' (CUDA 13: nvidia-cublas) or with the CUDA toolkit from "
            + "https://developer.nvidia.com/cuda-downloads");

    /// <summary>The part of cuBLAS that cuBLAS itself and cuDNN depend on.</summary>
    public static LibraryName CublasLt { get; } = Cublas with
    {
        Product = "cuBLASLt",
        Linux = "libcublasLt.so.{0}",
        Windows = "cublasLt64_{0}.dll",
    };

    /// <summary>cuDNN; its functions are spread over more libraries of the same folder (see <see cref="IsCudnnPart"/>).</summary>
    public static LibraryName Cudnn { get; } = new(
        "cuDNN", "libcudnn.so.{0}", "cudnn64_{0}.dll", [[9], [8]],
        "install cuDNN with 'pip install nvidia-cudnn-cu12' (CUDA 13: nvidia-cudnn-cu13) or from "
            + "https://developer.nvidia.com/cudnn-downloads");

    /// <summary>NCCL, which several GPUs exchange values by. Processes are joined on Linux only; there is none for
    /// Windows.</summary>
    public static LibraryName Nccl { get; } = new(
        "NCCL", "libnccl.so.{0}", "nccl{0}.dll", [[2]],
        "install NCCL with 'pip install nvidia-nccl-cu12' (CUDA 13: nvidia-nccl-cu13) or from https://developer.nvidia.com/nccl");

    /// <summary>File name of a major version.</summary>
    public string File(bool windows, int major) => string.Format(CultureInfo.InvariantCulture, windows ? Windows : Linux, major);

    /// <summary>File names of all versions, the preferred first.</summary>
    public IEnumerable<string> Files(bool windows) => Tiers.SelectMany(tier => tier).Select(major => File(windows, major));

    /// <summary>Files that cuDNN may ask for by name and that no package of it contains: CUDA's runtime and run-time
    /// compiler.</summary>
    /// <param name="windows">Whether for Windows.</param>
    /// <param name="cudaMajor">Major version of CUDA.</param>
    public static IEnumerable<string> CudnnHelpers(bool windows, int cudaMajor) => (windows, cudaMajor) switch
    {
        (false, 11) => ["libcudart.so.11.0", "libnvrtc.so.11.2"],
        (false, _) => [$"libcudart.so.{cudaMajor}", $"libnvrtc.so.{cudaMajor}"],
        (true, 11) => ["cudart64_110.dll", "nvrtc64_112_0.dll"],
        (true, _) => [$"cudart64_{cudaMajor}.dll", $"nvrtc64_{cudaMajor}0_0.dll"],
    };

    /// <summary>Whether a file is the part of CUDA's run-time compiler that it loads by a name with the minor version in
    /// it.</summary>
    /// <param name="cudaMajor">Major version of CUDA.</param>
    /// <param name="name">Name of the file, without folder, of Linux.</param>
    public static bool IsNvrtcPart(int cudaMajor, string name) =>
        name.StartsWith(
            string.Create(CultureInfo.InvariantCulture, $"libnvrtc-builtins.so.{cudaMajor}."), StringComparison.Ordinal);

    /// <summary>Whether a file is one of the libraries that make up cuDNN.</summary>
    /// <param name="windows">Whether of Windows.</param>
    /// <param name="major">Major version of cuDNN.</param>
    /// <param name="name">Name of the file, without folder.</param>
    public static bool IsCudnnPart(bool windows, int major, string name) => windows
        ? name.StartsWith("cudnn_", StringComparison.OrdinalIgnoreCase)
            && name.EndsWith($"64_{major}.dll", StringComparison.OrdinalIgnoreCase)
        : name.StartsWith("libcudnn_", StringComparison.Ordinal) && name.EndsWith($".so.{major}", StringComparison.Ordinal);
}
