using BoostingTicket.Engine.Cuda.Bindings;
using BoostingTicket.SoftwareCuda.Libraries;

namespace BoostingTicket.Engine.Tests.Cuda.Software.Libraries;

[TestFixture]
internal sealed class SoftwareCudnnRefusalTests
{
    private const int Bad = SoftwareCudnn.BadParameter, Unsupported = SoftwareCudnn.NotSupported;
    private const ConvolutionDirection Forward = ConvolutionDirection.Forward;

    private static readonly ConvolutionCase Shape = new(2, 8, 6, 5, 16, 3, 1, 1);

    private ConvolutionBench _bench = null!;
    private int _callsBefore;

    [SetUp]
    public void Create()
    {
        _bench = new ConvolutionBench(Shape, false, CudnnMath.Default);
        _callsBefore = _bench.Device.Calls.Count;
    }

    [TearDown]
    public void Destroy()
    {
        Assert.That(_bench.Device.Calls, Has.Count.EqualTo(_callsBefore), "nothing that was refused ran");
        _bench.Dispose();
    }

    [Test]
    public void Descriptions_that_do_not_fit_each_other()
    {
        CudnnConvolution operands = _bench.Operands;
        Refused(Bad, "number formats differ", With(operands, y: Tensor(2, 16, 6, 5, CudnnDataType.BFloat16)));
        Refused(Bad, "input channels differ", With(operands, x: Tensor(2, 4, 6, 5)));
        Refused(Bad, "samples differ", With(operands, y: Tensor(3, 16, 6, 5)));
        Refused(Bad, "output channels differ", With(operands, y: Tensor(2, 8, 6, 5)));
        Refused(Unsupported, "height and width", With(operands, y: Tensor(2, 16, 6, 6)));
        Refused(Bad, "larger than x", With(operands, w: Filter(16, 8, 9, 3)));
    }

    [Test]
    public void Sizes_and_kinds_that_no_description_has()
    {
        SoftwareCudnn library = _bench.Library;
        Refused(Bad, "not positive", () => library.CreateTensor(CudnnDataType.Float32, 1, 0, 1, 1));
        Refused(Bad, "number format", () => library.CreateTensor((CudnnDataType)5, 1, 1, 1, 1));
        Refused(Unsupported, "2^31", () => library.CreateTensor(CudnnDataType.Float32, 1 << 16, 1, 1 << 15, 1));
        Refused(Bad, "not positive", () => library.CreateFilter(CudnnDataType.Float32, 1, 1, -3, 3));
        Refused(Bad, "padding", () => library.CreateConvolution(-1, 1, CudnnMath.Default));
        Refused(Bad, "stride", () => library.CreateConvolution(0, 0, CudnnMath.Default));
        Refused(Bad, "multiply-adds", () => library.CreateConvolution(0, 1, (CudnnMath)7));
        Refused(Bad, "multiply-adds", () => library.SetMath(_bench.Operands.Convolution, (CudnnMath)7));
    }

    [Test]
    public void Handles_of_the_wrong_kind_or_destroyed()
    {
        CudnnConvolution operands = _bench.Operands;
        SoftwareCudnn library = _bench.Library;
        Refused(Bad, "x's description: 0x", With(operands, x: operands.WFilter));
        Refused(Bad, "is a filter of", With(operands, x: operands.WFilter));
        Refused(Bad, "null", With(operands, w: nint.Zero));
        Refused(Bad, "unknown", () => library.Destroy(99));
        Refused(Bad, "is a tensor of", () => library.DestroyFilter(operands.XTensor));
        nint tensor = library.CreateTensor(CudnnDataType.Float32, 1, 4, 1, 1);
        library.DestroyTensor(tensor);
        Refused(Bad, "was destroyed", () => library.DestroyTensor(tensor));
        Refused(Bad, "was destroyed", With(operands, x: tensor));
    }

    [Test]
    public void Algorithms_that_do_not_exist_or_do_not_work()
    {
        Refused(Bad, "no algorithm 8", () => Run(_bench.Operands, 8));
        Refused(Bad, "no algorithm -1", () => Run(_bench.Operands, -1));
        Refused(Unsupported, "algorithm 2", () => Run(_bench.Operands, 2));
        using var strided = new ConvolutionBench(new ConvolutionCase(1, 8, 8, 8, 8, 3, 1, 2), false, CudnnMath.Default);
        Refused(Unsupported, "algorithm 7", () => strided.Convolve(Forward, 7));
        using var narrow = new ConvolutionBench(new ConvolutionCase(1, 4, 4, 4, 8, 1, 0, 1), true, CudnnMath.Default);
        Refused(Unsupported, "algorithm 1", () => narrow.Convolve(Forward, 1));
        Assert.That(narrow.Find(Forward).Select(found => found.Algorithm), Is.EqualTo(new[] { 0 }));
    }

