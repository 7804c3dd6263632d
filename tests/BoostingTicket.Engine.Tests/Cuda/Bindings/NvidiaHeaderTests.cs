using System.Reflection;
using System.Text;
using BoostingTicket.Engine.Cuda.Bindings;

namespace BoostingTicket.Engine.Tests.Cuda.Bindings;

/// <summary>The bindings against NVIDIA's own headers, where <see cref="NvidiaHeaders.Variable"/> names them.</summary>
internal sealed class NvidiaHeaderTests
{
    [TestCase("cuda.h", typeof(CudaDriverFunctions))]
    [TestCase("cublas_v2.h", typeof(CublasFunctions))]
    [TestCase("cudnn.h", typeof(CudnnFunctions))]
    [TestCase("nccl.h", typeof(NcclFunctions))]
    public void Functions_have_the_headers_types(string header, Type table)
    {
        NvidiaHeaders headers = NvidiaHeaders.Read(header);
        string[] names = (string[])table.GetField("Names", BindingFlags.Public | BindingFlags.Static)!.GetValue(null)!;
        var differences = new StringBuilder();
        foreach (FieldInfo field in table.GetFields(BindingFlags.Public | BindingFlags.Instance))
        {
            string ours = string.Join(", ", field.FieldType.GetFunctionPointerParameterTypes().Prepend(
                field.FieldType.GetFunctionPointerReturnType()).Select(Name));
            string[]? signature = headers.Signature(field.Name);
            // CUDA 13 declares this one as _v2 with the same parameters; drivers export both.
            if (signature is null && field.Name == nameof(CudaDriverFunctions.cuEventElapsedTime))
                signature = headers.Signature(field.Name + "_v2");
            string theirs = signature is null ? "nothing" : string.Join(", ", signature);
            if (ours != theirs && !(signature is null && names.Contains(field.Name + '?')))
                differences.AppendLine($"{field.Name}: bound as {ours}; declared as {theirs}");
        }
        Assert.That(differences.ToString(), Is.Empty);
    }

