using System.Globalization;
using BoostingTicket.Runs.Reporting;
using BoostingTicket.Training.Progress;

namespace BoostingTicket.Cli.Progress;

/// <summary>What the live line says beside its bar: the time left of the whole run, the epoch, what the last epoch came to, the
/// speed. Where the terminal is narrow, the last of them are left out. It is written by the run's thread and drawn by
/// another.</summary>
internal sealed class LiveLine
{
    private const string Gap = " · ";

    private volatile string[] _parts = [];
    private EpochRecord? _epoch;
    private int _totalEpochs;

    /// <summary>Seconds left of the whole run; null where one stage alone is known.</summary>
    public double? RunLeft { get; set; }

    /// <summary>A stage begins.</summary>
    public void Begin() => (_parts, _epoch, _totalEpochs) = ([], null, 0);

    /// <summary>An epoch of the stage ended.</summary>
    public void Epoch(EpochRecord epoch, int totalEpochs) => (_epoch, _totalEpochs) = (epoch, totalEpochs);

    /// <summary>Steps of the stage are done.</summary>
    /// <param name="done">Steps.</param>
    /// <param name="total">Steps of the stage.</param>
    /// <param name="samplesPerSecond">Speed.</param>
    /// <param name="secondsLeft">Seconds left of the stage; NaN while unknown.</param>
    public void Step(long done, long total, double samplesPerSecond, double secondsLeft)
    {
        var parts = new List<string>();
        parts.Add(RunLeft is { } run ? $"{Durations.Short(run)} left of the run" : $"{Durations.Short(secondsLeft)} left");
        if (_epoch is { } epoch)
        {
            parts.Add(Invariant($"epoch {Math.Min(epoch.Epoch + (done < total ? 1 : 0), _totalEpochs)}/{_totalEpochs}"));
            parts.Add(Invariant($"loss {epoch.TrainLoss:F3}"));
            parts.Add(Invariant($"val {100 * epoch.ValidationClean:F1} %"));
            if (epoch.ValidationRobust is { } robust)
                parts.Add(Invariant($"robust {100 * robust:F1} %"));
            parts.Add(Invariant($"rate {epoch.LearningRate:0.#####}"));
        }
        parts.Add(Invariant($"{samplesPerSecond:N0} images/s"));
        if (RunLeft is not null)
            parts.Add($"stage {Durations.Short(secondsLeft)}");
        _parts = [.. parts];
    }

    /// <summary>As many of the parts as there is room for, at least one.</summary>
    /// <param name="width">Columns.</param>
    public string Text(int width)
    {
        string text = "";
        foreach (string part in _parts)
        {
            string longer = text.Length == 0 ? part : text + Gap + part;
            if (text.Length > 0 && longer.Length > width)
                break;
            text = longer;
        }
        return text;
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
