using BoostingTicket.Engine.Cuda.Bindings;

namespace BoostingTicket.SoftwareCuda.Libraries;

/// <summary>cuBLAS as its documentation describes it, computed naively on the software device: sums in double, rounded once.
/// What cuBLAS refuses is refused with its status; what it leaves undefined (an output that overlaps an input, an address that is
/// no multiple of the element) is refused as an invalid value.</summary>
internal sealed class SoftwareCublas : ICublas
{
    /// <summary>CUBLAS_STATUS_NOT_INITIALIZED: the handle is not one.</summary>
    public const int NotInitialized = 1;

    /// <summary>CUBLAS_STATUS_INVALID_VALUE: a size, leading dimension, operation or pointer is not allowed.</summary>
    public const int InvalidValue = 7;

    /// <summary>CUBLAS_STATUS_NOT_SUPPORTED: there is no such combination of number formats.</summary>
    public const int NotSupported = 15;

    private const int FirstHandle = 0x0b1a5000;
    private const int Scribbled = 1 << 16;
    private const byte Garbage = 0xff;

    private readonly ISoftwareDevice _device;
    private readonly HandleTable _handles = new(FirstHandle);

    /// <summary>A library on a device.</summary>
    /// <param name="device">The device; it outlives the library.</param>
    /// <param name="version">The version that it says it is.</param>
    public SoftwareCublas(ISoftwareDevice device, int version = 130000)
    {
        _device = device;
        Version = version;
    }

    /// <inheritdoc/>
    public int Version { get; }

    /// <summary>Handles that were not destroyed.</summary>
    public IReadOnlyList<string> Leaks => _handles.Leaks;

    /// <summary>Products whose handle had no workspace, for which the real library allocates memory.</summary>
    public int CallsWithoutWorkspace { get; private set; }

    /// <inheritdoc/>
    public nint Create() => _handles.Add(new Context());

    /// <inheritdoc/>
    public void Destroy(nint handle)
    {
        Resolve("cublasDestroy", handle);
        _handles.Remove(handle);
    }

    /// <inheritdoc/>
    public void SetStream(nint handle, nint stream)
    {
        Context context = Resolve("cublasSetStream", handle);
        context.Stream = stream;
        context.Workspace = default;
    }

    /// <inheritdoc/>
    public void SetWorkspace(nint handle, DevicePointer workspace, nuint bytes)
    {
        const string call = "cublasSetWorkspace";
        Context context = Resolve(call, handle);
        var range = new MemoryRange(workspace, (long)bytes);
        Require(call, bytes == 0 || !workspace.IsNull, InvalidValue, "the workspace is null");
        Require(call, range.IsAligned(256), InvalidValue, "the workspace is not aligned to 256 bytes");
        context.Workspace = range;
    }

    /// <inheritdoc/>
    public void Gemm(
        nint handle, CublasOperation operationA, CublasOperation operationB, int m, int n, int k, float alpha,
        in CublasMatrix a, in CublasMatrix b, float beta, in CublasMatrix c, CublasCompute compute)
    {
        const string call = "cublasGemmEx";
        Context context = Resolve(call, handle);
        Require(call, Enum.IsDefined(operationA) && Enum.IsDefined(operationB), InvalidValue, "there is no such operation");
        Require(call, m >= 0 && n >= 0 && k >= 0, InvalidValue, $"a size of m {m}, n {n}, k {k} is negative");
        CheckTypes(call, a.Type, b.Type, c.Type, compute);
        Operand left = Operand.Of(a, operationA, m, k), right = Operand.Of(b, operationB, k, n),
        output = Operand.Of(c, CublasOperation.None, m, n);
        CheckLeadingDimension(call, "lda", left);
        CheckLeadingDimension(call, "ldb", right);
        CheckLeadingDimension(call, "ldc", output);
        if (m == 0 || n == 0)
            return;
        bool multiplies = k > 0 && alpha != 0;
        if (multiplies)
        {
            CheckPointer(call, "A", left);
            CheckPointer(call, "B", right);
        }

        CheckPointer(call, "C", output);
        Require(
            call, !multiplies || !(output.Range.Overlaps(left.Range) || output.Range.Overlaps(right.Range)), InvalidValue,
            "C overlaps A or B");
        MemoryRange workspace = context.Workspace;
        Require(
            call, !workspace.Overlaps(output.Range) && !workspace.Overlaps(left.Range) && !workspace.Overlaps(right.Range),
            InvalidValue,
            "the workspace overlaps a matrix");
        if (workspace.Bytes == 0)
            CallsWithoutWorkspace++;

        var product = new Product(
            left, right, output, m, n, multiplies ? k : 0, alpha, beta, compute == CublasCompute.Float32FastTensorFloat32);
        _device.Submit(context.Stream, call, () =>
        {
            if (workspace.Bytes > 0)
                _device.Write(workspace.Data, Math.Min(workspace.Bytes, Scribbled), "cublasGemmEx workspace").Fill(Garbage);
            Multiply(product);
        });
    }

    /// <summary>Ends the library.</summary>
    /// <exception cref="InvalidOperationException">Handles were not destroyed.</exception>
    public void Dispose()
    {
        if (Leaks.Count > 0)
            throw new InvalidOperationException($"cuBLAS: not destroyed: {string.Join(", ", Leaks)}");
    }

