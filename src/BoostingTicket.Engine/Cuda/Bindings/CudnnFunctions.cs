namespace BoostingTicket.Engine.Cuda.Bindings;

/// <summary>Functions of cuDNN 8.9 and 9: the same parameters in both.</summary>
internal unsafe struct CudnnFunctions
{
    // Nothing but function pointers, in the order of Names.
    public delegate* unmanaged<nuint> cudnnGetVersion;
    public delegate* unmanaged<int, byte*> cudnnGetErrorString;
    public delegate* unmanaged<nint*, int> cudnnCreate;
    public delegate* unmanaged<nint, int> cudnnDestroy;
    public delegate* unmanaged<nint, nint, int> cudnnSetStream;
    public delegate* unmanaged<nint*, int> cudnnCreateTensorDescriptor;
    public delegate* unmanaged<nint, int, int, int, int, int, int, int> cudnnSetTensor4dDescriptor;
    public delegate* unmanaged<nint, int> cudnnDestroyTensorDescriptor;
    public delegate* unmanaged<nint*, int> cudnnCreateFilterDescriptor;
    public delegate* unmanaged<nint, int, int, int, int, int, int, int> cudnnSetFilter4dDescriptor;
    public delegate* unmanaged<nint, int> cudnnDestroyFilterDescriptor;
    public delegate* unmanaged<nint*, int> cudnnCreateConvolutionDescriptor;
    public delegate* unmanaged<nint, int, int, int, int, int, int, int, int, int> cudnnSetConvolution2dDescriptor;
    public delegate* unmanaged<nint, int, int> cudnnSetConvolutionMathType;
    public delegate* unmanaged<nint, int> cudnnDestroyConvolutionDescriptor;
    public delegate* unmanaged<nint*, int> cudnnCreateActivationDescriptor;
    public delegate* unmanaged<nint, int, int, double, int> cudnnSetActivationDescriptor;
    public delegate* unmanaged<nint, int> cudnnDestroyActivationDescriptor;
    public delegate* unmanaged<
        nint, nint, void*, nint, void*, nint, nint, void*, int, int*, CudnnPerformance*, void*, nuint, int>
        cudnnFindConvolutionForwardAlgorithmEx;
    public delegate* unmanaged<
        nint, nint, void*, nint, void*, nint, nint, void*, int, int*, CudnnPerformance*, void*, nuint, int>
        cudnnFindConvolutionBackwardDataAlgorithmEx;
    public delegate* unmanaged<
        nint, nint, void*, nint, void*, nint, nint, void*, int, int*, CudnnPerformance*, void*, nuint, int>
        cudnnFindConvolutionBackwardFilterAlgorithmEx;
    public delegate* unmanaged<nint, nint, nint, nint, nint, int, nuint*, int> cudnnGetConvolutionForwardWorkspaceSize;
    public delegate* unmanaged<nint, nint, nint, nint, nint, int, nuint*, int> cudnnGetConvolutionBackwardDataWorkspaceSize;
    public delegate* unmanaged<nint, nint, nint, nint, nint, int, nuint*, int> cudnnGetConvolutionBackwardFilterWorkspaceSize;
    public delegate* unmanaged<nint, void*, nint, void*, nint, void*, nint, int, void*, nuint, void*, nint, void*, int>
        cudnnConvolutionForward;
    public delegate* unmanaged<nint, void*, nint, void*, nint, void*, nint, int, void*, nuint, void*, nint, void*, int>
        cudnnConvolutionBackwardData;
    public delegate* unmanaged<nint, void*, nint, void*, nint, void*, nint, int, void*, nuint, void*, nint, void*, int>
        cudnnConvolutionBackwardFilter;
    public delegate* unmanaged<
        nint, void*, nint, void*, nint, void*, nint, int, void*, nuint, void*, nint, void*, nint, void*, nint, nint, void*, int>
        cudnnConvolutionBiasActivationForward;

    /// <summary>Since 9.0; null before.</summary>
    public delegate* unmanaged<byte*, nuint, void> cudnnGetLastErrorString;

    /// <summary>Exported names of the fields, in their order.</summary>
    public static readonly string[] Names =
    [
        nameof(cudnnGetVersion), nameof(cudnnGetErrorString), nameof(cudnnCreate), nameof(cudnnDestroy), nameof(cudnnSetStream),
        nameof(cudnnCreateTensorDescriptor), nameof(cudnnSetTensor4dDescriptor), nameof(cudnnDestroyTensorDescriptor),
        nameof(cudnnCreateFilterDescriptor), nameof(cudnnSetFilter4dDescriptor), nameof(cudnnDestroyFilterDescriptor),
        nameof(cudnnCreateConvolutionDescriptor), nameof(cudnnSetConvolution2dDescriptor), nameof(cudnnSetConvolutionMathType),
        nameof(cudnnDestroyConvolutionDescriptor), nameof(cudnnCreateActivationDescriptor), nameof(cudnnSetActivationDescriptor),
        nameof(cudnnDestroyActivationDescriptor), nameof(cudnnFindConvolutionForwardAlgorithmEx),
        nameof(cudnnFindConvolutionBackwardDataAlgorithmEx), nameof(cudnnFindConvolutionBackwardFilterAlgorithmEx),
        nameof(cudnnGetConvolutionForwardWorkspaceSize), nameof(cudnnGetConvolutionBackwardDataWorkspaceSize),
        nameof(cudnnGetConvolutionBackwardFilterWorkspaceSize), nameof(cudnnConvolutionForward),
        nameof(cudnnConvolutionBackwardData), nameof(cudnnConvolutionBackwardFilter),
        nameof(cudnnConvolutionBiasActivationForward), nameof(cudnnGetLastErrorString) + "?",
    ];
}

/// <summary>What cuDNN measured of an algorithm: cudnnConvolutionFwdAlgoPerf_t and its two twins. 48 bytes.</summary>
internal unsafe struct CudnnPerformance
{
    /// <summary>The algorithm.</summary>
    public int Algorithm;

    /// <summary>Whether it works; its other values mean nothing unless this is 0.</summary>
    public int Status;

    /// <summary>Milliseconds.</summary>
    public float Time;

    /// <summary>Bytes of workspace.</summary>
    public nuint Memory;

    /// <summary>1 when it gives the same bits every time.</summary>
    public int Determinism;

    /// <summary>The kind of multiply-adds it was measured with.</summary>
    public int MathType;

    /// <summary>Nothing.</summary>
    public fixed int Reserved[3];
}
