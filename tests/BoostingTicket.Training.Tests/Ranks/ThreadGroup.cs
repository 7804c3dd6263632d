using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cpu;
using BoostingTicket.Engine.Ranks;
using BoostingTicket.Training.Workers;

namespace BoostingTicket.Training.Tests.Ranks;

/// <summary>Ranks as threads of one process.</summary>
internal sealed class ThreadGroup : IRankGroup
{
    private readonly Shared _shared;

    private ThreadGroup(Shared shared, int rank)
    {
        (_shared, Rank) = (shared, rank);
        WhileWaiting = () =>
        {
            if (shared.Failure is { } failure)
                throw new InvalidOperationException("another rank failed", failure);
        };
    }

    public int Rank { get; }

    public int Count => _shared.Count;

    public string Description => "threads";

    public Action? WhileWaiting { get; set; }

    /// <summary>Bytes that all ranks have sent one another in exchanges.</summary>
    public long BytesExchanged => Interlocked.Read(ref _shared.Bytes);

    /// <summary>Does work as rank 0 of a team whose other ranks wait for its calls, on the CPU.</summary>
    /// <param name="ranks">Processes, as threads.</param>
    /// <param name="work">The work, on rank 0's device.</param>
    public static T Run<T>(int ranks, Func<IBackend, T> work)
    {
        if (ranks > 1)
            return Run(ranks, _ => (CpuBackend.Create(1), null), work);
        using IBackend alone = CpuBackend.Create(1);
        return work(alone);
    }

    /// <summary>The same on other devices.</summary>
    /// <param name="ranks">Processes, as threads; more than one.</param>
    /// <param name="open">Opens a rank's device, and what carries its values; null for the memory of the host.</param>
    /// <param name="work">The work, on rank 0's device.</param>
    public static T Run<T>(int ranks, Func<RankTeam, (IBackend Backend, IDeviceLine? Line)> open, Func<IBackend, T> work)
    {
        var shared = new Shared(ranks);
        Task<int>[] others = [.. Enumerable.Range(1, ranks - 1).Select(rank => Task.Factory.StartNew(
            () =>
            {
                var team = new RankTeam(new ThreadGroup(shared, rank), null);
                try
                {
                    int code = new RankWorker(team, _ => open(team)).Run();
                    team.Leave();
                    return code;
                }
                catch (Exception error)
                {
                    shared.Failure ??= error;
                    throw;
                }
            },
            TaskCreationOptions.LongRunning))];
        var own = new RankTeam(new ThreadGroup(shared, 0), null);
        try
        {
            own.Call((int)Training.Ranks.RankWork.Device, []);
            (IBackend opened, IDeviceLine? line) = open(own);
            using IBackend backend = opened;
            own.Use(backend, line);
            own.Group.Barrier();
            own.Done();
            T result = work(backend);
            own.Finish(0);
            Assert.That(Task.WhenAll(others).GetAwaiter().GetResult(), Has.All.Zero);
            return result;
        }
        catch (Exception error)
        {
            shared.Failure ??= error;
            // They see the failure where they wait, and still use their devices until then.
            Task.WhenAll(others).ContinueWith(_ => { }, TaskScheduler.Default).Wait();
            throw;
        }
    }

    public void Broadcast(nint address, long bytes)
    {
        if (Rank == 0)
        {
            for (int rank = 1; rank < Count; rank++)
                Send(rank, address, bytes);
        }
        else
        {
            Receive(0, address, bytes);
        }
    }

    public void Exchange(ReadOnlySpan<RankTransfer> transfers)
    {
        foreach (RankTransfer transfer in transfers)
        {
            if (transfer.Sends)
            {
                Interlocked.Add(ref _shared.Bytes, transfer.Bytes);
                Send(transfer.Peer, transfer.Address, transfer.Bytes);
            }
        }
        foreach (RankTransfer transfer in transfers)
        {
            if (!transfer.Sends)
                Receive(transfer.Peer, transfer.Address, transfer.Bytes);
        }
    }

    public void Barrier()
    {
        byte[] one = GC.AllocateArray<byte>(1, pinned: true);
        nint place = Marshal.UnsafeAddrOfPinnedArrayElement(one, 0);
        if (Rank == 0)
        {
            for (int rank = 1; rank < Count; rank++)
                Receive(rank, place, 1);
        }
        else
        {
            Send(0, place, 1);
        }
        Broadcast(place, 1);
    }

    public void Abort(int exitCode) => _shared.Failure ??= new InvalidOperationException($"aborted with {exitCode}");

    public void Dispose()
    {
    }

    private unsafe void Send(int peer, nint address, long bytes) =>
        _shared.Lines[Rank, peer].Add(new ReadOnlySpan<byte>((void*)address, (int)bytes).ToArray());

    private unsafe void Receive(int peer, nint address, long bytes)
    {
        byte[]? data;
        while (!_shared.Lines[peer, Rank].TryTake(out data, 20))
        {
            WhileWaiting?.Invoke();
        }
        if (data.Length != bytes)
            throw new InvalidOperationException($"rank {peer} sent {data.Length} bytes, rank {Rank} expects {bytes}");
        data.CopyTo(new Span<byte>((void*)address, (int)bytes));
    }

    private sealed class Shared
    {
        public long Bytes;
        public volatile Exception? Failure;

        public Shared(int count)
        {
            Count = count;
            Lines = new BlockingCollection<byte[]>[count, count];
            for (int from = 0; from < count; from++)
            {
                for (int to = 0; to < count; to++)
                    Lines[from, to] = [];
            }
        }

        public int Count { get; }

        public BlockingCollection<byte[]>[,] Lines { get; }
    }
}
