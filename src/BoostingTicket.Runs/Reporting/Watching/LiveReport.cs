using System.Diagnostics;
using System.Globalization;
using BoostingTicket.Runs.Folders;
using BoostingTicket.Training;
using BoostingTicket.Training.Files;

namespace BoostingTicket.Runs.Reporting.Watching;

/// <summary><c>report.html</c> while a run goes: written whole, and as often as it costs little beside the training.</summary>
/// <param name="folder">The run's files.</param>
/// <param name="leastSeconds">Seconds between two of them at least; 0 to write it every time.</param>
internal sealed class LiveReport(RunFolder folder, double leastSeconds)
{
    /// <summary>Seconds after which a browser loads the report of a run again that goes on.</summary>
    public const int Reload = 10;

    private const double CostShare = 0.05;

    private long _written;
    private double _cost;

    /// <summary>Writes the report, unless it was written a moment ago.</summary>
    /// <param name="content">What it shows.</param>
    /// <param name="always">Whether it is written in any case.</param>
    /// <exception cref="ConfigurationException">It cannot be written.</exception>
    public void Write(Func<ReportContent> content, bool always = false)
    {
        if (!always && _written != 0 && leastSeconds > 0
            && Stopwatch.GetElapsedTime(_written).TotalSeconds < Math.Max(leastSeconds, _cost / CostShare))
            return;
        long start = Stopwatch.GetTimestamp();
        try
        {
            AtomicFile.WriteAllText(folder.Report, HtmlReport.Write(WithExtras(content())));
        }
        finally
        {
            _written = Stopwatch.GetTimestamp();
            _cost = Stopwatch.GetElapsedTime(start).TotalSeconds;
        }
    }

    /// <summary>A time left, for people: <c>40 s</c>, <c>12 min</c>, <c>3.5 h</c>.</summary>
    public static string Left(double seconds) => seconds switch
    {
        < 100 => string.Create(CultureInfo.InvariantCulture, $"{seconds:0} s"),
        < 6_000 => string.Create(CultureInfo.InvariantCulture, $"{seconds / 60:0} min"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{seconds / 3_600:0.0} h"),
    };

    // Images and evaluations that cannot be read are said when the run is finished; until then there is a report without them.
    private ReportContent WithExtras(ReportContent content)
    {
        try
        {
            return content with { Extras = RunExtras.Read(folder, content.Result, content.Method is not null) };
        }
        catch (BoostingTicketException)
        {
            return content;
        }
    }
}
