using System.Runtime.InteropServices;

namespace BoostingTicket.Engine.Cuda.Bindings;

/// <summary>Functions of NCCL under their exported names; unchanged from 2.18 on.</summary>
internal unsafe struct NcclFunctions
{
    // Nothing but function pointers, in the order of Names.
    public delegate* unmanaged<int*, int> ncclGetVersion;
    public delegate* unmanaged<NcclId*, int> ncclGetUniqueId;
    public delegate* unmanaged<nint*, int, NcclId, int, NcclConfig*, int> ncclCommInitRankConfig;
    public delegate* unmanaged<nint, int*, int> ncclCommGetAsyncError;
    public delegate* unmanaged<nint, int> ncclCommAbort;
    public delegate* unmanaged<int> ncclGroupStart;
    public delegate* unmanaged<int> ncclGroupEnd;
    public delegate* unmanaged<void*, nuint, int, int, nint, nint, int> ncclSend;
    public delegate* unmanaged<void*, nuint, int, int, nint, nint, int> ncclRecv;
    public delegate* unmanaged<nint, byte*> ncclGetLastError;

    /// <summary>Exported names of the fields, in their order.</summary>
    public static readonly string[] Names =
    [
        nameof(ncclGetVersion), nameof(ncclGetUniqueId), nameof(ncclCommInitRankConfig), nameof(ncclCommGetAsyncError),
        nameof(ncclCommAbort), nameof(ncclGroupStart), nameof(ncclGroupEnd), nameof(ncclSend), nameof(ncclRecv),
        nameof(ncclGetLastError),
    ];
}

/// <summary>How a communicator works (ncclConfig_t of 2.18). Later versions read as many fields as its size and version
/// say.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct NcclConfig
{
    /// <summary>What a field holds that NCCL is to choose.</summary>
    public const int Undefined = int.MinValue;

    /// <summary>Its bytes.</summary>
    public nuint Size;

    /// <summary>Marks it.</summary>
    public uint Magic;

    /// <summary>Version of NCCL that its layout is of.</summary>
    public uint Version;

    /// <summary>Whether calls wait until they are done.</summary>
    public int Blocking;

    /// <summary>Blocks of a cluster.</summary>
    public int CgaClusterSize;

    /// <summary>Blocks of a kernel, at least.</summary>
    public int MinCtas;

    /// <summary>Blocks of a kernel, at most.</summary>
    public int MaxCtas;

    /// <summary>Name of the network.</summary>
    public nint NetName;

    /// <summary>Whether resources are shared with communicators that are split off.</summary>
    public int SplitShare;

    /// <summary>Padding, in which newer versions have a field.</summary>
    public int TrafficClass;

    /// <summary>Calls do not wait; the rest is NCCL's own choice.</summary>
    public static unsafe NcclConfig WithoutBlocking => new()
    {
        Size = (nuint)sizeof(NcclConfig),
        Magic = 0xcafebeef,
        Version = 21_800,
        Blocking = 0,
        CgaClusterSize = Undefined,
        MinCtas = Undefined,
        MaxCtas = Undefined,
        SplitShare = Undefined,
        TrafficClass = Undefined,
    };
}
