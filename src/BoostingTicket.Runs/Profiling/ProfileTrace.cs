using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using BoostingTicket.Engine.Plans;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Training;
using BoostingTicket.Training.Files;
using BoostingTicket.Training.Progress;

namespace BoostingTicket.Runs.Profiling;

/// <summary>What happened when, in Chrome's trace-event format, which chrome://tracing and ui.perfetto.dev show: complete events
/// of batches, of the phases within them, and of the operations within those. At most so many events are kept.</summary>
internal sealed class ProfileTrace
{
    /// <summary>Events that are kept.</summary>
    public const int Most = 200_000;

    private const int Process = 1;
    private const int Thread = 1;

    private readonly List<Event> _events = [];
    private readonly long _origin = Stopwatch.GetTimestamp();

    /// <summary>Events that came when there was no room any more.</summary>
    public long Dropped { get; private set; }

    /// <summary>A phase ended.</summary>
    internal void Add(StepPhase phase, long start, long end) => Add(new Event(SettingNames.Of(phase), "phase", start, end, null));

    /// <summary>An operation ended.</summary>
    internal void Add(PlanOperation operation, long start, long end) =>
        Add(new Event($"{operation.Layer} {SettingNames.Of(operation.Kind)}", "operation", start, end, operation));

    /// <summary>A batch ended.</summary>
    internal void AddBatch(string name, long start, long end) => Add(new Event(name, "batch", start, end, null));

    /// <summary>Writes the file, whole or not at all.</summary>
    /// <exception cref="ConfigurationException">It cannot be written there.</exception>
    public void Save(string path)
    {
        AtomicFile.Write(path, stream =>
        {
            using var writer = new Utf8JsonWriter(stream);
            writer.WriteStartObject();
            writer.WriteString("displayTimeUnit", "ms");
            writer.WriteNumber("droppedEvents", Dropped);
            writer.WriteStartArray("traceEvents");
            WriteName(writer, "process_name", "boosting-ticket profile");
            WriteName(writer, "thread_name", "training");
            // A viewer nests events of one thread by their times; of those that begin together it expects the longest first.
            foreach (Event item in _events.OrderBy(item => item.Start).ThenByDescending(item => item.End))
                Write(writer, item);
            writer.WriteEndArray();
            writer.WriteEndObject();
        });
    }

    private static void WriteName(Utf8JsonWriter writer, string what, string name)
    {
        writer.WriteStartObject();
        writer.WriteString("name", what);
        writer.WriteString("ph", "M");
        writer.WriteNumber("pid", Process);
        writer.WriteNumber("tid", Thread);
        writer.WriteStartObject("args");
        writer.WriteString("name", name);
        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    private void Write(Utf8JsonWriter writer, Event item)
    {
        // Rounded to whole nanoseconds, so that what is enclosed stays enclosed.
        long start = Nanoseconds(item.Start), end = Nanoseconds(item.End);
        writer.WriteStartObject();
        writer.WriteString("name", item.Name);
        writer.WriteString("cat", item.Category);
        writer.WriteString("ph", "X");
        WriteMicroseconds(writer, "ts", start);
        WriteMicroseconds(writer, "dur", end - start);
        writer.WriteNumber("pid", Process);
        writer.WriteNumber("tid", Thread);
        if (item.Operation is { } operation)
        {
            writer.WriteStartObject("args");
            writer.WriteString("layer", operation.Layer);
            writer.WriteNumber("denseOperations", operation.Arithmetic);
            writer.WriteNumber("bytes", operation.Traffic);
            writer.WriteEndObject();
        }
        writer.WriteEndObject();
    }

    private static void WriteMicroseconds(Utf8JsonWriter writer, string name, long nanoseconds)
    {
        writer.WritePropertyName(name);
        writer.WriteRawValue(string.Create(CultureInfo.InvariantCulture, $"{nanoseconds / 1000}.{nanoseconds % 1000:D3}"));
    }

    private long Nanoseconds(long timestamp) => (long)Stopwatch.GetElapsedTime(_origin, timestamp).TotalNanoseconds;

    private void Add(Event item)
    {
        if (_events.Count < Most)
            _events.Add(item);
        else
            Dropped++;
    }

    private readonly record struct Event(string Name, string Category, long Start, long End, PlanOperation? Operation);
}
