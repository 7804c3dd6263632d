namespace BoostingTicket.Cli.Hosting;

/// <summary>Command lines as text that can be pasted into a shell.</summary>
internal static class CommandText
{
    private const string Plain = "-_./=:,+@%";

    /// <summary>The program as it was started here, so that the text works in the same folder.</summary>
    public static string Program { get; } = FindProgram();

    /// <summary>Arguments with quotes where a shell needs them.</summary>
    public static string Join(IEnumerable<string> arguments) => string.Join(' ', arguments.Select(Quote));

    private static string Quote(string argument) =>
        argument.Length > 0 && argument.All(character => char.IsAsciiLetterOrDigit(character) || Plain.Contains(character))
            ? argument
            : OperatingSystem.IsWindows()
                ? $"\"{argument.Replace("\"", "\\\"", StringComparison.Ordinal)}\""
                : $"'{argument.Replace("'", "'\\''", StringComparison.Ordinal)}'";

    private static string FindProgram()
    {
        string? process = Environment.ProcessPath;
        if (process is null)
            return ProgramContext.Name;
        bool isHost = Path.GetFileNameWithoutExtension(process) is "dotnet";
        string file = isHost ? Path.Combine(AppContext.BaseDirectory, ProgramContext.Name + ".dll") : process;
        string relative = Path.GetRelativePath(Environment.CurrentDirectory, file);
        string path = relative.Length < file.Length ? relative : file;
        return isHost
            ? $"dotnet {Quote(path)}"
            : Quote(path.Contains(Path.DirectorySeparatorChar) ? path : Path.Combine(".", path));
    }
}