    [Test]
    public void Workspaces_that_are_too_small_or_in_the_way()
    {
        CudnnConvolution operands = _bench.Operands;
        nuint needed = _bench.Library.WorkspaceBytes(_bench.Handle, Forward, operands, 1);
        Assert.That(needed, Is.GreaterThan((nuint)0));
        Refused(Bad, "are needed", () => Run(operands, 1, _bench.Workspace, needed - 1));
        Refused(Bad, "workspace is null", () => Run(operands, 1, default, needed));
        Refused(Bad, "workspace is not aligned", () => Run(operands, 1, _bench.Workspace + 8, needed));
        Refused(Bad, "workspace overlaps", () => Run(operands, 1, operands.X, needed));
    }

    [Test]
    public void Memory_that_is_null_misaligned_or_shared()
    {
        CudnnConvolution operands = _bench.Operands;
        Refused(Bad, "first input is null", With(operands with { X = default }));
        Refused(Bad, "second input is not aligned", With(operands with { W = operands.W + 4 }));
        Refused(Bad, "output overlaps", With(operands with { Y = operands.X }));
        Refused(Bad, "output overlaps", With(operands with { Y = operands.W + 64 }));
    }

    [Test]
    public void Summands_of_the_fused_pass()
    {
        CudnnConvolution operands = _bench.Operands;
        DevicePointer bias = _bench.Device.Upload(new double[Shape.K]);
        nint scalar = Tensor(1, 1, 1, 1), shortBias = Tensor(1, Shape.K, 1, 1, CudnnDataType.BFloat16);
        void Fused(nint tensor, DevicePointer summand, DevicePointer residual, nint activation) =>
            _bench.Library.ConvolveBiasRelu(
            _bench.Handle, operands, 0, default, 0, 1, residual, tensor, summand, activation);
        Refused(Bad, "the bias is a tensor", () => Fused(scalar, bias, operands.Y, _bench.Relu));
        Refused(Unsupported, "number format", () => Fused(shortBias, bias, operands.Y, _bench.Relu));
        Refused(Bad, "the bias is null", () => Fused(_bench.BiasTensor, default, operands.Y, _bench.Relu));
        Refused(Bad, "z is null", () => Fused(_bench.BiasTensor, bias, default, _bench.Relu));
        Refused(Bad, "a part of z", () => Fused(_bench.BiasTensor, bias, operands.Y + 32, _bench.Relu));
        Refused(Bad, "overlaps the bias", () => Fused(_bench.BiasTensor, operands.Y, operands.Y, _bench.Relu));
        Refused(Bad, "activation", () => Fused(_bench.BiasTensor, bias, operands.Y, _bench.BiasTensor));
        _bench.Library.DestroyTensor(scalar);
        _bench.Library.DestroyTensor(shortBias);
    }

    [Test]
    public void Version_8_has_its_own_numbers()
    {
        using var old = new ConvolutionBench(Shape, false, CudnnMath.Default, 8907);
        Refused(3, "no algorithm 8", () => old.Convolve(Forward, 8));
        Refused(9, "algorithm 2", () => old.Convolve(Forward, 2));
    }

    [Test]
    public void A_description_that_is_never_destroyed_is_reported()
    {
        var library = new SoftwareCudnn(_bench.Device);
        nint tensor = library.CreateTensor(CudnnDataType.Float32, 1, 2, 3, 4);
        Assert.That(library.Dispose, Throws.InvalidOperationException.With.Message.Contains("a tensor of Float32 1, 2, 3, 4"));
        library.DestroyTensor(tensor);
        Assert.That(library.Dispose, Throws.Nothing);
    }

    private static void Refused(int status, string reason, Action call) =>
        Assert.That(
            call,
            Throws.TypeOf<CudaException>().With.Property(nameof(CudaException.Status)).EqualTo(status)
                .And.Property(nameof(CudaException.Library)).EqualTo(CudaLibrary.Cudnn).And.Message.Contains(reason));

    /// <summary>A forward pass of which some descriptions are others; those made for it are destroyed afterwards.</summary>
    private Action With(CudnnConvolution operands, Made? x = null, Made? w = null, Made? y = null) => () =>
    {
        try
        {
            Run(
                operands with
                {
                    XTensor = x?.Handle ?? operands.XTensor,
                    WFilter = w?.Handle ?? operands.WFilter,
                    YTensor = y?.Handle ?? operands.YTensor,
                },
                0);
        }
        finally
        {
            x?.Destroy?.Invoke();
            w?.Destroy?.Invoke();
            y?.Destroy?.Invoke();
        }
    };

    private void Run(CudnnConvolution operands, int algorithm, DevicePointer workspace = default, nuint bytes = 0) =>
        _bench.Library.Convolve(_bench.Handle, Forward, 1, operands, algorithm, workspace, bytes, 0);

    private Made Tensor(int n, int c, int h, int w, CudnnDataType type = CudnnDataType.Float32)
    {
        nint handle = _bench.Library.CreateTensor(type, n, c, h, w);
        return new Made(handle, () => _bench.Library.DestroyTensor(handle));
    }

    private Made Filter(int k, int c, int r, int s)
    {
        nint handle = _bench.Library.CreateFilter(CudnnDataType.Float32, k, c, r, s);
        return new Made(handle, () => _bench.Library.DestroyFilter(handle));
    }

    private sealed record Made(nint Handle, Action? Destroy)
    {
        public static implicit operator nint(Made made) => made.Handle;

        public static implicit operator Made(nint handle) => new(handle, null);
    }
}
