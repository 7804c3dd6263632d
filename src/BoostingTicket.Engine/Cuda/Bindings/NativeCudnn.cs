using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace BoostingTicket.Engine.Cuda.Bindings;

/// <summary>cuDNN 8.9 or 9, called directly through the functions that both have.</summary>
internal sealed unsafe class NativeCudnn : ICudnn
{
    private const int Nhwc = 1;
    private const int CrossCorrelation = 1;
    private const int ReluMode = 1;
    private const int IdentityMode = 5;
    private const int NotPropagateNan = 0;
    private const int MessageBytes = 512;

    // Every algorithm of a pass (8 at most) with every kind of multiply-adds (4).
    private const int MostResults = 32;

    private readonly CudnnFunctions _cudnn;

    /// <summary>Takes the functions of a library.</summary>
    /// <exception cref="Backends.DeviceException">The library lacks functions.</exception>
    public NativeCudnn(NativeModule library)
    {
        _cudnn = library.Bind<CudnnFunctions>(CudnnFunctions.Names);
        Version = (int)_cudnn.cudnnGetVersion();
    }

    /// <inheritdoc/>
    public int Version { get; }

    /// <inheritdoc/>
    public nint Create()
    {
        nint handle;
        Check(_cudnn.cudnnCreate(&handle));
        return handle;
    }

    /// <inheritdoc/>
    public void Destroy(nint handle) => Check(_cudnn.cudnnDestroy(handle));

    /// <inheritdoc/>
    public void SetStream(nint handle, nint stream) => Check(_cudnn.cudnnSetStream(handle, stream));

    /// <inheritdoc/>
    public nint CreateTensor(CudnnDataType type, int n, int c, int h, int w)
    {
        nint tensor;
        Check(_cudnn.cudnnCreateTensorDescriptor(&tensor));
        int status = _cudnn.cudnnSetTensor4dDescriptor(tensor, Nhwc, (int)type, n, c, h, w);
        if (status != CudaStatus.Success)
            Abandon(tensor, _cudnn.cudnnDestroyTensorDescriptor, status,
                $"cudnnSetTensor4dDescriptor({type}, {n} x {c} x {h} x {w})");
        return tensor;
    }

    /// <inheritdoc/>
    public void DestroyTensor(nint tensor) => Check(_cudnn.cudnnDestroyTensorDescriptor(tensor));

    /// <inheritdoc/>
    public nint CreateFilter(CudnnDataType type, int k, int c, int h, int w)
    {
        nint filter;
        Check(_cudnn.cudnnCreateFilterDescriptor(&filter));
        int status = _cudnn.cudnnSetFilter4dDescriptor(filter, (int)type, Nhwc, k, c, h, w);
        if (status != CudaStatus.Success)
            Abandon(filter, _cudnn.cudnnDestroyFilterDescriptor, status,
                $"cudnnSetFilter4dDescriptor({type}, {k} x {c} x {h} x {w})");
        return filter;
    }

    /// <inheritdoc/>
    public void DestroyFilter(nint filter) => Check(_cudnn.cudnnDestroyFilterDescriptor(filter));

    /// <inheritdoc/>
    public nint CreateConvolution(int padding, int stride, CudnnMath math)
    {
        nint convolution;
        Check(_cudnn.cudnnCreateConvolutionDescriptor(&convolution));
        int status = _cudnn.cudnnSetConvolution2dDescriptor(
            convolution, padding, padding, stride, stride, 1, 1, CrossCorrelation, (int)CudnnDataType.Float32);
        if (status == CudaStatus.Success)
            status = _cudnn.cudnnSetConvolutionMathType(convolution, (int)math);
        if (status != CudaStatus.Success)
        {
            Abandon(
                convolution, _cudnn.cudnnDestroyConvolutionDescriptor, status,
                $"cudnnSetConvolution2dDescriptor(padding {padding}, stride {stride}, {math})");
        }
        return convolution;
    }

    /// <inheritdoc/>
    public void SetMath(nint convolution, CudnnMath math) => Check(_cudnn.cudnnSetConvolutionMathType(convolution, (int)math));

