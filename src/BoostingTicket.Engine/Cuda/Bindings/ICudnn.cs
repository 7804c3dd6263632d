namespace BoostingTicket.Engine.Cuda.Bindings;

/// <summary>The calls of cuDNN 8.9 and 9 that the backend makes. Every call throws <see cref="CudaException"/> when its status is
/// not success. Sizes are always given in the order n, c, h, w (filters k, c, h, w), whatever the layout.</summary>
internal interface ICudnn : IDisposable
{
    /// <summary>Version of the library: 8907 is 8.9.7, 91002 is 9.10.2.</summary>
    int Version { get; }

    /// <summary>A handle for the current context.</summary>
    nint Create();

    /// <summary>Destroys a handle.</summary>
    void Destroy(nint handle);

    /// <summary>Orders a handle's work by a stream.</summary>
    void SetStream(nint handle, nint stream);

    /// <summary>Describes an NHWC tensor without gaps (cudnnSetTensor4dDescriptor).</summary>
    nint CreateTensor(CudnnDataType type, int n, int c, int h, int w);

    /// <summary>Destroys a tensor's description.</summary>
    void DestroyTensor(nint tensor);

    /// <summary>Describes a filter stored as k, h, w, c (cudnnSetFilter4dDescriptor with NHWC).</summary>
    nint CreateFilter(CudnnDataType type, int k, int c, int h, int w);

    /// <summary>Destroys a filter's description.</summary>
    void DestroyFilter(nint filter);

    /// <summary>Describes a cross-correlation with square padding and stride, dilation 1 and float32 sums.</summary>
    nint CreateConvolution(int padding, int stride, CudnnMath math);

    /// <summary>Changes the kind of multiply-adds that a convolution may use.</summary>
    void SetMath(nint convolution, CudnnMath math);

    /// <summary>Destroys a convolution's description.</summary>
    void DestroyConvolution(nint convolution);

    /// <summary>Describes the activation max(x, 0) with CUDNN_NOT_PROPAGATE_NAN, the only ReLU that
    /// <see cref="ConvolveBiasRelu"/> supports: NaN may become 0.</summary>
    nint CreateRelu();

    /// <summary>Describes no activation; <see cref="ConvolveBiasRelu"/> takes it with the forward algorithm 1 alone.</summary>
    nint CreateIdentity();

    /// <summary>Destroys an activation's description.</summary>
    void DestroyActivation(nint activation);

    /// <summary>Measures all algorithms of a pass on the given memory (cudnnFindConvolution…AlgorithmEx), the fastest first.
    /// Overwrites the pass's output. Algorithms that do not work on this shape are left out. cuDNN may measure with
    /// <see cref="CudnnMath.Default"/> besides the convolution's own kind of multiply-adds: choose by <see
    /// cref="CudnnAlgorithm.Math"/> where TF32 is not wanted.</summary>
    CudnnAlgorithm[] FindAlgorithms(
        nint handle, ConvolutionDirection direction, in CudnnConvolution operands, DevicePointer workspace, nuint workspaceBytes);

    /// <summary>Bytes of workspace that an algorithm needs.</summary>
    nuint WorkspaceBytes(nint handle, ConvolutionDirection direction, in CudnnConvolution operands, int algorithm);

    /// <summary>Runs a pass: forward <c>y = alpha * x * w + beta * y</c>, backward data <c>x = alpha * dgrad(w, y) + beta *
    /// x</c>, backward filter <c>w = alpha * wgrad(x, y) + beta * w</c>, where the gradients have the places of what they
    /// are the gradients of.</summary>
    void Convolve(
        nint handle, ConvolutionDirection direction, float alpha, in CudnnConvolution operands, int algorithm,
        DevicePointer workspace, nuint workspaceBytes, float beta);

    /// <summary><c>y = relu(x * w + residualFactor * residual + bias)</c>, or without the ReLU
    /// (cudnnConvolutionBiasActivationForward).</summary>
    /// <param name="handle">The handle.</param>
    /// <param name="operands">x, w, y.</param>
    /// <param name="algorithm">Of the forward pass.</param>
    /// <param name="workspace">Memory for it.</param>
    /// <param name="workspaceBytes">How much.</param>
    /// <param name="residualFactor">0 when there is no residual; its pointer may then be y's, but not null.</param>
    /// <param name="residual">Of y's description: y itself, or memory apart from it.</param>
    /// <param name="biasTensor">Description: 1, k, 1, 1 of y's number format; cuDNN supports no other.</param>
    /// <param name="bias">A summand for each channel, aligned to 16 bytes.</param>
    /// <param name="relu">From <see cref="CreateRelu"/> or <see cref="CreateIdentity"/>.</param>
    void ConvolveBiasRelu(
        nint handle, in CudnnConvolution operands, int algorithm, DevicePointer workspace, nuint workspaceBytes,
        float residualFactor, DevicePointer residual, nint biasTensor, DevicePointer bias, nint relu);
}

/// <summary>Passes of a convolution.</summary>
internal enum ConvolutionDirection
{
    /// <summary>x, w to y.</summary>
    Forward,

    /// <summary>w, dy to dx.</summary>
    BackwardData,

    /// <summary>x, dy to dw.</summary>
    BackwardFilter,
}

/// <summary>Descriptions and memory of a convolution's three operands. In backward passes a gradient stands in the place of what
/// it is the gradient of.</summary>
internal readonly record struct CudnnConvolution(
    nint XTensor, DevicePointer X, nint WFilter, DevicePointer W, nint YTensor, DevicePointer Y, nint Convolution);

/// <summary>A measured algorithm.</summary>
/// <param name="Algorithm">Its number for the pass.</param>
/// <param name="Milliseconds">What it took.</param>
/// <param name="WorkspaceBytes">What it needs.</param>
/// <param name="IsDeterministic">Whether it gives the same bits every time.</param>
/// <param name="Math">The kind of multiply-adds it was measured with; set it before use.</param>
internal readonly record struct CudnnAlgorithm(
    int Algorithm, float Milliseconds, nuint WorkspaceBytes, bool IsDeterministic, CudnnMath Math);

/// <summary>Number formats; values of cudnnDataType_t.</summary>
internal enum CudnnDataType
{
    /// <summary>float32.</summary>
    Float32 = 0,

    /// <summary>bfloat16.</summary>
    BFloat16 = 9,
}

/// <summary>Kinds of multiply-adds; values of cudnnMathType_t.</summary>
internal enum CudnnMath
{
    /// <summary>What the types ask for; float32 may use TF32.</summary>
    Default = 0,

    /// <summary>Tensor cores where the types allow them.</summary>
    TensorOp = 1,

    /// <summary>Tensor cores also where factors must be converted.</summary>
    TensorOpAllowConversion = 2,

    /// <summary>Fused multiply-adds only: float32 stays float32.</summary>
    Fma = 3,
}
