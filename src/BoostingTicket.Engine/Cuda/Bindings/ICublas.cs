namespace BoostingTicket.Engine.Cuda.Bindings;

/// <summary>The calls of cuBLAS that the backend makes. Every call throws <see cref="CudaException"/> when its status is not
/// success. Matrices are column-major.</summary>
internal interface ICublas : IDisposable
{
    /// <summary>Version of the library, such as 130000.</summary>
    int Version { get; }

    /// <summary>A handle for the current context.</summary>
    nint Create();

    /// <summary>Destroys a handle.</summary>
    void Destroy(nint handle);

    /// <summary>Orders a handle's work by a stream and forgets its workspace.</summary>
    void SetStream(nint handle, nint stream);

    /// <summary>Memory that calls may use; without it cuBLAS allocates, also while a graph is captured.</summary>
    void SetWorkspace(nint handle, DevicePointer workspace, nuint bytes);

    /// <summary><c>C = alpha * op(A) op(B) + beta * C</c> (cublasGemmEx with its default algorithm).</summary>
    /// <param name="handle">The handle.</param>
    /// <param name="operationA">op of A.</param>
    /// <param name="operationB">op of B.</param>
    /// <param name="m">Rows of op(A) and C.</param>
    /// <param name="n">Columns of op(B) and C.</param>
    /// <param name="k">Columns of op(A) and rows of op(B).</param>
    /// <param name="alpha">Factor of the product.</param>
    /// <param name="a">A.</param>
    /// <param name="b">B.</param>
    /// <param name="beta">Factor of the old C; C is not read when it is 0.</param>
    /// <param name="c">C.</param>
    /// <param name="compute">Number format of the multiply-adds.</param>
    void Gemm(
        nint handle, CublasOperation operationA, CublasOperation operationB, int m, int n, int k, float alpha,
        in CublasMatrix a, in CublasMatrix b, float beta, in CublasMatrix c, CublasCompute compute);
}

/// <summary>A column-major matrix of cuBLAS.</summary>
/// <param name="Data">Its first element.</param>
/// <param name="Type">Its elements.</param>
/// <param name="LeadingDimension">Elements from one column to the next.</param>
internal readonly record struct CublasMatrix(DevicePointer Data, CudaDataType Type, int LeadingDimension);

/// <summary>What is done to a matrix before it is multiplied; values of cublasOperation_t.</summary>
internal enum CublasOperation
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>It is transposed.</summary>
    Transpose = 1,
}

/// <summary>Number formats of cuBLAS; values of cudaDataType.</summary>
internal enum CudaDataType
{
    /// <summary>float32.</summary>
    Float32 = 0,

    /// <summary>bfloat16.</summary>
    BFloat16 = 14,
}

/// <summary>Number formats of multiply-adds; values of cublasComputeType_t.</summary>
internal enum CublasCompute
{
    /// <summary>float32 sums; of float32 factors no rounding to a shorter format.</summary>
    Float32 = 68,

    /// <summary>The same with every product and sum as it is written, on no tensor cores.</summary>
    Float32Pedantic = 69,

    /// <summary>float32 factors rounded to TF32 by tensor cores.</summary>
    Float32FastTensorFloat32 = 77,
}
