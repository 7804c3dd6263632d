namespace BoostingTicket.Training;

/// <summary>The exit codes of the program, as documented in the README.</summary>
internal static class ExitCodes
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

    /// <summary>Another process of an MPI job ended, fell silent or computed something else.</summary>
    public const int Ranks = BoostingTicket.Engine.Ranks.TeamException.Lost;

    /// <summary>The run was interrupted and can be resumed.</summary>
    public const int Interrupted = 130;
}

/// <summary>
/// An error whose cause lies outside the program and which the user can remedy. <see cref="Exception.Message"/> is one
/// sentence that says what is wrong, in which file or setting, and what to do; it is shown as it is, without a stack trace.
/// It calls settings by their paths (<see cref="Setting"/>). Words of files that it quotes are made harmless, and shortened
/// where they are absurdly long (<see cref="PlainText.Sentence"/>).
/// </summary>
public abstract class BoostingTicketException : Exception
{
    /// <summary>Creates the error.</summary>
    /// <param name="message">One sentence naming the file or setting and the remedy; settings as of
    /// <see cref="Setting.Named"/>.</param>
    /// <param name="inner">The underlying failure, or null.</param>
    private protected BoostingTicketException(string message, Exception? inner = null)
        : base(PlainText.Sentence(Setting.Show(message, path => path)), inner) =>
        Wording = message;

    /// <summary>The exit code of the program for this error; one of <see cref="ExitCodes"/>.</summary>
    internal abstract int ExitCode { get; }

    /// <summary>Paths of the settings that the message names, each once; empty where it names none.</summary>
    internal IReadOnlyList<string> Settings => Setting.PathsIn(Wording);

    /// <summary>The message with its settings marked, to be part of another error's.</summary>
    internal string Wording { get; }

    /// <summary>The message with other names for its settings.</summary>
    /// <param name="nameOf">The name of a path, such as an option's.</param>
    internal string MessageWith(Func<string, string> nameOf) => PlainText.Sentence(Setting.Show(Wording, nameOf));
}

/// <summary>A usage or configuration error (exit code 2): an unknown name, a value out of range, a folder in use.</summary>
/// <param name="message">One sentence naming the setting and the remedy.</param>
/// <param name="inner">The underlying failure, or null.</param>
public sealed class ConfigurationException(string message, Exception? inner = null) : BoostingTicketException(message, inner)
{
    /// <inheritdoc/>
    internal override int ExitCode => ExitCodes.Configuration;
}

/// <summary>A data error (exit code 3): a data file that is missing, damaged, or cannot be fetched.</summary>
/// <param name="message">One sentence naming the file and the remedy.</param>
/// <param name="inner">The underlying failure, or null.</param>
public sealed class DataException(string message, Exception? inner = null) : BoostingTicketException(message, inner)
{
    /// <inheritdoc/>
    internal override int ExitCode => ExitCodes.Data;
}

/// <summary>Training diverged (exit code 5): a loss or weight became NaN or infinite.</summary>
/// <param name="message">One sentence naming what diverged where, and the remedy.</param>
/// <param name="inner">The underlying failure, or null.</param>
public sealed class DivergedException(string message, Exception? inner = null) : BoostingTicketException(message, inner)
{
    /// <inheritdoc/>
    internal override int ExitCode => ExitCodes.Diverged;

    /// <summary>The error of a training that is part of something larger.</summary>
    /// <param name="group">Path of the training's settings there, with a dot behind: <c>donor.</c></param>
    internal DivergedException Within(string group) => new(Setting.Show(Wording, path => Setting.Named(group + path)), this);
}

/// <summary>The settings need more memory than the device has (exit code 4).</summary>
/// <param name="message">One sentence naming the need, what is free, and settings that would fit.</param>
/// <param name="inner">The underlying failure, or null.</param>
public sealed class NotEnoughMemoryException(string message, Exception? inner = null) : BoostingTicketException(message, inner)
{
    /// <inheritdoc/>
    internal override int ExitCode => ExitCodes.Device;
}

/// <summary>A damaged file (exit code 6): a weights, mask, ticket or checkpoint file that does not hold what it must.</summary>
/// <param name="message">One sentence naming the file, what is wrong with it, and the remedy.</param>
/// <param name="inner">The underlying failure, or null.</param>
public sealed class DamagedFileException(string message, Exception? inner = null) : BoostingTicketException(message, inner)
{
    /// <inheritdoc/>
    internal override int ExitCode => ExitCodes.DamagedFile;
}
