using System.Globalization;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Runs.Reporting;

namespace BoostingTicket.Runs.Profiling;

/// <summary>A profile as tables for people.</summary>
internal static class ProfileTables
{
    private const string Nothing = "–";
    private static readonly string[] LayerHeaders =
        ["layer", ">ms/batch", ">share %", ">forward", ">gradient", ">filter gradient", ">filters", ">Gop/s", ">limit %"];
    private static readonly string[] KeptHeaders = [">kept %", ">kept Gop/s"];

    /// <summary>Writes the tables.</summary>
    /// <param name="report">The profile.</param>
    /// <param name="top">Operations to show, and layers.</param>
    /// <param name="writer">Where to.</param>
    /// <param name="hint">How to see what is not shown, as the end of a sentence; empty for nothing.</param>
    public static void Write(ProfileReport report, int top, TextWriter writer, string hint = "")
    {
        ArgumentNullException.ThrowIfNull(report);
        ArgumentNullException.ThrowIfNull(writer);
        WriteSummary(report, writer);
        writer.WriteLine();
        WritePhases(report, writer);
        if (report.Layers is { } layers)
        {
            writer.WriteLine();
            WriteLayers([.. layers.OrderByDescending(row => row.SecondsPerBatch).Take(top)], report.Sparsity > 0, writer);
            WriteRest(layers.Count - top, "layers", hint, writer);
        }
        if (report.Operations is { } operations)
        {
            writer.WriteLine();
            WriteOperations([.. operations.Take(top)], writer);
            WriteRest(operations.Count - top, "operations", hint, writer);
        }
    }

    private static void WriteSummary(ProfileReport report, TextWriter writer)
    {
        string method = report.Method == "natural"
            ? "natural training"
            : $"{report.Method.ToUpperInvariant()}-{report.AttackSteps} training";
        writer.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{report.Model} on {report.Dataset}, {method}, batches of {report.Batch}, {report.Sparsity * 100:0.##} % pruned"
            + $"{Work(report)}, "
            + $"{report.Precision} on {report.Device} ({report.DeviceDescription})"));
        writer.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"Batch: median {Milliseconds(report.SecondsPerBatchMedian)} ms of {report.Batches} "
            + $"({Milliseconds(report.SecondsPerBatchMin)} to {Milliseconds(report.SecondsPerBatchMax)}), "
            + $"{report.ImagesPerSecond:F0} images/s; epoch of {report.EpochImages}: {report.SecondsPerEpoch:F1} s and "
            + $"{report.EvaluationSecondsPerEpoch:F1} s of evaluation"));
        writer.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"Looked at: median {Milliseconds(report.ObservedSecondsPerBatchMedian)} ms by phase "
            + $"({Change(report.ObservationCost)}){ByOperation(report)}"));
        writer.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"At best: {report.Peaks.ArithmeticPerSecond / 1e9:F0} Gop/s, {report.Peaks.BytesPerSecond / 1e9:F1} GB/s "
            + $"({report.Peaks.Method}); memory at most {report.PeakMemoryBytes / 1048576.0:F0} MiB"));
    }

    private static string Work(ProfileReport report) => report.MultiplyAdds == report.FullMultiplyAdds
        ? ""
        : Text($" ({100.0 * report.MultiplyAdds / report.FullMultiplyAdds:0.##} % of the multiply-adds kept)");

    private static void WritePhases(ProfileReport report, TextWriter writer)
    {
        var table = new TextTable("phase", ">calls", ">ms/batch", ">s/epoch", ">share %", ">Gop/s", ">GB/s", ">limit %");
        foreach (PhaseRow row in report.Phases)
            table.Add(
                SettingNames.Of(row.Phase), Calls(row.CallsPerBatch), Milliseconds(row.SecondsPerBatch),
                Text($"{row.SecondsPerEpoch:F2}"),
                Percent(row.Share), Giga(row.Rate.DenseOperationsPerSecond), Giga(row.Rate.BytesPerSecond),
                Percent(row.Rate.ShareOfLimit));
        double seconds = report.Phases.Sum(row => row.SecondsPerBatch);
        table.Add(
            "total", "", Milliseconds(seconds), Text($"{report.Phases.Sum(row => row.SecondsPerEpoch):F2}"),
            Percent(report.Phases.Sum(row => row.Share)),
            Giga(report.Phases.Sum(row => row.WorkPerBatch.DenseOperations) / seconds), "", "");
        table.Write(writer);
    }

    private static void WriteLayers(IReadOnlyList<LayerRow> rows, bool pruned, TextWriter writer)
    {
        var table = new TextTable([.. LayerHeaders, .. pruned ? KeptHeaders : []]);
        foreach (LayerRow row in rows)
        {
            string[] cells =
            [
                row.Layer, Milliseconds(row.SecondsPerBatch), Percent(row.Share), Milliseconds(row.ForwardSeconds),
                Milliseconds(row.InputGradientSeconds), Milliseconds(row.FilterGradientSeconds), Milliseconds(row.FilterSeconds),
                Giga(row.Rate.DenseOperationsPerSecond), Percent(row.Rate.ShareOfLimit),
            ];
            table.Add([.. cells, .. pruned ? new[] { Percent(row.Kept), Giga(row.Rate.KeptOperationsPerSecond) } : []]);
        }
        table.Write(writer);
    }

    private static void WriteOperations(IReadOnlyList<OperationRow> rows, TextWriter writer)
    {
        var table = new TextTable("operation", "phase", ">calls", ">ms/batch", ">share %", ">Gop/s", ">GB/s", ">limit %");
        foreach (OperationRow row in rows)
            table.Add(
                Name(row), SettingNames.Of(row.Phase), Calls(row.CallsPerBatch), Milliseconds(row.SecondsPerBatch),
                Percent(row.Share),
                Giga(row.Rate.DenseOperationsPerSecond), Giga(row.Rate.BytesPerSecond), Percent(row.Rate.ShareOfLimit));
        table.Write(writer);
    }

    private static void WriteRest(int count, string what, string hint, TextWriter writer)
    {
        if (count > 0)
            writer.WriteLine(Text($"{count} more {what}{(hint.Length > 0 ? "; " : "")}{hint}."));
    }

    private static string Name(OperationRow row) => row.Kind is { } kind
        ? $"{row.Layer} {SettingNames.Of(kind)}"
        : row.WorkPerBatch == default ? "(in between)" : "(whole phase)";

    private static string ByOperation(ProfileReport report) => report.OperationsSecondsPerBatchMedian is { } seconds
        ? $", {Milliseconds(seconds)} ms by operation ({Change(report.OperationsCost!.Value)})"
        : "";

    private static string Change(double cost) => Text($"{cost * 100:+0.0;-0.0;0.0} %");

    private static string Milliseconds(double seconds) => Text($"{seconds * 1e3:F2}");

    private static string Percent(double? share) => share is { } value ? Text($"{value * 100:F1}") : Nothing;

    private static string Giga(double? amount) => amount is > 0 ? Text($"{amount / 1e9:F1}") : Nothing;

    private static string Calls(double calls) => Text($"{calls:0.##}");

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