    /// <inheritdoc/>
    public void DestroyConvolution(nint convolution) => Check(_cudnn.cudnnDestroyConvolutionDescriptor(convolution));

    /// <inheritdoc/>
    public nint CreateRelu() => CreateActivation(ReluMode, "ReLU");

    /// <inheritdoc/>
    public nint CreateIdentity() => CreateActivation(IdentityMode, "identity");

    /// <inheritdoc/>
    public void DestroyActivation(nint activation) => Check(_cudnn.cudnnDestroyActivationDescriptor(activation));

    /// <inheritdoc/>
    public CudnnAlgorithm[] FindAlgorithms(
        nint handle, ConvolutionDirection direction, in CudnnConvolution operands, DevicePointer workspace, nuint workspaceBytes)
    {
        CudnnPerformance* results = stackalloc CudnnPerformance[MostResults];
        int count = 0;
        void* x = (void*)operands.X.Address, w = (void*)operands.W.Address, y = (void*)operands.Y.Address;
        void* memory = (void*)workspace.Address;
        int status = direction switch
        {
            ConvolutionDirection.Forward => _cudnn.cudnnFindConvolutionForwardAlgorithmEx(
                handle, operands.XTensor, x, operands.WFilter, w, operands.Convolution, operands.YTensor, y,
                MostResults, &count, results, memory, workspaceBytes),
            ConvolutionDirection.BackwardData => _cudnn.cudnnFindConvolutionBackwardDataAlgorithmEx(
                handle, operands.WFilter, w, operands.YTensor, y, operands.Convolution, operands.XTensor, x,
                MostResults, &count, results, memory, workspaceBytes),
            _ => _cudnn.cudnnFindConvolutionBackwardFilterAlgorithmEx(
                handle, operands.XTensor, x, operands.YTensor, y, operands.Convolution, operands.WFilter, w,
                MostResults, &count, results, memory, workspaceBytes),
        };
        if (status != CudaStatus.Success)
            Throw(status, $"cudnnFindConvolution{direction}AlgorithmEx(workspace of {workspaceBytes} bytes)");

        List<CudnnAlgorithm> found = new(count);
        for (int index = 0; index < count; index++)
        {
            ref CudnnPerformance result = ref results[index];
            if (result.Status == CudaStatus.Success)
            {
                found.Add(new CudnnAlgorithm(
                    result.Algorithm, result.Time, result.Memory, result.Determinism == 1, (CudnnMath)result.MathType));
            }
        }
        return [.. found];
    }

    /// <inheritdoc/>
    public nuint WorkspaceBytes(nint handle, ConvolutionDirection direction, in CudnnConvolution operands, int algorithm)
    {
        nuint bytes;
        int status = direction switch
        {
            ConvolutionDirection.Forward => _cudnn.cudnnGetConvolutionForwardWorkspaceSize(
                handle, operands.XTensor, operands.WFilter, operands.Convolution, operands.YTensor, algorithm, &bytes),
            ConvolutionDirection.BackwardData => _cudnn.cudnnGetConvolutionBackwardDataWorkspaceSize(
                handle, operands.WFilter, operands.YTensor, operands.Convolution, operands.XTensor, algorithm, &bytes),
            _ => _cudnn.cudnnGetConvolutionBackwardFilterWorkspaceSize(
                handle, operands.XTensor, operands.YTensor, operands.Convolution, operands.WFilter, algorithm, &bytes),
        };
        if (status != CudaStatus.Success)
            Throw(status, $"cudnnGetConvolution{direction}WorkspaceSize(algorithm {algorithm})");
        return bytes;
    }

