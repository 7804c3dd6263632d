using System.Diagnostics;
using System.Reflection;
using BoostingTicket.Engine.Graph;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Training.Models;
using BoostingTicket.Training.Pruning;

namespace BoostingTicket.Training.Tests.Pruning;

/// <summary>The paper's largest model, WideResNet-34-10 with 46 million weights.</summary>
[NonParallelizable]
internal sealed class LargeModelTests
{
    // Of processor time, which other programs do not lengthen. It takes about a second optimised; sorting takes ten.
    private static TimeSpan Limit =>
        typeof(GlobalMagnitude).Assembly.GetCustomAttribute<DebuggableAttribute>() is { IsJITOptimizerDisabled: true }
        ? TimeSpan.FromSeconds(20)
        : TimeSpan.FromSeconds(4);

    [Test]
    public void Pruning_WideResNet_34_10_is_exact_and_takes_seconds()
    {
        ParameterTable table = ModelCatalog.Build("wrn-34-10", new ModelOptions(new FeatureShape(3, 32, 32))).Table;
        var state = new ModelState(table);
        for (int i = 0; i < state.Weights.Length; i++)
            state.Weights[i] = (int)(unchecked((uint)i * 2654435761u) >> 8) * (1f / (1 << 24)) - 0.5f;

        using var process = Process.GetCurrentProcess();
        TimeSpan before = process.TotalProcessorTime;
        PruningResult result = new GlobalMagnitude().Prune(state, new PruningOptions(0.8));
        process.Refresh();
        TimeSpan elapsed = process.TotalProcessorTime - before;
        TestContext.Out.WriteLine($"{table.PrunableLength:N0} weights in {elapsed.TotalSeconds:F2} s of processor time");

        Assert.That(result.Mask.Pruned, Is.EqualTo((int)Math.Round(0.8 * table.PrunableLength)));
        float largestPruned = result.Report.Layers.Max(layer => layer.LargestPruned ?? 0);
        float smallestKept = result.Report.Layers.Min(layer => layer.SmallestKept ?? float.MaxValue);
        Assert.That(largestPruned, Is.LessThanOrEqualTo(smallestKept));
        Assert.That(elapsed, Is.LessThan(Limit));
    }
}
