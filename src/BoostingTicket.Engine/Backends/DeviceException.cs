namespace BoostingTicket.Engine.Backends;

/// <summary>A device cannot be used, lacks an operation, or ran out of memory. The message says what was looked for and
/// what to do. The command line maps it to exit code 4.</summary>
public class DeviceException : Exception
{
    /// <summary>A device failure with its one-sentence explanation.</summary>
    public DeviceException(string message) : base(message) { }

    /// <summary>A device failure with its one-sentence explanation and cause.</summary>
    public DeviceException(string message, Exception innerException) : base(message, innerException) { }

    /// <summary>A device failure without explanation; for serializers only.</summary>
    public DeviceException() { }
}
