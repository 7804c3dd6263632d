using System.Diagnostics.CodeAnalysis;

namespace BoostingTicket.Engine.Cuda.Bindings;

/// <summary>What the search for CUDA's libraries needs of the machine it runs on.</summary>
internal interface ILibraryHost
{
    /// <summary>Whether this is Windows: other names, folders and separators. Anything else is treated as Linux.</summary>
    bool IsWindows { get; }

    /// <summary>Whether the processor is a 64-bit Arm.</summary>
    bool IsArm64 { get; }

    /// <summary>The folder that relative paths start from.</summary>
    string CurrentFolder { get; }

    /// <summary>An environment variable; null when it is not set or empty.</summary>
    string? Variable(string name);

    /// <summary>Whether a file can be seen.</summary>
    bool FileExists(string path);

    /// <summary>Full path of what a symbolic link names, which may be a link again; null when the path is no link.</summary>
    string? LinkTarget(string path);

    /// <summary>Whether a folder can be seen.</summary>
    bool FolderExists(string path);

    /// <summary>Names of a folder's files, in no particular order; none when it cannot be read.</summary>
    IEnumerable<string> FileNames(string folder);

    /// <summary>Names of a folder's folders, in no particular order; none when it cannot be read.</summary>
    IEnumerable<string> FolderNames(string folder);

    /// <summary>Loads a library for the rest of the process.</summary>
    /// <param name="pathOrName">A full path, or a name that the system's loader looks for in its own places.</param>
    /// <param name="handle">The library.</param>
    /// <param name="problem">What the system's loader said when it could not, in one line.</param>
    bool TryLoad(string pathOrName, out nint handle, [NotNullWhen(false)] out string? problem);

    /// <summary>The address of an exported function.</summary>
    bool TryExport(nint handle, string name, out nint address);
}
