using BoostingTicket.Engine.Cuda.Bindings;
using BoostingTicket.SoftwareCuda.Libraries;

namespace BoostingTicket.Engine.Tests.Cuda.Software.Libraries;

[TestFixture]
internal sealed class SoftwareCublasTests
{
    private const int M = 5, N = 3, K = 7;
    private const CublasOperation None = CublasOperation.None, Transpose = CublasOperation.Transpose;

    private ArrayDevice _device = null!;
    private SoftwareCublas _library = null!;
    private nint _handle;

    [SetUp]
    public void Create()
    {
        _device = new ArrayDevice();
        _library = new SoftwareCublas(_device);
        _handle = _library.Create();
        _library.SetStream(_handle, ArrayDevice.Stream);
    }

    [TearDown]
    public void Destroy() => _library.Dispose();

    [Test]
    public void Gemm_is_the_sum_of_products(
        [Values] CublasOperation operationA, [Values] CublasOperation operationB, [Values(0, 3)] int gap,
        [Values(0f, 1f, -0.5f)] float beta, [Values] bool isBFloat16)
    {
        const float alpha = 1.5f;
        var random = new Random(42);
        Stored a = Random(random, M, K, operationA, gap, isBFloat16), b = Random(random, K, N, operationB, gap, isBFloat16);
        Stored c = Random(random, M, N, None, gap, isBFloat16);
        _library.Gemm(_handle, operationA, operationB, M, N, K, alpha, a.Matrix, b.Matrix, beta, c.Matrix, CublasCompute.Float32);

        double[] result = _device.Download(c.Matrix.Data, c.Values.Length, isBFloat16);
        for (int row = 0; row < M; row++)
        {
            for (int column = 0; column < N; column++)
            {
                double sum = 0;
                for (int inner = 0; inner < K; inner++)
                    sum += a[row, inner] * b[inner, column];
                double expected = alpha * sum + beta * c[row, column];
                double bound = isBFloat16 ? Math.Abs(expected) / 256 : 1e-7 * (1 + Math.Abs(expected));
                Assert.That(result[column * c.Matrix.LeadingDimension + row], Is.EqualTo(expected).Within(bound));
            }
        }

        // What lies between columns stays.
        for (int i = 0; i < result.Length; i++)
        {
            if (i % c.Matrix.LeadingDimension >= M)
                Assert.That(result[i], Is.EqualTo(c.Values[i]));
        }

        _library.Destroy(_handle);
    }

    [Test]
    public void BFloat16_factors_may_give_a_float32_result()
    {
        double[] values = [1 + 1.0 / 128, 3];
        CublasMatrix a = new(_device.Upload(values, true), CudaDataType.BFloat16, 1);
        CublasMatrix b = new(_device.Upload(values, true), CudaDataType.BFloat16, 2);
        CublasMatrix c = new(_device.Allocate(4), CudaDataType.Float32, 1);
        _library.Gemm(_handle, None, None, 1, 1, 2, 1, a, b, 0, c, CublasCompute.Float32);
        Assert.That(_device.Download(c.Data, 1)[0], Is.EqualTo(10 + 1.0 / 64 + 1.0 / 16384));
        _library.Destroy(_handle);
    }

    [Test]
    public void Factors_are_rounded_where_the_compute_type_says_so()
    {
        float value = 1 + 1f / 4096;
        CublasMatrix a = new(_device.Upload([value]), CudaDataType.Float32, 1),
        b = new(_device.Upload([1]), CudaDataType.Float32, 1);
        CublasMatrix c = new(_device.Allocate(4), CudaDataType.Float32, 1);
        _library.Gemm(_handle, None, None, 1, 1, 1, 1, a, b, 0, c, CublasCompute.Float32);
        Assert.That(_device.Download(c.Data, 1)[0], Is.EqualTo(value));
        _library.Gemm(_handle, None, None, 1, 1, 1, 1, a, b, 0, c, CublasCompute.Float32FastTensorFloat32);
        Assert.That(_device.Download(c.Data, 1)[0], Is.EqualTo(1));
        _library.Destroy(_handle);
    }

