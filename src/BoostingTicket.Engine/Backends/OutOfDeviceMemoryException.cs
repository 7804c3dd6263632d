namespace BoostingTicket.Engine.Backends;

/// <summary>A device has not the memory that was asked for.</summary>
public sealed class OutOfDeviceMemoryException : DeviceException
{
    /// <summary>A failed allocation.</summary>
    /// <param name="message">What was needed for what, what there is, and what to do.</param>
    /// <param name="needed">Bytes asked for.</param>
    /// <param name="free">Bytes that were free.</param>
    /// <param name="innerException">What the device said.</param>
    public OutOfDeviceMemoryException(string message, long needed, long free, Exception innerException)
        : base(message, innerException)
    {
        Needed = needed;
        Free = free;
    }

    /// <summary>A failed allocation without figures; for serializers only.</summary>
    public OutOfDeviceMemoryException() { }

    /// <summary>A failed allocation without figures; for serializers only.</summary>
    public OutOfDeviceMemoryException(string message) : base(message) { }

    /// <summary>A failed allocation without figures; for serializers only.</summary>
    public OutOfDeviceMemoryException(string message, Exception innerException) : base(message, innerException) { }

    /// <summary>Bytes asked for.</summary>
    public long Needed { get; }

    /// <summary>Bytes that were free.</summary>
    public long Free { get; }
}
