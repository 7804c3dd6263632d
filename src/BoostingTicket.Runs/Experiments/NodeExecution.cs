using System.Diagnostics;
using System.Globalization;
using BoostingTicket.Runs.Experiments.Nodes;
using BoostingTicket.Training.Progress;

namespace BoostingTicket.Runs.Experiments;

/// <summary>Does pieces of work one after the other, those that the store does not hold yet.</summary>
internal static class NodeExecution
{
    /// <summary>Does them, and says before each which it is and how long all take.</summary>
    /// <param name="nodes">The pieces, each after its inputs.</param>
    /// <param name="context">What they compute with.</param>
    internal static void Execute(IReadOnlyList<ExperimentNode> nodes, NodeContext context)
    {
        IRunProgress progress = context.Progress;
        double[] work = [.. nodes.Select(node => node.Cost(context).Work)];
        double left = nodes.Select((node, index) => node.IsDone(context.Store) ? 0 : work[index]).Sum(), done = 0;
        long start = Stopwatch.GetTimestamp();
        for (int index = 0; index < nodes.Count; index++)
        {
            ExperimentNode node = nodes[index];
            if (node.IsDone(context.Store))
            {
                node.Execute(context);
                continue;
            }
            double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
            string estimate = done > 0 ? $" (about {ElapsedText.Of(seconds / done * left)} left over all)" : "";
            context.Progress = new PlacedProgress(
                progress, string.Create(
                    CultureInfo.InvariantCulture, $"{index + 1}/{nodes.Count}{estimate} seed {node.Seed} · {node.Label}"));
            node.Execute(context);
            context.Progress = progress;
            done += work[index];
            left -= work[index];
        }
    }
}
