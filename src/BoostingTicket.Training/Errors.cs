namespace BoostingTicket.Training;

/// <summary>The exit codes of the program, as documented in the README.</summary>
public static class ExitCodes
{
    /// <summary>The command did what it was asked to.</summary>
    public const int Done = 0;

    /// <summary>An option, a configuration file or an output folder cannot be used as given.</summary>
    public const int Configuration = 2;

    /// <summary>A data set is missing or is not what its publisher published.</summary>
    public const int Data = 3;

    /// <summary>The requested device cannot be used.</summary>
    public const int Device = 4;

    /// <summary>Training diverged: the loss or a weight is not a finite number.</summary>
    public const int Diverged = 5;

    /// <summary>A checkpoint, mask, ticket or weights file is damaged.</summary>
    public const int DamagedFile = 6;

    /// <summary>The result is there and was shown, but a file beside it that was asked for could not be written.</summary>
    public const int SideFile = 7;

    /// <summary>The run was interrupted and can be resumed.</summary>
    public const int Interrupted = 130;
}

/// <summary>
/// An error whose cause lies outside the program and which the user can remedy. <see cref="Exception.Message"/> is one
/// sentence that names the file or option and says what to do; it is shown as it is, without a stack trace. Words of files
/// that it quotes are made harmless, and shortened where they are absurdly long (<see cref="PlainText.Sentence"/>).
/// </summary>
public abstract class BoostingTicketException : Exception
{
    /// <summary>Creates the error.</summary>
    /// <param name="message">One sentence naming the file or option and the remedy.</param>
    /// <param name="inner">The underlying failure, or null.</param>
    protected BoostingTicketException(string message, Exception? inner = null)
        : base(PlainText.Sentence(message), inner)
    {
    }

    /// <summary>The exit code of the program for this error; one of <see cref="ExitCodes"/>.</summary>
    public abstract int ExitCode { get; }
}

/// <summary>A usage or configuration error (exit code 2): an unknown name, a value out of range, a folder in use.</summary>
/// <param name="message">One sentence naming the option and the remedy.</param>
/// <param name="inner">The underlying failure, or null.</param>
public sealed class ConfigurationException(string message, Exception? inner = null) : BoostingTicketException(message, inner)
{
    /// <inheritdoc/>
    public override int ExitCode => ExitCodes.Configuration;
}

/// <summary>A data error (exit code 3): a data file that is missing, damaged, or cannot be fetched.</summary>
/// <param name="message">One sentence naming the file and the remedy.</param>
/// <param name="inner">The underlying failure, or null.</param>
public sealed class DataException(string message, Exception? inner = null) : BoostingTicketException(message, inner)
{
    /// <inheritdoc/>
    public override int ExitCode => ExitCodes.Data;
}

/// <summary>Training diverged (exit code 5): a loss or weight became NaN or infinite.</summary>
/// <param name="message">One sentence naming what diverged where, and the remedy.</param>
/// <param name="inner">The underlying failure, or null.</param>
public sealed class DivergedException(string message, Exception? inner = null) : BoostingTicketException(message, inner)
{
    /// <inheritdoc/>
    public override int ExitCode => ExitCodes.Diverged;
}

/// <summary>A damaged file (exit code 6): a weights, mask, ticket or checkpoint file that does not hold what it must.</summary>
/// <param name="message">One sentence naming the file, what is wrong with it, and the remedy.</param>
/// <param name="inner">The underlying failure, or null.</param>
public sealed class DamagedFileException(string message, Exception? inner = null) : BoostingTicketException(message, inner)
{
    /// <inheritdoc/>
    public override int ExitCode => ExitCodes.DamagedFile;
}
