using System.Diagnostics;
using System.Globalization;
using BoostingTicket.Runs.Experiments.Nodes;
using BoostingTicket.Runs.Folders;
using BoostingTicket.Runs.Reporting;
using BoostingTicket.Training;
using BoostingTicket.Training.Files;
using BoostingTicket.Training.Progress;

namespace BoostingTicket.Runs.Experiments;

/// <summary>Does an experiment's pieces of work in their order, alone or together with other processes. Those who share take a
/// piece whose inputs are done by a lease in its folder, and wait where others have all of them. A piece whose process was
/// killed is continued by the next; equal pieces give equal bytes, so that a lease that was lost costs time only.</summary>
/// <param name="nodes">The pieces, inputs before those that need them.</param>
/// <param name="context">Device, images, store.</param>
/// <param name="share">Times of the leases; null for a process that has the store alone.</param>
internal sealed class NodeSchedule(IReadOnlyList<ExperimentNode> nodes, NodeContext context, LeaseTimes? share)
{
    // How often those who wait look, against the renewals of a lease; and how often they say so.
    private const int LooksPerRenewal = 5;
    private static readonly TimeSpan MostPause = TimeSpan.FromSeconds(1);

    private readonly IRunProgress _progress = context.Progress;
    private readonly double[] _work = [.. nodes.Select(node => node.Cost(context).Work)];
    private readonly long _start = Stopwatch.GetTimestamp();
    private double _leftAtStart;

    /// <summary>Runs to the end of all pieces.</summary>
    /// <exception cref="OperationCanceledException">It was asked to stop, and saved how far it is.</exception>
    /// <exception cref="ConfigurationException">A store that this process has alone is shared by others.</exception>
    public void Run()
    {
        if (share is null)
            RequireNoSharers();
        _leftAtStart = Left();
        string waitsFor = "";
        while (Find() is { } found)
        {
            if (found.Holder is { } holder)
            {
                string reason = $"{found.Node.Label}, seed {found.Node.Seed}{holder.Named}";
                if (reason != waitsFor)
                    _progress.Note($"Waiting for {reason}.");
                waitsFor = reason;
                Pause();
                continue;
            }

            using (found.Lease)
                Execute(found.Node);
        }

        // The process may have ended between a result and the removal of what led to it.
        foreach (ExperimentNode node in nodes)
            node.Execute(context);
    }

    /// <summary>Does something that one process at a time may do with a folder.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="work">The work.</param>
    public void Alone(string folder, Action work)
    {
        if (share is null)
        {
            work();
            return;
        }

        StoredFiles.CreateFolder(folder);
        RunLease? lease;
        while ((lease = Take(folder).Lease) is null)
            Pause();
        using (lease)
            work();
    }

    // The first piece that can be done, else the first that another process has; null if all are done.
    private Found? Find()
    {
        Found? taken = null;
        foreach (ExperimentNode node in nodes)
        {
            if (node.IsDone(context.Store) || !node.Inputs.All(input => input.IsDone(context.Store)))
                continue;
            if (share is null)
                return new Found(node, null, null);
            string folder = context.Store.Folder(node);
            StoredFiles.CreateFolder(folder);
            (RunLease? lease, (LeaseHolder Holder, TimeSpan Age)? held) = Take(folder);
            if (lease is not null)
                return new Found(node, lease, null);
            taken ??= new Found(node, null, held!.Value.Holder);
        }

        return taken;
    }

    private void Execute(ExperimentNode node)
    {
        // Between the look and the lease, the one who had it may have ended with a result.
        if (node.IsDone(context.Store))
            return;
        double left = Left(), seconds = Stopwatch.GetElapsedTime(_start).TotalSeconds;
        string estimate = left < _leftAtStart
            ? $" (about {Durations.Short(seconds / (_leftAtStart - left) * left)} left over all)" : "";
        context.Progress = new PlacedProgress(
            _progress, string.Create(
                CultureInfo.InvariantCulture, $"{Place(node)}/{nodes.Count}{estimate} seed {node.Seed} · {node.Label}"));
        try
        {
            node.Execute(context);
        }
        finally
        {
            context.Progress = _progress;
        }
    }

    private int Place(ExperimentNode node) => 1 + nodes.TakeWhile(other => other != node).Count();

    private double Left() => nodes.Select((node, index) => node.IsDone(context.Store) ? 0 : _work[index]).Sum();

    private (RunLease? Lease, (LeaseHolder Holder, TimeSpan Age)? Taken) Take(string folder)
    {
        try
        {
            return RunLease.Take(folder, share!);
        }
        catch (Exception error) when (StorageErrors.IsStorage(error))
        {
            throw StorageErrors.CannotWrite(Path.Combine(folder, RunLease.FileName), error);
        }
    }

    private void Pause()
    {
        TimeSpan pause = share!.Renewal / LooksPerRenewal;
        context.Cancellation.WaitHandle.WaitOne(pause < MostPause ? pause : MostPause);
        context.Cancellation.ThrowIfCancellationRequested();
    }

    // Where the file system has locks, they were refused before.
    private void RequireNoSharers()
    {
        foreach (string folder in nodes.Select(context.Store.Folder).Where(Directory.Exists))
        {
            if (RunLease.Find(folder, LeaseTimes.Usual) is var (holder, _))
                throw new ConfigurationException(
                    $"The folder {folder} is in use by a process that shares the experiment{holder.Named}; wait for it to end, "
                    + $"or share it too with {Setting.Named("share")}.");
        }
    }

    /// <summary>A piece of work that is not done.</summary>
    /// <param name="Node">The piece.</param>
    /// <param name="Lease">The right to do it; null where none is needed, and where another process has it.</param>
    /// <param name="Holder">The process that has it; null if none.</param>
    private sealed record Found(ExperimentNode Node, RunLease? Lease, LeaseHolder? Holder);
}
