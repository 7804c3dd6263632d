using BoostingTicket.Engine.Cuda.Bindings;

namespace BoostingTicket.SoftwareCuda.Libraries;

/// <summary>What is amiss with an exchange by NCCL, or with who calls it.</summary>
internal enum NcclDefect
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>Two chunks of one size that a process sends have changed places: each goes to the other's owner.</summary>
    ForeignChunk,

    /// <summary>Transfers count as submitted before they are.</summary>
    NoWait,

    /// <summary>NCCL says that another process is gone.</summary>
    RemoteError,

    /// <summary>Nothing arrives, and NCCL says nothing.</summary>
    Silence,
}

/// <summary>An NCCL with a defect, from some group of transfers on.</summary>
/// <param name="inner">What exchanges.</param>
/// <param name="defect">What is amiss.</param>
/// <param name="from">Number of the first group that it concerns, from 0 on.</param>
internal sealed class UnsoundNccl(INccl inner, NcclDefect defect, int from) : INccl
{
    private readonly List<(DevicePointer Values, nuint Count, int Peer)> _sends = [];
    private (nint Communicator, nint Stream) _where;
    private int _groups = -1;

    /// <summary>Communicators that were ended.</summary>
    public int Aborts { get; private set; }

    /// <summary>Groups in which chunks changed places.</summary>
    public int Exchanged { get; private set; }

    public int Version => inner.Version;

    /// <summary>Whether what is amiss has begun.</summary>
    public bool HasBegun => _groups >= from;

    public NcclId CreateId() => inner.CreateId();

    public nint Join(int ranks, in NcclId id, int rank) => inner.Join(ranks, id, rank);

    public bool IsReady(nint communicator)
    {
        if (!HasBegun)
            return inner.IsReady(communicator);
        return defect switch
        {
            NcclDefect.NoWait => true,
            NcclDefect.Silence => false,
            NcclDefect.RemoteError => throw CudaStatus.Exception(
                CudaLibrary.Nccl, 6, "ncclCommGetAsyncError", null, "connection closed by remote peer"),
            _ => inner.IsReady(communicator),
        };
    }

    public void BeginGroup()
    {
        _groups++;
        inner.BeginGroup();
    }

    public void EndGroup()
    {
        if (HasBegun && defect == NcclDefect.ForeignChunk)
            ExchangeTwo();
        foreach ((DevicePointer values, nuint count, int peer) in _sends)
            inner.Send(values, count, peer, _where.Communicator, _where.Stream);
        _sends.Clear();
        inner.EndGroup();
    }

    public void Send(DevicePointer values, nuint count, int peer, nint communicator, nint stream)
    {
        _where = (communicator, stream);
        _sends.Add((values, count, peer));
    }

    public void Receive(DevicePointer values, nuint count, int peer, nint communicator, nint stream) =>
        inner.Receive(values, count, peer, communicator, stream);

    public void Abort(nint communicator)
    {
        Aborts++;
        inner.Abort(communicator);
    }

    public void Dispose() => inner.Dispose();

    private void ExchangeTwo()
    {
        for (int i = 0; i < _sends.Count; i++)
        {
            for (int j = 0; j < i; j++)
            {
                (DevicePointer a, nuint count, int peer) = _sends[i];
                (DevicePointer b, nuint other, int another) = _sends[j];
                if (peer == another || count != other || a == b)
                    continue;
                (_sends[i], _sends[j]) = ((b, count, peer), (a, other, another));
                Exchanged++;
                return;
            }
        }
    }
}