    [Test]
    public void Without_factors_to_add_the_result_is_scaled()
    {
        CublasMatrix none = new(DevicePointer.Null, CudaDataType.Float32, 2),
        c = new(_device.Upload([2, -4]), CudaDataType.Float32, 2);
        _library.Gemm(_handle, None, None, 2, 1, 0, 1, none, none, 0.5f, c, CublasCompute.Float32);
        Assert.That(_device.Download(c.Data, 2), Is.EqualTo(new double[] { 1, -2 }));
        _library.Gemm(_handle, None, None, 2, 1, 3, 0, none, none with { LeadingDimension = 3 }, 0, c, CublasCompute.Float32);
        Assert.That(_device.Download(c.Data, 2), Is.EqualTo(new double[] { 0, 0 }));
        _library.Gemm(_handle, None, None, 0, 1, 3, 1, none, none with { LeadingDimension = 3 }, 0, none, CublasCompute.Float32);
        _library.Destroy(_handle);
    }

    [Test]
    public void A_replayed_product_reads_its_factors_again()
    {
        CublasMatrix a = new(_device.Upload([3]), CudaDataType.Float32, 1), b = new(_device.Upload([5]), CudaDataType.Float32, 1);
        CublasMatrix c = new(_device.Allocate(4), CudaDataType.Float32, 1);
        _device.IsCapturing = true;
        _library.Gemm(_handle, None, None, 1, 1, 1, 1, a, b, 0, c, CublasCompute.Float32);
        _device.IsCapturing = false;
        Assert.That(() => _device.Download(c.Data, 1), Throws.InvalidOperationException, "nothing ran yet");
        _device.Replay();
        Assert.That(_device.Download(c.Data, 1)[0], Is.EqualTo(15));
        DeviceNumbers.Store([7], false, _device.Write(a.Data, 4, "test"));
        _device.Replay();
        Assert.That(_device.Download(c.Data, 1)[0], Is.EqualTo(35));
        Assert.That(_device.Calls, Is.EqualTo(new[] { "cublasGemmEx" }));
        _library.Destroy(_handle);
    }

    [Test]
    public void Setting_the_stream_forgets_the_workspace()
    {
        DevicePointer workspace = _device.Allocate(512);
        CublasMatrix one = new(_device.Upload([1]), CudaDataType.Float32, 1),
        c = new(_device.Allocate(4), CudaDataType.Float32, 1);
        _library.SetWorkspace(_handle, workspace, 512);
        _library.Gemm(_handle, None, None, 1, 1, 1, 1, one, one, 0, c, CublasCompute.Float32);
        Assert.That(_library.CallsWithoutWorkspace, Is.Zero);
        Assert.That(_device.Read(workspace, 512, "test").ToArray(), Has.All.EqualTo(0xff), "a workspace is written to");
        _library.SetStream(_handle, ArrayDevice.Stream);
        _library.Gemm(_handle, None, None, 1, 1, 1, 1, one, one, 0, c, CublasCompute.Float32);
        Assert.That(_library.CallsWithoutWorkspace, Is.EqualTo(1));
        _library.Destroy(_handle);
    }

