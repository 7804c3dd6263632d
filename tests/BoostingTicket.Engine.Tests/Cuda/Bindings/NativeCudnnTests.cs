using BoostingTicket.Engine.Cuda.Bindings;
using BoostingTicket.Engine.Testing;

namespace BoostingTicket.Engine.Tests.Cuda.Bindings;

/// <summary>Calls of cuDNN as C receives them.</summary>
[NonParallelizable]
internal sealed class NativeCudnnTests
{
    private const nint Handle = 0xd0;
    private static readonly nuint Huge = unchecked((nuint)5_000_000_000);

    private static readonly CudnnConvolution Operands =
        new(0x1, new DevicePointer(0x10), 0x2, new DevicePointer(0x20), 0x3, new DevicePointer(0x30), 0xc0);

    private FakeLibraries _libraries = null!;
    private NativeModule _module = null!;
    private NativeCudnn _cudnn = null!;

    [OneTimeSetUp]
    public void Load()
    {
        _libraries = FakeLibraries.Compile();
        _module = _libraries.Load(LibraryName.Cudnn);
        _cudnn = new NativeCudnn(_module);
    }

    [OneTimeTearDown]
    public void Delete()
    {
        _cudnn?.Dispose();
        _libraries?.Dispose();
    }

    [SetUp]
    public void Reset() => FakeLibraries.Reset(_module);

    [Test]
    public void Version_is_the_librarys() => Assert.That(_cudnn.Version, Is.EqualTo(91_002));

    [Test]
    public void Handles_and_descriptors_reach_C()
    {
        Assert.That(_cudnn.Create(), Is.EqualTo(Handle));
        _cudnn.SetStream(Handle, 0x57);
        Assert.That(_cudnn.CreateTensor(CudnnDataType.BFloat16, 128, 64, 33, 32), Is.EqualTo((nint)0x7e));
        Assert.That(_cudnn.CreateFilter(CudnnDataType.Float32, 64, 32, 3, 5), Is.EqualTo((nint)0xf1));
        Assert.That(_cudnn.CreateConvolution(1, 2, CudnnMath.Fma), Is.EqualTo((nint)0xc0));
        _cudnn.SetMath(0xc0, CudnnMath.TensorOp);
        Assert.That(_cudnn.CreateRelu(), Is.EqualTo((nint)0xac));
        Assert.That(_cudnn.CreateIdentity(), Is.EqualTo((nint)0xac));
        _cudnn.DestroyActivation(0xac);
        _cudnn.DestroyConvolution(0xc0);
        _cudnn.DestroyFilter(0xf1);
        _cudnn.DestroyTensor(0x7e);
        _cudnn.Destroy(Handle);
        Assert.That(FakeLibraries.Calls(_module), Is.EqualTo(new[]
        {
            "cudnnCreate()", "cudnnSetStream(d0, 57)",
            "cudnnCreateTensorDescriptor()", "cudnnSetTensor4dDescriptor(7e, 1, 9, 128 64 33 32)",
            "cudnnCreateFilterDescriptor()", "cudnnSetFilter4dDescriptor(f1, 0, 1, 64 32 3 5)",
            "cudnnCreateConvolutionDescriptor()", "cudnnSetConvolution2dDescriptor(c0, 1 1, 2 2, 1 1, 1, 0)",
            "cudnnSetConvolutionMathType(c0, 3)", "cudnnSetConvolutionMathType(c0, 1)",
            "cudnnCreateActivationDescriptor()", "cudnnSetActivationDescriptor(ac, 1, 0, 1.79769e+308)",
            "cudnnCreateActivationDescriptor()", "cudnnSetActivationDescriptor(ac, 5, 0, 1.79769e+308)",
            "cudnnDestroyActivationDescriptor(ac)", "cudnnDestroyConvolutionDescriptor(c0)", "cudnnDestroyFilterDescriptor(f1)",
            "cudnnDestroyTensorDescriptor(7e)", "cudnnDestroy(d0)",
        }));
    }

    [TestCase(ConvolutionDirection.Forward, "cudnnConvolutionForward(d0, 0.5, 1 10, 2 20, c0, 6, 40, 5000000000, 2, 3 30)")]
    [TestCase(
        ConvolutionDirection.BackwardData, "cudnnConvolutionBackwardData(d0, 0.5, 2 20, 3 30, c0, 6, 40, 5000000000, 2, 1 10)")]
    [TestCase(ConvolutionDirection.BackwardFilter,
        "cudnnConvolutionBackwardFilter(d0, 0.5, 1 10, 3 30, c0, 6, 40, 5000000000, 2, 2 20)")]
    public void Convolve_puts_operands_in_the_passs_order(ConvolutionDirection direction, string expected)
    {
        Convolve(direction);
        Assert.That(FakeLibraries.Calls(_module), Is.EqualTo(new[] { expected }));
    }

    [TestCase(ConvolutionDirection.Forward)]
    [TestCase(ConvolutionDirection.BackwardData)]
    [TestCase(ConvolutionDirection.BackwardFilter)]
    public void Convolve_allocates_nothing(ConvolutionDirection direction) =>
        Assert.That(Allocations.LeastBytesOfThread(() => Convolve(direction)), Is.Zero);

