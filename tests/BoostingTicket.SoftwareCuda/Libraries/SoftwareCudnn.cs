using BoostingTicket.Engine.Cuda.Bindings;

namespace BoostingTicket.SoftwareCuda.Libraries;

/// <summary>cuDNN as its documentation describes it, computed naively on the software device: sums in double, float32 factors
/// rounded to TF32 where an algorithm uses tensor cores and the kind of multiply-adds allows it, results rounded once. What cuDNN
/// refuses is refused with its status; what it leaves undefined (an output that overlaps an input, operands that are not aligned
/// to 16 bytes) is refused as a bad parameter. Algorithms that are not deterministic do give other bits from one call to the
/// next.</summary>
internal sealed partial class SoftwareCudnn : ICudnn
{
    /// <summary>CUDNN_STATUS_EXECUTION_FAILED.</summary>
    public const int ExecutionFailed = 5000;

    /// <summary>CUDNN_STATUS_BAD_PARAM.</summary>
    public const int BadParameter = 2000;

    /// <summary>CUDNN_STATUS_NOT_SUPPORTED.</summary>
    public const int NotSupported = 3000;

    private const int FirstHandle = 0x0d440000;
    private const int FirstVersionOfNine = 90000;

    private readonly ISoftwareDevice _device;
    private readonly HandleTable _handles = new(FirstHandle);

    /// <summary>A library on a device.</summary>
    /// <param name="device">The device; it outlives the library.</param>
    /// <param name="version">The version that it says it is; before 9, statuses are those of version 8.</param>
    public SoftwareCudnn(ISoftwareDevice device, int version = 91002)
    {
        _device = device;
        Version = version;
    }

    /// <inheritdoc/>
    public int Version { get; }

    /// <summary>Handles and descriptors that were not destroyed.</summary>
    public IReadOnlyList<string> Leaks => _handles.Leaks;

    /// <inheritdoc/>
    public nint Create() => _handles.Add(new Context());

    /// <inheritdoc/>
    public void Destroy(nint handle) => Remove<Context>("cudnnDestroy", handle);

    /// <inheritdoc/>
    public void SetStream(nint handle, nint stream) => Resolve<Context>("cudnnSetStream", "the handle", handle).Stream = stream;

    /// <inheritdoc/>
    public nint CreateTensor(CudnnDataType type, int n, int c, int h, int w)
    {
        const string call = "cudnnSetTensor4dDescriptor";
        CheckSizes(call, type, n, c, h, w);
        return _handles.Add(new TensorDescription(type, n, c, h, w));
    }

    /// <inheritdoc/>
    public void DestroyTensor(nint tensor) => Remove<TensorDescription>("cudnnDestroyTensorDescriptor", tensor);

    /// <inheritdoc/>
    public nint CreateFilter(CudnnDataType type, int k, int c, int h, int w)
    {
        const string call = "cudnnSetFilter4dDescriptor";
        CheckSizes(call, type, k, c, h, w);
        return _handles.Add(new FilterDescription(type, k, c, h, w));
    }

    /// <inheritdoc/>
    public void DestroyFilter(nint filter) => Remove<FilterDescription>("cudnnDestroyFilterDescriptor", filter);

    /// <inheritdoc/>
    public nint CreateConvolution(int padding, int stride, CudnnMath math)
    {
        const string call = "cudnnSetConvolution2dDescriptor";
        Require(call, padding >= 0, BadParameter, $"the padding is {padding}");
        Require(call, stride > 0, BadParameter, $"the stride is {stride}");
        Require(call, Enum.IsDefined(math), BadParameter, $"there is no kind of multiply-adds {math}");
        return _handles.Add(new ConvolutionDescription(padding, stride) { Math = math });
    }

