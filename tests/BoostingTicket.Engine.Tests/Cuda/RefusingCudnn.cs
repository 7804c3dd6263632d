using BoostingTicket.Engine.Cuda.Bindings;

namespace BoostingTicket.Engine.Tests.Cuda;

/// <summary>A cuDNN that refuses, as versions and GPUs differ in what they do: convolutions with epilogue, passes that add to
/// what is there, and of each pass the algorithms that it gave as the fastest. Each with another status.</summary>
/// <param name="inner">What does the rest.</param>
internal sealed class RefusingCudnn(ICudnn inner) : ICudnn
{
    private static readonly HashSet<(ConvolutionDirection, int)> Refused =
    [
        (ConvolutionDirection.Forward, 7), (ConvolutionDirection.Forward, 1), (ConvolutionDirection.BackwardData, 0),
        (ConvolutionDirection.BackwardFilter, 3),
    ];

    /// <summary>Convolutions with epilogue that were refused.</summary>
    public int Epilogues { get; private set; }

    /// <summary>Additions that were refused.</summary>
    public int Sums { get; private set; }

    /// <summary>Algorithms that were refused.</summary>
    public int Algorithms { get; private set; }

    public int Version => inner.Version;

    public nint Create() => inner.Create();

    public void Destroy(nint handle) => inner.Destroy(handle);

    public void SetStream(nint handle, nint stream) => inner.SetStream(handle, stream);

    public nint CreateTensor(CudnnDataType type, int n, int c, int h, int w) => inner.CreateTensor(type, n, c, h, w);

    public void DestroyTensor(nint tensor) => inner.DestroyTensor(tensor);

    public nint CreateFilter(CudnnDataType type, int k, int c, int h, int w) => inner.CreateFilter(type, k, c, h, w);

    public void DestroyFilter(nint filter) => inner.DestroyFilter(filter);

    public nint CreateConvolution(int padding, int stride, CudnnMath math) => inner.CreateConvolution(padding, stride, math);

    public void SetMath(nint convolution, CudnnMath math) => inner.SetMath(convolution, math);

    public void DestroyConvolution(nint convolution) => inner.DestroyConvolution(convolution);

    public nint CreateRelu() => inner.CreateRelu();

    public nint CreateIdentity() => inner.CreateIdentity();

    public void DestroyActivation(nint activation) => inner.DestroyActivation(activation);

    public CudnnAlgorithm[] FindAlgorithms(
        nint handle, ConvolutionDirection direction, in CudnnConvolution operands, DevicePointer workspace,
        nuint workspaceBytes) =>
        inner.FindAlgorithms(handle, direction, operands, workspace, workspaceBytes);

    public nuint WorkspaceBytes(nint handle, ConvolutionDirection direction, in CudnnConvolution operands, int algorithm) =>
        inner.WorkspaceBytes(handle, direction, operands, algorithm);

    public void Convolve(
        nint handle, ConvolutionDirection direction, float alpha, in CudnnConvolution operands, int algorithm,
        DevicePointer workspace, nuint workspaceBytes, float beta)
    {
        if (beta != 0)
        {
            Sums++;
            throw Refusal(2000, "a sum");
        }
        if (Refused.Contains((direction, algorithm)))
        {
            Algorithms++;
            throw Refusal(3000, $"algorithm {algorithm}");
        }
        inner.Convolve(handle, direction, alpha, operands, algorithm, workspace, workspaceBytes, beta);
    }

    public void ConvolveBiasRelu(
        nint handle, in CudnnConvolution operands, int algorithm, DevicePointer workspace, nuint workspaceBytes,
        float residualFactor, DevicePointer residual, nint biasTensor, DevicePointer bias, nint relu)
    {
        Epilogues++;
        throw Refusal(5000, "an epilogue");
    }

    public void Dispose() => inner.Dispose();

    private static CudaException Refusal(int status, string what) =>
        new(CudaLibrary.Cudnn, status, $"cuDNN refuses {what} ({status})");
}