    private void Multiply(Product product)
    {
        (int m, int n, int k) = (product.M, product.N, product.K);

        // Both factors with k innermost slowest: rows of op(B) and op(A) follow each other by k, so that a column of C is a sum
        // of columns of op(A).
        double[] a = Read(
            product.A, k, m, product.A.Operation == CublasOperation.None, product.UsesTensorFloat32, "cublasGemmEx A");
        double[] b = Read(
            product.B, n, k, product.B.Operation == CublasOperation.None, product.UsesTensorFloat32, "cublasGemmEx B");
        double[] sums = new double[m], old = new double[m];
        for (int column = 0; column < n; column++)
        {
            Array.Clear(sums);
            for (int inner = 0; inner < k; inner++)
                Span64.AddScaled(b[column * k + inner], a.AsSpan(inner * m, m), sums);
            DevicePointer place = product.C.ColumnOf(column);
            long bytes = (long)m * product.C.ElementBytes;
            bool isBFloat16 = product.C.IsBFloat16;
            if (product.Beta != 0)
                DeviceNumbers.Load(_device.Read(place, bytes, "cublasGemmEx C"), isBFloat16, old);
            for (int row = 0; row < m; row++)
                sums[row] = (k == 0 ? 0 : product.Alpha * sums[row]) + (product.Beta == 0 ? 0 : product.Beta * old[row]);
            DeviceNumbers.Store(sums, isBFloat16, _device.Write(place, bytes, "cublasGemmEx C"));
        }
    }

    /// <summary>The elements of op(matrix), which has <paramref name="columns"/> columns of <paramref name="rows"/>, column after
    /// column.</summary>
    private double[] Read(Operand matrix, int columns, int rows, bool isAsStored, bool roundToTensorFloat32, string reader)
    {
        double[] values = new double[columns * rows];
        if (values.Length == 0)
            return values;
        (int storedColumns, int storedRows) = isAsStored ? (columns, rows) : (rows, columns);
        double[] column = new double[storedRows];
        for (int i = 0; i < storedColumns; i++)
        {
            ReadOnlySpan<byte> bytes = _device.Read(matrix.ColumnOf(i), (long)storedRows * matrix.ElementBytes, reader);
            DeviceNumbers.Load(bytes, matrix.IsBFloat16, column, roundToTensorFloat32);
            for (int j = 0; j < storedRows; j++)
                values[isAsStored ? i * rows + j : j * rows + i] = column[j];
        }

        return values;
    }

    private static void CheckTypes(string call, CudaDataType a, CudaDataType b, CudaDataType c, CublasCompute compute)
    {
        bool supported = (compute, a, b, c) switch
        {
            (CublasCompute.Float32 or CublasCompute.Float32Pedantic or CublasCompute.Float32FastTensorFloat32,
                CudaDataType.Float32, CudaDataType.Float32,
                CudaDataType.Float32) => true,
            (CublasCompute.Float32 or CublasCompute.Float32Pedantic, CudaDataType.BFloat16, CudaDataType.BFloat16,
                CudaDataType.BFloat16 or CudaDataType.Float32) => true,
            _ => false,
        };
        Require(call, supported, NotSupported, $"{compute} of A {a} and B {b} into C {c}");
    }

    private static void CheckLeadingDimension(string call, string name, Operand matrix)
    {
        int least = Math.Max(1, matrix.StoredRows);
        Require(call, matrix.LeadingDimension >= least, InvalidValue,
            $"{name} is {matrix.LeadingDimension}, at least {least} is needed");
    }

    private static void CheckPointer(string call, string name, Operand matrix)
    {
        Require(call, !matrix.Data.IsNull, InvalidValue, $"{name} is null");
        Require(call, matrix.Range.IsAligned(matrix.ElementBytes), InvalidValue, $"{name} is not aligned to its elements");
    }

    private Context Resolve(string call, nint handle)
    {
        if (!_handles.TryGet(handle, out Context? context, out string problem))
            throw Failure(call, NotInitialized, $"the handle: {problem}");
        return context;
    }

    private static void Require(string call, bool holds, int status, string otherwise)
    {
        if (!holds)
            throw Failure(call, status, otherwise);
    }

    private static CudaException Failure(string call, int status, string reason)
    {
        string name = status switch
        {
            NotInitialized => "CUBLAS_STATUS_NOT_INITIALIZED",
            NotSupported => "CUBLAS_STATUS_NOT_SUPPORTED",
            _ => "CUBLAS_STATUS_INVALID_VALUE",
        };
        return new CudaException(CudaLibrary.Cublas, status, $"{call}: {name} ({status}): {reason}");
    }

    private sealed class Context
    {
        public nint Stream { get; set; }

        public MemoryRange Workspace { get; set; }

        public override string ToString() => "a handle of cuBLAS";
    }

    /// <summary>A matrix as it is stored, with the sizes that follow from what is done to it.</summary>
    private readonly record struct Operand(
        DevicePointer Data, bool IsBFloat16, int LeadingDimension, CublasOperation Operation, int StoredRows, int StoredColumns)
    {
        public int ElementBytes => IsBFloat16 ? 2 : 4;

        public MemoryRange Range => new(
            Data,
            StoredRows == 0 || StoredColumns == 0 ? 0 : ((StoredColumns - 1L) * LeadingDimension + StoredRows) * ElementBytes);

        /// <summary>A matrix of which op has <paramref name="rows"/> and <paramref name="columns"/>.</summary>
        public static Operand Of(in CublasMatrix matrix, CublasOperation operation, int rows, int columns)
        {
            bool isAsStored = operation == CublasOperation.None;
            return new Operand(
                matrix.Data, matrix.Type == CudaDataType.BFloat16, matrix.LeadingDimension, operation,
                isAsStored ? rows : columns, isAsStored ? columns : rows);
        }

        public DevicePointer ColumnOf(int index) => Data + (long)index * LeadingDimension * ElementBytes;
    }

    private sealed record Product(
        Operand A, Operand B, Operand C, int M, int N, int K, float Alpha, float Beta, bool UsesTensorFloat32);
}
