namespace BoostingTicket.SoftwareCuda;

/// <summary>A stream: what is being captured, and copies whose host memory is in use until the stream is waited for.</summary>
internal sealed unsafe class StreamState
{
    private readonly List<(nint Place, byte[] Values)> _sources = [];
    private readonly List<(nint Place, byte[] Values)> _results = [];

    /// <summary>The capture, null when work runs at once.</summary>
    public List<Action>? Capture { get; set; }

    /// <summary>Thread that captures.</summary>
    public int CaptureThread { get; set; }

    /// <summary>Whether a forbidden call broke the capture.</summary>
    public bool IsInvalidated { get; set; }

    /// <summary>A copy reads page-locked memory at an unknown time until the stream is waited for.</summary>
    public void Watch(nint place, nuint bytes) =>
        _sources.Add((place, new ReadOnlySpan<byte>((void*)place, checked((int)bytes)).ToArray()));

    /// <summary>A copy writes page-locked memory: garbage now, the values when the stream is waited for.</summary>
    public void Deliver(nint place, ReadOnlySpan<byte> values)
    {
        _results.Add((place, values.ToArray()));
        new Span<byte>((void*)place, values.Length).Fill(0xFF);
    }

    /// <summary>The stream was waited for: copies have happened.</summary>
    public void Complete()
    {
        foreach ((nint place, byte[] values) in _results)
            values.CopyTo(new Span<byte>((void*)place, values.Length));
        _results.Clear();
        foreach ((nint place, byte[] values) in _sources)
        {
            if (!values.AsSpan().SequenceEqual(new ReadOnlySpan<byte>((void*)place, values.Length)))
            {
                _sources.Clear();
                throw new SoftwareCudaException(
                    $"The host changed {values.Length} bytes of page-locked memory at 0x{place:x} while a copy to the device was "
                    + $"under "
                    + "way: wait for the stream before.");
            }
        }
        _sources.Clear();
    }

    /// <summary>Checks that no copy uses a range of the host's memory.</summary>
    public void RequireUnused(nint place, nuint bytes)
    {
        foreach ((nint used, byte[] values) in _sources.Concat(_results))
        {
            if (used < place + (nint)bytes && place < used + values.Length)
                throw new SoftwareCudaException("cuMemFreeHost: a copy that was not waited for uses the memory.");
        }
    }
}
