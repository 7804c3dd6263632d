namespace BoostingTicket.Engine.Ranks.Mpi;

/// <summary>All processes of an MPI launcher. Every wait is a loop of tests, so that it can be ended.</summary>
internal sealed unsafe class MpiGroup : IRankGroup
{
    // MPI counts by int.
    private const long Chunk = 1 << 30;

    private readonly MpiLibrary _library;
    private nint[] _requests = GC.AllocateArray<nint>(64, pinned: true);
    private bool _ended;

    private MpiGroup(MpiLibrary library, int rank, int count)
    {
        (_library, Rank, Count) = (library, rank, count);
        Description = library.Version;
    }

    /// <inheritdoc/>
    public int Rank { get; }

    /// <inheritdoc/>
    public int Count { get; }

    /// <inheritdoc/>
    public string Description { get; }

    /// <inheritdoc/>
    public Action? WhileWaiting { get; set; }

    /// <summary>Joins the processes of a launcher.</summary>
    /// <param name="launcher">What started them; more than one.</param>
    /// <param name="variable">Value of an environment variable.</param>
    /// <exception cref="TeamException">There is no library, or it belongs to another launcher.</exception>
    public static MpiGroup Join(Launcher launcher, Func<string, string?> variable)
    {
        ArgumentNullException.ThrowIfNull(launcher);
        ArgumentNullException.ThrowIfNull(variable);
        MpiLibrary library = MpiLibrary.Load(
            launcher.Family, variable(MpiLibrary.Variable) is { Length: > 0 } name ? name : null);
        int provided = 0, rank = 0, count = 0;
        if (library.Family is { } family && launcher.Family is { } wanted && family != wanted)
            throw Foreign(launcher, library, 1);
        if (library.Functions.InitThread(null, null, library.Serialized, &provided) != 0
            || library.Functions.CommSetErrhandler(library.World, library.ErrorsReturn) != 0
            || library.Functions.CommRank(library.World, &rank) != 0 || library.Functions.CommSize(library.World, &count) != 0)
            throw new TeamException(
                $"The library {library.Place} cannot join the processes of {launcher.Name}; see what it said above.",
                TeamException.Misused);
        if (count != launcher.Count || rank != launcher.Rank)
            throw Foreign(launcher, library, count);
        return new MpiGroup(library, rank, count);
    }

    /// <inheritdoc/>
    public void Broadcast(nint address, long bytes)
    {
        for (long start = 0; start < bytes; start += Chunk)
        {
            nint request = 0;
            Check(_library.Functions.Ibcast(
                (void*)(address + (nint)start), (int)Math.Min(Chunk, bytes - start), _library.Byte, 0, _library.World, &request));
            Wait(&request, 1);
        }
    }

    /// <inheritdoc/>
    public void Exchange(ReadOnlySpan<RankTransfer> transfers)
    {
        int needed = 0;
        foreach (RankTransfer transfer in transfers)
            needed += (int)((transfer.Bytes + Chunk - 1) / Chunk);
        if (_requests.Length < needed)
            _requests = GC.AllocateArray<nint>(2 * needed, pinned: true);
        Array.Clear(_requests);
        fixed (nint* requests = _requests)
        {
            int count = 0;
            foreach (RankTransfer transfer in transfers)
            {
                for (long start = 0; start < transfer.Bytes; start += Chunk)
                {
                    void* data = (void*)(transfer.Address + (nint)start);
                    int bytes = (int)Math.Min(Chunk, transfer.Bytes - start);
                    Check(transfer.Sends
                        ? _library.Functions.Isend(
                            data, bytes, _library.Byte, transfer.Peer, 0, _library.World, requests + count++)
                        : _library.Functions.Irecv(
                            data, bytes, _library.Byte, transfer.Peer, 0, _library.World, requests + count++));
                }
            }
            Wait(requests, count);
        }
    }

    /// <inheritdoc/>
    public void Barrier()
    {
        nint request = 0;
        Check(_library.Functions.Ibarrier(_library.World, &request));
        Wait(&request, 1);
    }

    /// <inheritdoc/>
    public void Abort(int exitCode)
    {
        _ended = true;
        _ = _library.Functions.Abort(_library.World, exitCode);
    }

    /// <summary>Leaves the group; all processes do so.</summary>
    public void Dispose()
    {
        if (_ended)
            return;
        _ended = true;
        _ = _library.Functions.Finalize();
    }

    private void Wait(nint* requests, int count)
    {
        var patience = RankPatience.Begin();
        for (int next = 0; next < count;)
        {
            int done = 0;
            Check(_library.Functions.Test(requests + next, &done, _library.StatusIgnore));
            if (done != 0)
                next++;
            else
                patience.Pause(this);
        }
    }

    private void Check(int code)
    {
        if (code != 0)
            throw new TeamException(
                FormattableString.Invariant($"MPI failed on rank {Rank} ({Environment.MachineName}): {_library.Explain(code)}; ")
                + $"{RankWatch.Remedy}.", TeamException.Lost);
    }

    private static TeamException Foreign(Launcher launcher, MpiLibrary library, int found) => new(
        FormattableString.Invariant($"{launcher.Name} started {launcher.Count} processes, but the library {library.Place} ")
        + FormattableString.Invariant($"({(library.Family == MpiFamily.OpenMpi ? "Open MPI" : "MPICH")}) finds {found}: ")
        + $"launcher and library are not of one MPI; start with that library's mpirun, or name the launcher's library with "
        + $"{MpiLibrary.Variable}.", TeamException.Misused);
}
