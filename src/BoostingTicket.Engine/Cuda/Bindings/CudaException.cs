using BoostingTicket.Engine.Backends;

namespace BoostingTicket.Engine.Cuda.Bindings;

/// <summary>Library of CUDA that answered with a status.</summary>
internal enum CudaLibrary
{
    /// <summary>The driver (libcuda).</summary>
    Driver,

    /// <summary>cuBLAS.</summary>
    Cublas,

    /// <summary>cuDNN.</summary>
    Cudnn,

    /// <summary>NCCL.</summary>
    Nccl,
}

/// <summary>A call of the CUDA driver, cuBLAS, cuDNN or NCCL failed. The message names the call and the status.</summary>
internal sealed class CudaException : DeviceException
{
    /// <summary>A failed call.</summary>
    /// <param name="library">Who answered.</param>
    /// <param name="status">What it answered.</param>
    /// <param name="message">The call, the status's name and what it means.</param>
    public CudaException(CudaLibrary library, int status, string message) : base(message)
    {
        Library = library;
        Status = status;
    }

    /// <summary>Who answered.</summary>
    public CudaLibrary Library { get; }

    /// <summary>The status's number.</summary>
    public int Status { get; }

    /// <summary>Whether there was not enough memory on the device.</summary>
    public bool IsOutOfMemory => Library switch
    {
        CudaLibrary.Driver => Status == 2,
        CudaLibrary.Cublas => Status == 3,
        CudaLibrary.Cudnn => Status is 2 or 4004,
        _ => false,
    };

    /// <summary>Whether cuDNN or cuBLAS cannot do what was asked for, so that another algorithm may be tried.</summary>
    public bool IsNotSupported => Library switch
    {
        CudaLibrary.Cublas => Status == 15,
        CudaLibrary.Cudnn => Status == 9 || Status / 1000 == 3,
        CudaLibrary.Driver => Status == 801,
        _ => false,
    };

    /// <summary>Whether cuDNN or cuBLAS did not do what it was asked for, for a reason that need not hold for another algorithm
    /// or another call: which of them it gives for the same lack (not supported, bad parameter, architecture, internal error,
    /// execution failed) differs from version to version. Not a lack of memory, nor a library that does not work at
    /// all.</summary>
    public bool IsRefusal => Library switch
    {
        CudaLibrary.Cublas => Status is 7 or 8 or 13 or 14 or 15,
        CudaLibrary.Cudnn => !IsOutOfMemory
            && (Status is 3 or 4 or 5 or 6 or 8 or 9 || (Status is >= 2000 and < 6000 and not 4003)),
        _ => false,
    };
}