    [Test]
    public void What_cuBLAS_refuses_is_refused()
    {
        DevicePointer memory = _device.Upload(new double[256]), output = _device.Allocate(1024);
        var a = new CublasMatrix(memory, CudaDataType.Float32, M);
        CublasMatrix b = a with { LeadingDimension = K }, c = new(output, CudaDataType.Float32, M);
        CublasMatrix shortA = a with { Type = CudaDataType.BFloat16 }, shortB = b with { Type = CudaDataType.BFloat16 };
        Assert.Multiple(() =>
        {
            Refused(7, () => Run(a with { LeadingDimension = M - 1 }, b, c), "lda");
            Refused(7, () => Run(a, b with { LeadingDimension = K - 1 }, c), "ldb");
            Refused(7, () => Run(a, b, c with { LeadingDimension = M - 1 }), "ldc");
            Refused(7, () => Run(a, b, c, operationA: Transpose), "lda");
            Refused(7, () => Run(a, b, c, operationA: (CublasOperation)9), "operation");
            Refused(7, () => Run(a, b, c, n: -1), "negative");
            Refused(7, () => Run(a with { Data = default }, b, c), "A is null");
            Refused(7, () => Run(a, b, c with { Data = default }), "C is null");
            Refused(7, () => Run(a, b, c with { Data = output + 2 }), "aligned");
            Refused(7, () => Run(a, b, c with { Data = memory + 64 }), "overlaps");
            Refused(15, () => Run(shortA, b, c), "BFloat16");
            Refused(15, () => Run(a, b, c with { Type = CudaDataType.BFloat16 }), "BFloat16");
            Refused(15, () => Run(shortA, shortB, c, compute: CublasCompute.Float32FastTensorFloat32), "TensorFloat32");
            Refused(7, () => _library.SetWorkspace(_handle, memory + 16, 256), "256");
            Refused(7, () => _library.SetWorkspace(_handle, default, 256), "null");
            Refused(1, () => _library.SetStream(12345, 0), "unknown");
            Refused(1, () => _library.SetStream(0, 0), "null");
        });
        _library.SetWorkspace(_handle, memory, 256);
        Refused(7, () => Run(a, b, c), "workspace overlaps");
        _library.Destroy(_handle);
        Refused(1, () => _library.SetStream(_handle, 0), "destroyed");
        Assert.That(_device.Calls, Is.Empty, "nothing that was refused ran");
    }

    [Test]
    public void A_handle_that_is_never_destroyed_is_reported()
    {
        Assert.That(_library.Dispose, Throws.InvalidOperationException.With.Message.Contains("a handle of cuBLAS"));
        _library.Destroy(_handle);
    }

    private void Run(
        CublasMatrix a, CublasMatrix b, CublasMatrix c, CublasOperation operationA = None, int n = N,
        CublasCompute compute = CublasCompute.Float32) =>
        _library.Gemm(_handle, operationA, None, M, n, K, 1, a, b, 0, c, compute);

    private static void Refused(int status, Action call, string reason) =>
        Assert.That(
            call,
            Throws.TypeOf<CudaException>().With.Property(nameof(CudaException.Status)).EqualTo(status)
                .And.Property(nameof(CudaException.Library)).EqualTo(CudaLibrary.Cublas).And.Message.Contains(reason));

    private Stored Random(Random random, int rows, int columns, CublasOperation operation, int gap, bool isBFloat16)
    {
        (int storedRows, int storedColumns) = operation == None ? (rows, columns) : (columns, rows);
        double[] values = new double[(storedRows + gap) * storedColumns];
        for (int i = 0; i < values.Length; i++)
        {
            float value = random.NextSingle() - 0.5f;
            values[i] = isBFloat16 ? DeviceNumbers.FromBFloat16(DeviceNumbers.ToBFloat16(value)) : value;
        }

        CudaDataType type = isBFloat16 ? CudaDataType.BFloat16 : CudaDataType.Float32;
        return new Stored(new CublasMatrix(_device.Upload(values, isBFloat16), type, storedRows + gap), values, operation);
    }

    /// <summary>A matrix of the device and its values; indices are those of op(matrix).</summary>
    private sealed record Stored(CublasMatrix Matrix, double[] Values, CublasOperation Operation)
    {
        public double this[int row, int column] =>
            Operation == None ? Values[column * Matrix.LeadingDimension + row] : Values[row * Matrix.LeadingDimension + column];
    }
}
