namespace BoostingTicket.Engine.Ranks.Mpi;

/// <summary>The functions of MPI that are used, in the order of <see cref="Names"/>. Every handle is a pointer-sized integer:
/// where a library's handles are ints, they are the low half of the register or stack slot that the 64-bit conventions of Linux
/// pass them in. Handles that are written to memory start as 0.</summary>
internal unsafe struct MpiFunctions
{
    /// <summary>The exported names.</summary>
    public static ReadOnlySpan<string> Names => (string[])
    [
        "MPI_Init_thread", "MPI_Comm_rank", "MPI_Comm_size", "MPI_Comm_set_errhandler", "MPI_Ibcast", "MPI_Isend", "MPI_Irecv",
        "MPI_Ibarrier", "MPI_Test", "MPI_Abort", "MPI_Finalize", "MPI_Error_string", "MPI_Get_library_version",
    ];

    /// <summary>Argument count, arguments, wanted thread support, given thread support.</summary>
    public delegate* unmanaged<int*, byte***, int, int*, int> InitThread;

    /// <summary>Communicator, rank.</summary>
    public delegate* unmanaged<nint, int*, int> CommRank;

    /// <summary>Communicator, size.</summary>
    public delegate* unmanaged<nint, int*, int> CommSize;

    /// <summary>Communicator, handler of errors.</summary>
    public delegate* unmanaged<nint, nint, int> CommSetErrhandler;

    /// <summary>Buffer, count, type, root, communicator, request.</summary>
    public delegate* unmanaged<void*, int, nint, int, nint, nint*, int> Ibcast;

    /// <summary>Buffer, count, type, destination, tag, communicator, request.</summary>
    public delegate* unmanaged<void*, int, nint, int, int, nint, nint*, int> Isend;

    /// <summary>Buffer, count, type, source, tag, communicator, request.</summary>
    public delegate* unmanaged<void*, int, nint, int, int, nint, nint*, int> Irecv;

    /// <summary>Communicator, request.</summary>
    public delegate* unmanaged<nint, nint*, int> Ibarrier;

    /// <summary>Request, whether it is complete, status.</summary>
    public delegate* unmanaged<nint*, int*, nint, int> Test;

    /// <summary>Communicator, exit code.</summary>
    public delegate* unmanaged<nint, int, int> Abort;

    /// <summary>Nothing.</summary>
    public delegate* unmanaged<int> Finalize;

    /// <summary>Code of an error, text, its length.</summary>
    public delegate* unmanaged<int, byte*, int*, int> ErrorString;

    /// <summary>Text, its length.</summary>
    public delegate* unmanaged<byte*, int*, int> GetLibraryVersion;
}
