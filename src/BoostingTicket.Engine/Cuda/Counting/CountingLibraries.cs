using BoostingTicket.Engine.Cuda.Bindings;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Cuda.Counting;

/// <summary>cuBLAS and cuDNN of a <see cref="CountingDevice"/>: they accept everything and compute nothing.</summary>
internal sealed class CountingLibraries(CountingDevice device) : ICublas, ICudnn
{
    private readonly Dictionary<nint, (int Bytes, long N, long C, long H, long W)> _descriptors = [];
    private readonly Dictionary<nint, CudnnMath> _math = [];
    private nint _lastHandle = 0x100;

    int ICublas.Version => 120_200;

    int ICudnn.Version => 90_600;

    /// <inheritdoc/>
    public nint Create() => ++_lastHandle;

    /// <inheritdoc/>
    public void Destroy(nint handle) { }

    /// <inheritdoc/>
    public void SetStream(nint handle, nint stream) { }

    /// <inheritdoc/>
    public void SetWorkspace(nint handle, DevicePointer workspace, nuint bytes) { }

    /// <inheritdoc/>
    public void Gemm(
        nint handle, CublasOperation operationA, CublasOperation operationB, int m, int n, int k, float alpha,
        in CublasMatrix a, in CublasMatrix b, float beta, in CublasMatrix c, CublasCompute compute) => device.AddCall(
            ((long)m * k * Bytes(a.Type)) + ((long)k * n * Bytes(b.Type)) + ((beta == 0 ? 1L : 2) * m * n * Bytes(c.Type)),
            2.0 * m * n * k,
            a.Type == CudaDataType.BFloat16 ? Precision.BFloat16
            : compute == CublasCompute.Float32FastTensorFloat32 ? Precision.TensorFloat32 : Precision.Float32);

    /// <inheritdoc/>
    public nint CreateTensor(CudnnDataType type, int n, int c, int h, int w) => Describe(type, n, c, h, w);

    /// <inheritdoc/>
    public void DestroyTensor(nint tensor) => _descriptors.Remove(tensor);

    /// <inheritdoc/>
    public nint CreateFilter(CudnnDataType type, int k, int c, int h, int w) => Describe(type, k, c, h, w);

    /// <inheritdoc/>
    public void DestroyFilter(nint filter) => _descriptors.Remove(filter);

    /// <inheritdoc/>
    public nint CreateConvolution(int padding, int stride, CudnnMath math)
    {
        _math[++_lastHandle] = math;
        return _lastHandle;
    }

    /// <inheritdoc/>
    public void SetMath(nint convolution, CudnnMath math) => _math[convolution] = math;

    /// <inheritdoc/>
    public void DestroyConvolution(nint convolution) => _math.Remove(convolution);

    /// <inheritdoc/>
    public nint CreateRelu() => ++_lastHandle;

    /// <inheritdoc/>
    public nint CreateIdentity() => ++_lastHandle;

    /// <inheritdoc/>
    public void DestroyActivation(nint activation) { }

    /// <inheritdoc/>
    public CudnnAlgorithm[] FindAlgorithms(
        nint handle, ConvolutionDirection direction, in CudnnConvolution operands, DevicePointer workspace,
        nuint workspaceBytes) =>
        [new(1, 1, 0, true, CudnnMath.TensorOp), new(1, 2, 0, true, CudnnMath.Fma)];

    /// <inheritdoc/>
    public nuint WorkspaceBytes(nint handle, ConvolutionDirection direction, in CudnnConvolution operands, int algorithm) => 0;

    /// <inheritdoc/>
    public void Convolve(
        nint handle, ConvolutionDirection direction, float alpha, in CudnnConvolution operands, int algorithm,
        DevicePointer workspace, nuint workspaceBytes, float beta)
    {
        nint result = direction switch
        {
            ConvolutionDirection.Forward => operands.YTensor,
            ConvolutionDirection.BackwardData => operands.XTensor,
            _ => operands.WFilter,
        };
        Add(operands, beta == 0 ? 0 : Bytes(result));
    }

    /// <inheritdoc/>
    public void ConvolveBiasRelu(
        nint handle, in CudnnConvolution operands, int algorithm, DevicePointer workspace, nuint workspaceBytes,
        float residualFactor, DevicePointer residual, nint biasTensor, DevicePointer bias, nint relu) =>
        Add(operands, Bytes(biasTensor) + (residualFactor == 0 ? 0 : Bytes(operands.YTensor)));

    /// <inheritdoc/>
    public void Dispose() { }

    private static int Bytes(CudaDataType type) => type == CudaDataType.BFloat16 ? 2 : 4;

    private nint Describe(CudnnDataType type, int n, int c, int h, int w)
    {
        _descriptors[++_lastHandle] = (type == CudnnDataType.BFloat16 ? 2 : 4, n, c, h, w);
        return _lastHandle;
    }

    private long Bytes(nint descriptor)
    {
        (int bytes, long n, long c, long h, long w) = _descriptors[descriptor];
        return bytes * n * c * h * w;
    }

    private void Add(in CudnnConvolution operands, long more)
    {
        (_, _, long channels, long rows, long columns) = _descriptors[operands.WFilter];
        (int size, _, _, _, _) = _descriptors[operands.YTensor];
        device.AddCall(
            Bytes(operands.XTensor) + Bytes(operands.WFilter) + Bytes(operands.YTensor) + more,
            2.0 * (Bytes(operands.YTensor) / size) * channels * rows * columns,
            size == 2 ? Precision.BFloat16
            : _math.GetValueOrDefault(operands.Convolution) == CudnnMath.Fma ? Precision.Float32 : Precision.TensorFloat32);
    }
}
