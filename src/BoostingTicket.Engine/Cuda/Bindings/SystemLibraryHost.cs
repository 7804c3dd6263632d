using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;

namespace BoostingTicket.Engine.Cuda.Bindings;

/// <summary>This machine.</summary>
internal sealed class SystemLibraryHost : ILibraryHost
{
    private SystemLibraryHost() { }

    /// <summary>The one there is.</summary>
    public static SystemLibraryHost Instance { get; } = new();

    /// <inheritdoc/>
    public bool IsWindows => OperatingSystem.IsWindows();

    /// <inheritdoc/>
    public bool IsArm64 => RuntimeInformation.ProcessArchitecture == Architecture.Arm64;

    /// <inheritdoc/>
    public string CurrentFolder => Environment.CurrentDirectory;

    /// <inheritdoc/>
    public string? Variable(string name) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;

    /// <inheritdoc/>
    public bool FileExists(string path) => File.Exists(path);

    /// <inheritdoc/>
    public string? LinkTarget(string path)
    {
        try
        {
            return File.ResolveLinkTarget(path, returnFinalTarget: false)?.FullName;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <inheritdoc/>
    public bool FolderExists(string path) => Directory.Exists(path);

    /// <inheritdoc/>
    public IEnumerable<string> FileNames(string folder) => Names(folder, Directory.GetFiles);

    /// <inheritdoc/>
    public IEnumerable<string> FolderNames(string folder) => Names(folder, Directory.GetDirectories);

    /// <inheritdoc/>
    public bool TryLoad(string pathOrName, out nint handle, [NotNullWhen(false)] out string? problem)
    {
        try
        {
            handle = NativeLibrary.Load(pathOrName);
            problem = null;
            return true;
        }
        catch (Exception exception) when (exception is DllNotFoundException or BadImageFormatException)
        {
            handle = 0;
            problem = LastLine(exception.Message);
            return false;
        }
    }

    /// <inheritdoc/>
    public bool TryExport(nint handle, string name, out nint address) => NativeLibrary.TryGetExport(handle, name, out address);

    private static string[] Names(string folder, Func<string, string[]> list)
    {
        try
        {
            return Directory.Exists(folder) ? Array.ConvertAll(list(folder), path => Path.GetFileName(path)!) : [];
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    // .NET puts advice first and what the system's loader said last.
    private static string LastLine(string message)
    {
        string[] lines = message.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return lines.Length == 0 ? "no reason given" : lines[^1];
    }
}