    /// <inheritdoc/>
    public void SetMath(nint convolution, CudnnMath math)
    {
        const string call = "cudnnSetConvolutionMathType";
        ConvolutionDescription described = Resolve<ConvolutionDescription>(call, "the convolution", convolution);
        Require(call, Enum.IsDefined(math), BadParameter, $"there is no kind of multiply-adds {math}");
        described.Math = math;
    }

    /// <inheritdoc/>
    public void DestroyConvolution(nint convolution) =>
        Remove<ConvolutionDescription>("cudnnDestroyConvolutionDescriptor", convolution);

    /// <inheritdoc/>
    public nint CreateRelu() => _handles.Add(new ActivationDescription(IsRelu: true));

    /// <inheritdoc/>
    public nint CreateIdentity() => _handles.Add(new ActivationDescription(IsRelu: false));

    /// <inheritdoc/>
    public void DestroyActivation(nint activation) =>
        Remove<ActivationDescription>("cudnnDestroyActivationDescriptor", activation);

    /// <summary>Ends the library.</summary>
    /// <exception cref="InvalidOperationException">Handles or descriptors were not destroyed.</exception>
    public void Dispose()
    {
        if (Leaks.Count > 0)
            throw new InvalidOperationException($"cuDNN: not destroyed: {string.Join(", ", Leaks)}");
    }

    private void CheckSizes(string call, CudnnDataType type, int first, int c, int h, int w)
    {
        Require(call, Enum.IsDefined(type), BadParameter, $"there is no number format {type}");
        Require(call, first > 0 && c > 0 && h > 0 && w > 0, BadParameter, $"a size of {first}, {c}, {h}, {w} is not positive");
        Require(call, (Int128)first * c * h * w <= int.MaxValue, NotSupported, $"{first}, {c}, {h}, {w} are over 2^31 elements");
    }

    private T Resolve<T>(string call, string name, nint handle)
        where T : class
    {
        if (!_handles.TryGet(handle, out T? described, out string problem))
            throw Failure(call, BadParameter, $"{name}: {problem}");
        return described;
    }

    private void Remove<T>(string call, nint handle)
        where T : class
    {
        Resolve<T>(call, "what is to be destroyed", handle);
        _handles.Remove(handle);
    }

    private void Require(string call, bool holds, int status, string otherwise)
    {
        if (!holds)
            throw Failure(call, status, otherwise);
    }

    private CudaException Failure(string call, int status, string reason)
    {
        (string name, int old) = status switch
        {
            BadParameter => ("CUDNN_STATUS_BAD_PARAM", 3),
            NotSupported => ("CUDNN_STATUS_NOT_SUPPORTED", 9),
            _ => ("CUDNN_STATUS_EXECUTION_FAILED", 8),
        };
        // cuDNN 8 counts 8907 for 8.9.7, cuDNN 9 91002 for 9.10.2.
        int number = Version >= FirstVersionOfNine ? status : old;
        return new CudaException(CudaLibrary.Cudnn, number, $"{call}: {name} ({number}): {reason}");
    }

    private sealed class Context
    {
        public nint Stream { get; set; }

        public override string ToString() => "a handle of cuDNN";
    }

    private sealed record TensorDescription(CudnnDataType Type, int N, int C, int H, int W)
    {
        public long Bytes => (long)N * C * H * W * (Type == CudnnDataType.Float32 ? sizeof(float) : sizeof(ushort));

        public override string ToString() => $"a tensor of {Type} {N}, {C}, {H}, {W}";
    }

    private sealed record FilterDescription(CudnnDataType Type, int K, int C, int R, int S)
    {
        public override string ToString() => $"a filter of {Type} {K}, {C}, {R}, {S}";
    }

    private sealed class ConvolutionDescription(int padding, int stride)
    {
        public int Padding { get; } = padding;

        public int Stride { get; } = stride;

        public CudnnMath Math { get; set; }

        public override string ToString() => $"a convolution of padding {Padding} and stride {Stride}";
    }

    private sealed record ActivationDescription(bool IsRelu)
    {
        public override string ToString() => "an activation";
    }
}