    [TestCase("cuda.h", new object[]
    {
        "CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_BLOCK", DeviceAttribute.MaxThreadsPerBlock,
        "CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK", DeviceAttribute.MaxSharedMemoryPerBlock,
        "CU_DEVICE_ATTRIBUTE_CLOCK_RATE", DeviceAttribute.ClockRate,
        "CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT", DeviceAttribute.MultiprocessorCount,
        "CU_DEVICE_ATTRIBUTE_PCI_BUS_ID", DeviceAttribute.PciBus, "CU_DEVICE_ATTRIBUTE_PCI_DEVICE_ID", DeviceAttribute.PciDevice,
        "CU_DEVICE_ATTRIBUTE_PCI_DOMAIN_ID", DeviceAttribute.PciDomain, "CUDA_ERROR_NOT_READY", 600,
        "CU_DEVICE_ATTRIBUTE_MEMORY_CLOCK_RATE", DeviceAttribute.MemoryClockRate,
        "CU_DEVICE_ATTRIBUTE_GLOBAL_MEMORY_BUS_WIDTH", DeviceAttribute.MemoryBusWidth,
        "CU_DEVICE_ATTRIBUTE_L2_CACHE_SIZE", DeviceAttribute.L2CacheSize,
        "CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR", DeviceAttribute.ComputeCapabilityMajor,
        "CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR", DeviceAttribute.ComputeCapabilityMinor,
        "CU_DEVICE_ATTRIBUTE_MEMORY_POOLS_SUPPORTED", DeviceAttribute.MemoryPoolsSupported,
        "CU_JIT_ERROR_LOG_BUFFER", JitOption.ErrorLogBuffer,
        "CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES", JitOption.ErrorLogBufferSizeBytes,
        "CU_STREAM_NON_BLOCKING", 1, "CU_EVENT_DEFAULT", 0, "CU_MEMHOSTALLOC_PORTABLE", 1, "CU_STREAM_CAPTURE_MODE_THREAD_LOCAL",
        1,
        "CUDA_SUCCESS", 0, "CUDA_ERROR_INVALID_VALUE", 1, "CUDA_ERROR_OUT_OF_MEMORY", 2, "CUDA_ERROR_NOT_INITIALIZED", 3,
        "CUDA_ERROR_STUB_LIBRARY", 34, "CUDA_ERROR_NO_DEVICE", 100, "CUDA_ERROR_INVALID_DEVICE", 101, "CUDA_ERROR_INVALID_IMAGE",
        200,
        "CUDA_ERROR_INVALID_CONTEXT", 201, "CUDA_ERROR_NO_BINARY_FOR_GPU", 209, "CUDA_ERROR_INVALID_PTX", 218,
        "CUDA_ERROR_UNSUPPORTED_PTX_VERSION", 222, "CUDA_ERROR_INVALID_HANDLE", 400, "CUDA_ERROR_NOT_FOUND", 500,
        "CUDA_ERROR_ILLEGAL_ADDRESS", 700, "CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES", 701, "CUDA_ERROR_LAUNCH_TIMEOUT", 702,
        "CUDA_ERROR_HARDWARE_STACK_ERROR", 714, "CUDA_ERROR_ILLEGAL_INSTRUCTION", 715, "CUDA_ERROR_MISALIGNED_ADDRESS", 716,
        "CUDA_ERROR_INVALID_ADDRESS_SPACE", 717, "CUDA_ERROR_INVALID_PC", 718, "CUDA_ERROR_LAUNCH_FAILED", 719,
        "CUDA_ERROR_NOT_SUPPORTED", 801, "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH", 803, "CUDA_ERROR_COMPAT_NOT_SUPPORTED_ON_DEVICE",
        804,
        "CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED", 900, "CUDA_ERROR_STREAM_CAPTURE_INVALIDATED", 901,
        "CUDA_ERROR_STREAM_CAPTURE_UNJOINED", 904, "CUDA_ERROR_STREAM_CAPTURE_ISOLATION", 905,
        "CUDA_ERROR_STREAM_CAPTURE_IMPLICIT", 906,
        "CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD", 908,
    })]
    [TestCase("cublas_v2.h", new object[]
    {
        "CUBLAS_OP_N", CublasOperation.None, "CUBLAS_OP_T", CublasOperation.Transpose, "CUDA_R_32F", CudaDataType.Float32,
        "CUDA_R_16BF", CudaDataType.BFloat16, "CUBLAS_COMPUTE_32F", CublasCompute.Float32,
        "CUBLAS_COMPUTE_32F_PEDANTIC", CublasCompute.Float32Pedantic,
        "CUBLAS_COMPUTE_32F_FAST_TF32", CublasCompute.Float32FastTensorFloat32, "CUBLAS_GEMM_DEFAULT", -1,
        "CUBLAS_POINTER_MODE_HOST", 0,
        "MAJOR_VERSION", 0, "MINOR_VERSION", 1, "PATCH_LEVEL", 2, "CUBLAS_STATUS_SUCCESS", 0, "CUBLAS_STATUS_NOT_INITIALIZED", 1,
        "CUBLAS_STATUS_ALLOC_FAILED", 3, "CUBLAS_STATUS_INVALID_VALUE", 7, "CUBLAS_STATUS_ARCH_MISMATCH", 8,
        "CUBLAS_STATUS_MAPPING_ERROR", 11, "CUBLAS_STATUS_EXECUTION_FAILED", 13, "CUBLAS_STATUS_INTERNAL_ERROR", 14,
        "CUBLAS_STATUS_NOT_SUPPORTED", 15, "CUBLAS_STATUS_LICENSE_ERROR", 16,
    })]
    [TestCase("cudnn.h", new object[]
    {
        "CUDNN_DATA_FLOAT", CudnnDataType.Float32, "CUDNN_DATA_BFLOAT16", CudnnDataType.BFloat16, "CUDNN_DEFAULT_MATH",
        CudnnMath.Default,
        "CUDNN_TENSOR_OP_MATH", CudnnMath.TensorOp, "CUDNN_TENSOR_OP_MATH_ALLOW_CONVERSION", CudnnMath.TensorOpAllowConversion,
        "CUDNN_FMA_MATH", CudnnMath.Fma, "CUDNN_TENSOR_NHWC", 1, "CUDNN_CROSS_CORRELATION", 1, "CUDNN_ACTIVATION_RELU", 1,
        "CUDNN_NOT_PROPAGATE_NAN", 0, "CUDNN_DETERMINISTIC", 1, "CUDNN_STATUS_SUCCESS", 0,
        "CUDNN_CONVOLUTION_FWD_ALGO_COUNT <= 8", 1, "CUDNN_CONVOLUTION_BWD_DATA_ALGO_COUNT <= 8", 1,
        "CUDNN_CONVOLUTION_BWD_FILTER_ALGO_COUNT <= 8", 1, "sizeof(cudnnConvolutionFwdAlgoPerf_t)", 48,
        "sizeof(cudnnConvolutionBwdDataAlgoPerf_t)", 48, "sizeof(cudnnConvolutionBwdFilterAlgoPerf_t)", 48,
        "offsetof(cudnnConvolutionFwdAlgoPerf_t, algo)", 0, "offsetof(cudnnConvolutionFwdAlgoPerf_t, status)", 4,
        "offsetof(cudnnConvolutionFwdAlgoPerf_t, time)", 8, "offsetof(cudnnConvolutionFwdAlgoPerf_t, memory)", 16,
        "offsetof(cudnnConvolutionFwdAlgoPerf_t, determinism)", 24, "offsetof(cudnnConvolutionFwdAlgoPerf_t, mathType)", 28,
        "offsetof(cudnnConvolutionBwdDataAlgoPerf_t, memory)", 16, "offsetof(cudnnConvolutionBwdDataAlgoPerf_t, mathType)", 28,
        "offsetof(cudnnConvolutionBwdFilterAlgoPerf_t, memory)", 16, "offsetof(cudnnConvolutionBwdFilterAlgoPerf_t, mathType)",
        28,
    })]
    [TestCase("nccl.h", new object[]
    {
        "ncclSuccess", CudaStatus.Success, "ncclUnhandledCudaError", 1, "ncclSystemError", 2, "ncclInternalError", 3,
        "ncclInvalidArgument", 4, "ncclInvalidUsage", 5, "ncclRemoteError", 6, "ncclInProgress", CudaStatus.NcclInProgress,
        "ncclFloat32", NativeNccl.Float32, "NCCL_UNIQUE_ID_BYTES", NcclId.Size, "sizeof(ncclUniqueId)", NcclId.Size,
        "NCCL_CONFIG_UNDEF_INT", NcclConfig.Undefined,
        "offsetof(ncclConfig_t, magic)", 8, "offsetof(ncclConfig_t, version)", 12, "offsetof(ncclConfig_t, blocking)", 16,
        "offsetof(ncclConfig_t, cgaClusterSize)", 20, "offsetof(ncclConfig_t, minCTAs)", 24, "offsetof(ncclConfig_t, maxCTAs)",
        28, "offsetof(ncclConfig_t, netName)", 32, "offsetof(ncclConfig_t, splitShare)", 40, "sizeof(ncclConfig_t) >= 48", 1,
    })]
    public void Numbers_are_the_headers(string header, object[] pairs)
    {
        var code = new StringBuilder();
        for (int index = 0; index < pairs.Length; index += 2)
            code.AppendLine($"_Static_assert((int)({pairs[index]}) == {(int)pairs[index + 1]}, \"{pairs[index]}\");");
        Assert.That(NvidiaHeaders.Complaints(header, code.ToString()), Is.Empty);
    }

    private static string Name(Type type) => type switch
    {
        { IsPointer: true } => Name(type.GetElementType()!) + "*",
        _ when type == typeof(int) => "int",
        _ when type == typeof(uint) => "uint",
        _ when type == typeof(ulong) => "ulong",
        _ when type == typeof(nint) => "nint",
        _ when type == typeof(nuint) => "nuint",
        _ when type == typeof(float) => "float",
        _ when type == typeof(double) => "double",
        _ when type == typeof(byte) => "byte",
        _ when type == typeof(void) => "void",
        _ when type == typeof(CudnnPerformance) || type == typeof(NcclId) || type == typeof(NcclConfig) => "struct",
        _ => type.Name,
    };
}