    [Test]
    public void Convolve_bias_relu_reaches_C()
    {
        ConvolveBiasRelu();
        Assert.That(FakeLibraries.Calls(_module), Is.EqualTo(new[]
        {
            "cudnnConvolutionBiasActivationForward(d0, 1, 1 10, 2 20, c0, 1, 40, 64, 0.25, 3 50, b1 60, ac, 3 30)",
        }));
    }

    [Test]
    public void Convolve_bias_relu_allocates_nothing() => Assert.That(Allocations.LeastBytesOfThread(ConvolveBiasRelu), Is.Zero);

    [TestCase(ConvolutionDirection.Forward, "cudnnFindConvolutionForwardAlgorithmEx(d0, 1 10, 2 20, c0, 3 30, 40, 99)")]
    [TestCase(ConvolutionDirection.BackwardData, "cudnnFindConvolutionBackwardDataAlgorithmEx(d0, 2 20, 3 30, c0, 1 10, 40, 99)")]
    [TestCase(
        ConvolutionDirection.BackwardFilter, "cudnnFindConvolutionBackwardFilterAlgorithmEx(d0, 1 10, 3 30, c0, 2 20, 40, 99)")]
    public void Find_reads_results_and_leaves_out_what_does_not_work(ConvolutionDirection direction, string expected)
    {
        CudnnAlgorithm[] found = _cudnn.FindAlgorithms(Handle, direction, Operands, new DevicePointer(0x40), 99);
        Assert.That(FakeLibraries.Calls(_module), Is.EqualTo(new[] { expected }));
        Assert.That(found, Is.EqualTo(new[]
        {
            new CudnnAlgorithm(1, 0.25f, unchecked((nuint)(5ul << 32)), true, CudnnMath.TensorOp),
            new CudnnAlgorithm(4, 0.5f, 77, false, CudnnMath.Fma),
        }));
    }

    [TestCase(ConvolutionDirection.Forward, "cudnnGetConvolutionForwardWorkspaceSize(d0, 1, 2, c0, 3, 5)")]
    [TestCase(ConvolutionDirection.BackwardData, "cudnnGetConvolutionBackwardDataWorkspaceSize(d0, 2, 3, c0, 1, 5)")]
    [TestCase(ConvolutionDirection.BackwardFilter, "cudnnGetConvolutionBackwardFilterWorkspaceSize(d0, 1, 3, c0, 2, 5)")]
    public void Workspace_is_asked_in_the_passs_order(ConvolutionDirection direction, string expected)
    {
        Assert.That(_cudnn.WorkspaceBytes(Handle, direction, Operands, 5), Is.EqualTo(unchecked((nuint)(3ul << 33))));
        Assert.That(FakeLibraries.Calls(_module), Is.EqualTo(new[] { expected }));
    }

    [Test]
    public void Failed_convolution_names_pass_algorithm_and_what_the_library_says()
    {
        FakeLibraries.Fail(_module, "cudnnConvolutionBackwardFilter", 3000);
        CudaException exception = Assert.Throws<CudaException>(() => Convolve(ConvolutionDirection.BackwardFilter))!;
        Assert.That(exception.Message, Is.EqualTo(
            "cuDNN answered CUDNN_STATUS_NOT_SUPPORTED (3000) to cudnnConvolutionBackwardFilter(algorithm 6, workspace of "
            + "5000000000 bytes): "
            + "it has no algorithm for this shape and these types; it says: stride 3 is odd"));
        Assert.That(exception.IsNotSupported, Is.True);
    }

    [TestCase("cudnnSetTensor4dDescriptor", "cudnnDestroyTensorDescriptor(7e)")]
    [TestCase("cudnnSetFilter4dDescriptor", "cudnnDestroyFilterDescriptor(f1)")]
    [TestCase("cudnnSetConvolution2dDescriptor", "cudnnDestroyConvolutionDescriptor(c0)")]
    [TestCase("cudnnSetConvolutionMathType", "cudnnDestroyConvolutionDescriptor(c0)")]
    [TestCase("cudnnSetActivationDescriptor", "cudnnDestroyActivationDescriptor(ac)")]
    public void Descriptor_that_cannot_be_set_is_destroyed(string function, string expected)
    {
        FakeLibraries.Fail(_module, function, 2000);
        Assert.That(() =>
        {
            _cudnn.CreateTensor(CudnnDataType.Float32, 1, 1, 1, 1);
            _cudnn.CreateFilter(CudnnDataType.Float32, 1, 1, 1, 1);
            _cudnn.CreateConvolution(0, 1, CudnnMath.Default);
            _cudnn.CreateRelu();
        }, Throws.TypeOf<CudaException>());
        Assert.That(FakeLibraries.Calls(_module)[^1], Is.EqualTo(expected));
    }

    private void Convolve(ConvolutionDirection direction) =>
        _cudnn.Convolve(Handle, direction, 0.5f, Operands, 6, new DevicePointer(0x40), Huge, 2f);

    private void ConvolveBiasRelu() => _cudnn.ConvolveBiasRelu(
        Handle, Operands, 1, new DevicePointer(0x40), 64, 0.25f, new DevicePointer(0x50), 0xb1, new DevicePointer(0x60), 0xac);
}