    /// <inheritdoc/>
    public void Convolve(
        nint handle, ConvolutionDirection direction, float alpha, in CudnnConvolution operands, int algorithm,
        DevicePointer workspace, nuint workspaceBytes, float beta)
    {
        void* x = (void*)operands.X.Address, w = (void*)operands.W.Address, y = (void*)operands.Y.Address;
        void* memory = (void*)workspace.Address;
        int status = direction switch
        {
            ConvolutionDirection.Forward => _cudnn.cudnnConvolutionForward(
                handle, &alpha, operands.XTensor, x, operands.WFilter, w, operands.Convolution, algorithm, memory, workspaceBytes,
                &beta, operands.YTensor, y),
            ConvolutionDirection.BackwardData => _cudnn.cudnnConvolutionBackwardData(
                handle, &alpha, operands.WFilter, w, operands.YTensor, y, operands.Convolution, algorithm, memory, workspaceBytes,
                &beta, operands.XTensor, x),
            _ => _cudnn.cudnnConvolutionBackwardFilter(
                handle, &alpha, operands.XTensor, x, operands.YTensor, y, operands.Convolution, algorithm, memory, workspaceBytes,
                &beta, operands.WFilter, w),
        };
        if (status != CudaStatus.Success)
            ThrowConvolution(status, $"cudnnConvolution{direction}", algorithm, workspaceBytes);
    }

    /// <inheritdoc/>
    public void ConvolveBiasRelu(
        nint handle, in CudnnConvolution operands, int algorithm, DevicePointer workspace, nuint workspaceBytes,
        float residualFactor, DevicePointer residual, nint biasTensor, DevicePointer bias, nint relu)
    {
        float one = 1;
        int status = _cudnn.cudnnConvolutionBiasActivationForward(
            handle, &one, operands.XTensor, (void*)operands.X.Address, operands.WFilter, (void*)operands.W.Address,
            operands.Convolution, algorithm, (void*)workspace.Address, workspaceBytes,
            &residualFactor, operands.YTensor, (void*)residual.Address, biasTensor, (void*)bias.Address, relu,
            operands.YTensor, (void*)operands.Y.Address);
        if (status != CudaStatus.Success)
            ThrowConvolution(status, "cudnnConvolutionBiasActivationForward", algorithm, workspaceBytes);
    }

    /// <summary>Does nothing: the library belongs to the process.</summary>
    public void Dispose() { }

    private nint CreateActivation(int mode, string name)
    {
        nint activation;
        Check(_cudnn.cudnnCreateActivationDescriptor(&activation));
        // The coefficient bounds other activations than these; where a library takes it for a bound, it is none.
        int status = _cudnn.cudnnSetActivationDescriptor(activation, mode, NotPropagateNan, double.MaxValue);
        if (status != CudaStatus.Success)
            Abandon(activation, _cudnn.cudnnDestroyActivationDescriptor, status, $"cudnnSetActivationDescriptor({name})");
        return activation;
    }

    private void Check(int status, [CallerArgumentExpression(nameof(status))] string call = "")
    {
        if (status != CudaStatus.Success)
            Throw(status, call);
    }

    // The first error is what is reported, whatever the destruction of the half-made descriptor says.
    [DoesNotReturn]
    private void Abandon(nint descriptor, delegate* unmanaged<nint, int> destroy, int status, string call)
    {
        CudaException exception = Exception(status, call);
        _ = destroy(descriptor);
        throw exception;
    }

    [DoesNotReturn]
    private void ThrowConvolution(int status, string function, int algorithm, nuint workspaceBytes) =>
        Throw(status, FormattableString.Invariant($"{function}(algorithm {algorithm}, workspace of {workspaceBytes} bytes)"));

    [DoesNotReturn]
    private void Throw(int status, string call) => throw Exception(status, call);

    private CudaException Exception(int status, string call)
    {
        string? detail = null;
        if (_cudnn.cudnnGetLastErrorString is not null)
        {
            byte* message = stackalloc byte[MessageBytes];
            *message = 0;
            _cudnn.cudnnGetLastErrorString(message, MessageBytes);
            detail = Marshal.PtrToStringUTF8((nint)message);
        }
        return CudaStatus.Exception(
            CudaLibrary.Cudnn, status, call, Marshal.PtrToStringUTF8((nint)_cudnn.cudnnGetErrorString(status)), detail);
    }
}
