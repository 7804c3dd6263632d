using System.Diagnostics;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Backends;

/// <summary>Results that the host reads later than they were computed, while the device goes on, and when the device was how far;
/// see <see cref="IBackend.CreateReading"/>. Marks and takes come in the order of the backend's operations and wait for nothing;
/// values and times are there after <see cref="Wait"/>.</summary>
internal abstract class Reading : IDisposable
{
    /// <summary>Whether nothing is left to wait for when a call returns, so that reading later gains nothing.</summary>
    public abstract bool IsImmediate { get; }

    /// <summary>Notes the time at which everything called so far is done.</summary>
    /// <param name="mark">Number of the mark; an earlier time of the same mark is forgotten.</param>
    public abstract void Mark(int mark);

    /// <summary>Takes the sources' values as they are when everything called so far is done.</summary>
    public abstract void Take();

    /// <summary>Waits until everything that was marked and taken is there, and for nothing that was called later.</summary>
    public abstract void Wait();

    /// <summary>What the last <see cref="Take"/> took of a source; valid until the next.</summary>
    public abstract ReadOnlySpan<float> Values(int source);

    /// <summary>Seconds from one mark to a later one.</summary>
    public abstract double Seconds(int from, int to);

    /// <summary>Frees what it holds.</summary>
    public abstract void Dispose();
}

/// <summary>The reading of a backend that computes as it is called.</summary>
internal sealed class ImmediateReading(IBackend backend, IReadOnlyList<BufferSlice> sources, int marks) : Reading
{
    private readonly float[][] _values = [.. sources.Select(source => new float[source.Length])];
    private readonly long[] _times = new long[marks];

    /// <inheritdoc/>
    public override bool IsImmediate => true;

    /// <inheritdoc/>
    public override void Mark(int mark)
    {
        backend.Synchronize();
        _times[mark] = Stopwatch.GetTimestamp();
    }

    /// <inheritdoc/>
    public override void Take()
    {
        for (int i = 0; i < _values.Length; i++)
            backend.Download(sources[i], _values[i]);
    }

    /// <inheritdoc/>
    public override void Wait()
    {
    }

    /// <inheritdoc/>
    public override ReadOnlySpan<float> Values(int source) => _values[source];

    /// <inheritdoc/>
    public override double Seconds(int from, int to) => Stopwatch.GetElapsedTime(_times[from], _times[to]).TotalSeconds;

    /// <inheritdoc/>
    public override void Dispose()
    {
    }
}
