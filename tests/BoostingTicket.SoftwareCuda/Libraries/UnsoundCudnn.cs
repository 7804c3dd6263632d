using BoostingTicket.Engine.Cuda.Bindings;

namespace BoostingTicket.SoftwareCuda.Libraries;

/// <summary>Kinds of calls.</summary>
internal enum CudnnCall
{
    /// <summary>A pass that overwrites its destination.</summary>
    Pass,

    /// <summary>A pass that adds to its destination.</summary>
    Sum,

    /// <summary>A forward pass with its epilogue.</summary>
    Epilogue,
}

/// <summary>A cuDNN that does some calls wrongly or not at all, as versions of it have, and that measures other times in every
/// process.</summary>
/// <param name="inner">What computes.</param>
/// <param name="device">Where.</param>
/// <param name="rule">What is amiss with a call of an algorithm.</param>
/// <param name="process">Changes the order in which algorithms are said to be fast; 0 leaves it as it is.</param>
internal sealed class UnsoundCudnn(
    ICudnn inner, ISoftwareDevice device, Func<CudnnCall, ConvolutionDirection, int, Unsoundness> rule, int process = 0) : ICudnn
{
    private readonly Dictionary<nint, (int Values, CudnnDataType Type)> _described = [];
    private nint _stream;

    /// <summary>Calls that something was amiss with.</summary>
    public int Spoiled { get; private set; }

    /// <summary>Called when a call runs, in the order of the stream, also out of a graph.</summary>
    public Action<CudnnCall>? WhenRun { get; init; }

    public int Version => inner.Version;

    public nint Create() => inner.Create();

    public void Destroy(nint handle) => inner.Destroy(handle);

    public void SetStream(nint handle, nint stream)
    {
        _stream = stream;
        inner.SetStream(handle, stream);
    }

    public nint CreateTensor(CudnnDataType type, int n, int c, int h, int w) =>
        Described(inner.CreateTensor(type, n, c, h, w), n * c * h * w, type);

    public void DestroyTensor(nint tensor) => inner.DestroyTensor(tensor);

    public nint CreateFilter(CudnnDataType type, int k, int c, int h, int w) =>
        Described(inner.CreateFilter(type, k, c, h, w), k * c * h * w, type);

    public void DestroyFilter(nint filter) => inner.DestroyFilter(filter);

    public nint CreateConvolution(int padding, int stride, CudnnMath math) => inner.CreateConvolution(padding, stride, math);

    public void SetMath(nint convolution, CudnnMath math) => inner.SetMath(convolution, math);

    public void DestroyConvolution(nint convolution) => inner.DestroyConvolution(convolution);

    public nint CreateRelu() => inner.CreateRelu();

    public nint CreateIdentity() => inner.CreateIdentity();

    public void DestroyActivation(nint activation) => inner.DestroyActivation(activation);

    public CudnnAlgorithm[] FindAlgorithms(
        nint handle, ConvolutionDirection direction, in CudnnConvolution operands, DevicePointer workspace, nuint workspaceBytes)
    {
        CudnnAlgorithm[] found = inner.FindAlgorithms(handle, direction, operands, workspace, workspaceBytes);
        return process == 0 || found.Length == 0
            ? found
            : [.. found[(process % found.Length)..], .. found[..(process % found.Length)]];
    }

    public nuint WorkspaceBytes(nint handle, ConvolutionDirection direction, in CudnnConvolution operands, int algorithm) =>
        inner.WorkspaceBytes(handle, direction, operands, algorithm);

    public void Convolve(
        nint handle, ConvolutionDirection direction, float alpha, in CudnnConvolution operands, int algorithm,
        DevicePointer workspace, nuint workspaceBytes, float beta)
    {
        Unsoundness amiss = Amiss(beta == 0 ? CudnnCall.Pass : CudnnCall.Sum, direction, algorithm);
        inner.Convolve(handle, direction, alpha, operands, algorithm, workspace, workspaceBytes, beta);
        (nint described, DevicePointer result) = direction switch
        {
            ConvolutionDirection.Forward => (operands.YTensor, operands.Y),
            ConvolutionDirection.BackwardData => (operands.XTensor, operands.X),
            _ => (operands.WFilter, operands.W),
        };
        Spoil(described, result, amiss);
        Time(beta == 0 ? CudnnCall.Pass : CudnnCall.Sum);
    }

    public void ConvolveBiasRelu(
        nint handle, in CudnnConvolution operands, int algorithm, DevicePointer workspace, nuint workspaceBytes,
        float residualFactor, DevicePointer residual, nint biasTensor, DevicePointer bias, nint relu)
    {
        Unsoundness amiss = Amiss(CudnnCall.Epilogue, ConvolutionDirection.Forward, algorithm);
        inner.ConvolveBiasRelu(
            handle, operands, algorithm, workspace, workspaceBytes, residualFactor, residual, biasTensor, bias, relu);
        Spoil(operands.YTensor, operands.Y, amiss);
        Time(CudnnCall.Epilogue);
    }

    public void Dispose() => inner.Dispose();

    private nint Described(nint handle, int values, CudnnDataType type)
    {
        _described[handle] = (values, type);
        return handle;
    }

    private Unsoundness Amiss(CudnnCall call, ConvolutionDirection direction, int algorithm)
    {
        Unsoundness amiss = rule(call, direction, algorithm);
        if (amiss != Unsoundness.None)
            Spoiled++;
        return amiss == Unsoundness.Refusal
            ? throw new CudaException(CudaLibrary.Cudnn, 5000, $"cuDNN refuses {call} by algorithm {algorithm} (5000)")
            : amiss;
    }

    private void Spoil(nint described, DevicePointer result, Unsoundness amiss)
    {
        (int values, CudnnDataType type) = _described[described];
        Spoiler.Spoil(device, _stream, result, values, type == CudnnDataType.BFloat16, amiss);
    }

    private void Time(CudnnCall call)
    {
        if (WhenRun is { } told)
            device.Submit(_stream, "timing", () => told(call));
    }
}
