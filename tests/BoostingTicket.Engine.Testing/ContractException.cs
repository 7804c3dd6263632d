namespace BoostingTicket.Engine.Testing;

/// <summary>A caller broke the contract of a backend operation. The message names the operation, the operand and the
/// clause that was broken.</summary>
internal sealed class ContractException : Exception
{
    /// <summary>A breach with its one-sentence explanation.</summary>
    public ContractException(string message) : base(message) { }

    /// <summary>A breach with its one-sentence explanation and cause.</summary>
    public ContractException(string message, Exception innerException) : base(message, innerException) { }

    /// <summary>A breach without explanation; for serializers only.</summary>
    public ContractException() { }
}
