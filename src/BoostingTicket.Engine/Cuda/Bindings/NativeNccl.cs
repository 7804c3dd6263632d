using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace BoostingTicket.Engine.Cuda.Bindings;

/// <summary>NCCL, called directly.</summary>
internal sealed unsafe class NativeNccl : INccl
{
    /// <summary>NCCL's number of the data type (ncclFloat32).</summary>
    public const int Float32 = 7;

    private readonly NcclFunctions _nccl;

    /// <summary>Takes the functions of a library and asks for its version.</summary>
    /// <exception cref="Backends.DeviceException">The library lacks functions.</exception>
    public NativeNccl(NativeModule library)
    {
        _nccl = library.Bind<NcclFunctions>(NcclFunctions.Names);
        int version;
        Check(_nccl.ncclGetVersion(&version));
        Version = version;
    }

    /// <inheritdoc/>
    public int Version { get; }

    /// <inheritdoc/>
    public NcclId CreateId()
    {
        NcclId id;
        Check(_nccl.ncclGetUniqueId(&id));
        return id;
    }

    /// <inheritdoc/>
    public nint Join(int ranks, in NcclId id, int rank)
    {
        NcclConfig config = NcclConfig.WithoutBlocking;
        nint communicator;
        Check(_nccl.ncclCommInitRankConfig(&communicator, ranks, id, rank, &config));
        return communicator;
    }

    /// <inheritdoc/>
    public bool IsReady(nint communicator)
    {
        int state;
        Check(_nccl.ncclCommGetAsyncError(communicator, &state), communicator);
        Check(state, communicator, "transfers");
        return state == CudaStatus.Success;
    }

    /// <inheritdoc/>
    public void BeginGroup() => Check(_nccl.ncclGroupStart());

    /// <inheritdoc/>
    public void EndGroup() => Check(_nccl.ncclGroupEnd());

    /// <inheritdoc/>
    public void Send(DevicePointer values, nuint count, int peer, nint communicator, nint stream) =>
        Check(_nccl.ncclSend((void*)values.Address, count, Float32, peer, communicator, stream), communicator);

    /// <inheritdoc/>
    public void Receive(DevicePointer values, nuint count, int peer, nint communicator, nint stream) =>
        Check(_nccl.ncclRecv((void*)values.Address, count, Float32, peer, communicator, stream), communicator);

    /// <inheritdoc/>
    public void Abort(nint communicator) => Check(_nccl.ncclCommAbort(communicator));

    /// <summary>Does nothing: the library belongs to the process.</summary>
    public void Dispose() { }

    private void Check(int status, nint communicator = 0, [CallerArgumentExpression(nameof(status))] string call = "")
    {
        if (status is not (CudaStatus.Success or CudaStatus.NcclInProgress))
            CudaStatus.Throw(
                CudaLibrary.Nccl, status, call, null, Marshal.PtrToStringUTF8((nint)_nccl.ncclGetLastError(communicator)));
    }
}
