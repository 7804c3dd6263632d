using System.Diagnostics;
using System.Globalization;
using BoostingTicket.Engine.Cuda.Bindings;
using BoostingTicket.Engine.Ranks;

namespace BoostingTicket.Engine.Cuda;

/// <summary>Carries values from GPU to GPU by NCCL, in the order of the GPU's stream. Every wait for another process asks NCCL
/// and the group whether it is in vain: NCCL itself does not notice that a process of the same machine is gone.</summary>
internal sealed class NcclLine : IDeviceLine
{
    // The watch needs a moment to say which process was lost, of which NCCL only says that one was.
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(3);

    private readonly CudaContext _context;
    private readonly INccl _nccl;
    private readonly IRankGroup _group;
    private readonly nint _arrived;
    private nint _communicator;
    private bool _ended;

    /// <summary>Joins the GPUs of all processes; all do so at once.</summary>
    /// <param name="context">This process's GPU.</param>
    /// <param name="nccl">NCCL, of the same version everywhere.</param>
    /// <param name="group">The processes.</param>
    /// <param name="id">What they meet by.</param>
    /// <param name="patience">Time for them to meet.</param>
    /// <exception cref="TeamException">They do not meet.</exception>
    public NcclLine(CudaContext context, INccl nccl, IRankGroup group, in NcclId id, TimeSpan patience)
    {
        (_context, _nccl, _group) = (context, nccl, group);
        Description = $"NCCL {CudaInventory.DecimalVersion(nccl.Version)}";
        context.EnterThread();
        _arrived = context.Driver.CreateEvent();
        OrEnd((Id: id, Patience: patience), static (line, call) =>
        {
            line._communicator = line._nccl.Join(line._group.Count, call.Id, line._group.Rank);
            var waiting = RankPatience.Begin();
            while (!line._nccl.IsReady(line._communicator))
            {
                if (waiting.Waited > call.Patience)
                    throw line.Fail(string.Create(
                        CultureInfo.InvariantCulture, $"the GPUs did not meet within {call.Patience.TotalSeconds:0} s"));
                waiting.Pause(line._group);
            }
        });
    }

    /// <inheritdoc/>
    public string Description { get; }

    /// <inheritdoc/>
    public void Exchange(ReadOnlySpan<DeviceTransfer> transfers)
    {
        _context.RequireNotRecording("exchange values with other processes");
        _context.EnterThread();
        if (transfers.IsEmpty)
            return;
        OrEnd(transfers, static (line, transfers) =>
        {
            line._nccl.BeginGroup();
            foreach (DeviceTransfer transfer in transfers)
            {
                DevicePointer values = CudaFloats.Of(transfer.Values);
                nuint count = (nuint)transfer.Values.Length;
                if (transfer.Sends)
                    line._nccl.Send(values, count, transfer.Peer, line._communicator, line._context.Stream);
                else
                    line._nccl.Receive(values, count, transfer.Peer, line._communicator, line._context.Stream);
            }
            line._nccl.EndGroup();
            var waiting = RankPatience.Begin();
            while (!line._nccl.IsReady(line._communicator))
                waiting.Pause(line._group);
        });
    }

    /// <inheritdoc/>
    public void Finish()
    {
        _context.EnterThread();
        OrEnd(0, static (line, _) =>
        {
            line._context.Driver.Record(line._arrived, line._context.Stream);
            var waiting = RankPatience.Begin();
            while (!line._context.Driver.IsReached(line._arrived))
            {
                line._nccl.IsReady(line._communicator);
                waiting.Pause(line._group);
            }
        });
    }

    /// <summary>Ends the communicator. All exchanges have arrived, so the other processes need not be waited for.</summary>
    public void Dispose()
    {
        if (_ended)
            return;
        _ended = true;
        _context.EnterThread();
        _nccl.Abort(_communicator);
        _context.Driver.DestroyEvent(_arrived);
    }

    // Calls NCCL. After a failure the communicator and the GPU's memory are given up, since other processes may wait in vain.
    private void OrEnd<T>(T argument, Action<NcclLine, T> call)
        where T : allows ref struct
    {
        try
        {
            call(this, argument);
        }
        catch (CudaException failure)
        {
            throw Fail(failure.Message, failure);
        }
        catch (TeamException)
        {
            End();
            throw;
        }
    }

    private TeamException Fail(string what, Exception? cause = null)
    {
        End();
        long start = Stopwatch.GetTimestamp();
        while (_group.WhileWaiting is { } ask && Stopwatch.GetElapsedTime(start) < Grace)
        {
            ask();
            Thread.Sleep(10);
        }
        return new TeamException(
            string.Create(CultureInfo.InvariantCulture, $"NCCL failed on rank {_group.Rank} ({Environment.MachineName}): ")
            + $"{what.TrimEnd('.')}; {RankWatch.Remedy}.", TeamException.Lost, cause);
    }

    // What waits on the GPU for a process that is gone would wait for ever, and so would every call that waits for the GPU.
    private void End()
    {
        if (_ended)
            return;
        _ended = true;
        if (_communicator != 0)
        {
            try
            {
                _nccl.Abort(_communicator);
            }
            catch (CudaException)
            {
                // What failed before is what to tell.
            }
        }
        _context.Abandon();
    }
}
