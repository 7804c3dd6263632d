namespace BoostingTicket.Training.Files;

/// <summary>Turns what the file system answers into one sentence with a remedy.</summary>
internal static class StorageErrors
{
    // Win32 codes as HRESULTs; on Unix, HResult carries errno itself.
    private const int WindowsHandleDiskFull = unchecked((int)0x80070027);
    private const int WindowsDiskFull = unchecked((int)0x80070070);
    private const int UnixNoSpace = 28;
    private const int LinuxQuotaExceeded = 122;
    private const int MacQuotaExceeded = 69;

    /// <summary>Whether a failure is the disk's or the user's quota being exhausted.</summary>
    public static bool IsDiskFull(Exception error) => error is IOException && (OperatingSystem.IsWindows()
        ? error.HResult is WindowsDiskFull or WindowsHandleDiskFull
        : error.HResult == UnixNoSpace || error.HResult == (OperatingSystem.IsMacOS() ? MacQuotaExceeded : LinuxQuotaExceeded));

    /// <summary>Whether a failure is the file system's answer, as opposed to a defect of the program.</summary>
    public static bool IsStorage(Exception error) =>
        error is IOException or UnauthorizedAccessException or NotSupportedException;

    /// <summary>The sentence for a failed write of a file.</summary>
    /// <param name="path">The file that was being written.</param>
    /// <param name="error">A failure for which <see cref="IsStorage"/> holds.</param>
    public static ConfigurationException CannotWrite(string path, Exception error) => new(
        IsDiskFull(error)
            ? $"Cannot write {path}: the disk is full or the quota is used up; free some space or choose a folder on another "
                + $"disk."
            : $"Cannot write {path}: {Reason(error)}; make the folder writable or choose another.",
        error);

    /// <summary>The sentence for a failed read of a file.</summary>
    /// <param name="path">The file that was being read.</param>
    /// <param name="error">A failure for which <see cref="IsStorage"/> holds.</param>
    public static ConfigurationException CannotRead(string path, Exception error) =>
        new($"Cannot read {path}: {Reason(error)}; make it readable or choose another folder.", error);

    /// <summary>The system's own words without the full stop, to be placed inside a sentence.</summary>
    public static string Reason(Exception error)
    {
        ArgumentNullException.ThrowIfNull(error);
        string message = error.Message.ReplaceLineEndings(" ").TrimEnd('.', ' ');
        return message.Length > 1 && char.IsUpper(message[0]) && char.IsLower(message[1])
            ? char.ToLowerInvariant(message[0]) + message[1..]
            : message;
    }
}
