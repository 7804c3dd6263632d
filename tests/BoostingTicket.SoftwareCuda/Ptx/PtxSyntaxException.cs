namespace BoostingTicket.SoftwareCuda.Ptx;

/// <summary>Text that is not PTX.</summary>
internal sealed class PtxSyntaxException : Exception
{
    /// <summary>An error in a line, counted from 1.</summary>
    public PtxSyntaxException(int line, string message) : base($"line {line}: {message}") { }
}
