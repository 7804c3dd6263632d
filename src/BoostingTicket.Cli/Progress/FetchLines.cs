using System.Globalization;
using BoostingTicket.Cli.Streams;
using BoostingTicket.Runs.Reporting;
using BoostingTicket.Training;
using BoostingTicket.Training.Data;

namespace BoostingTicket.Cli.Progress;

/// <summary>Shows downloads on one line that is redrawn, or on a terminal that cannot redraw, a line every few seconds.</summary>
/// <param name="terminal">Where to write.</param>
internal sealed class FetchLines(Terminal terminal) : IProgress<FetchProgress>
{
    private const double Mebi = 1024 * 1024;
    private static readonly TimeSpan PlainInterval = TimeSpan.FromSeconds(5);

    private long _lastWrite;
    private bool _open;

    /// <inheritdoc/>
    public void Report(FetchProgress value)
    {
        bool done = value.Bytes == value.Total;
        string percent = value.Total is > 0 and { } total
            ? $"{100.0 * value.Bytes / total:F0} % of {total / Mebi:F1} MiB"
            : $"{value.Bytes / Mebi:F1} MiB";
        string left = value.Total is { } all && value.BytesPerSecond > 0 && !done
            ? $", {Durations.Short((all - value.Bytes) / value.BytesPerSecond)} left"
            : "";
        string line = string.Create(
            CultureInfo.InvariantCulture, $"{value.File}: {percent}, {value.BytesPerSecond / Mebi:F1} MiB/s{left}");
        if (terminal.IsErrorInteractive)
        {
            PlainWriter.Raw(terminal.Error).Write("\r" + PlainText.Escape(line).PadRight(79));
            _open = true;
            if (done)
                End();
        }
        else if (done || System.Diagnostics.Stopwatch.GetElapsedTime(_lastWrite) > PlainInterval)
        {
            _lastWrite = System.Diagnostics.Stopwatch.GetTimestamp();
            terminal.Error.WriteLine(line);
        }
    }

    /// <summary>Leaves the redrawn line.</summary>
    public void End()
    {
        if (_open)
            terminal.Error.WriteLine();
        _open = false;
    }
}
