using BoostingTicket.Engine.Backends;

namespace BoostingTicket.Engine.Cuda.Bindings;

/// <summary>A loaded library. It stays loaded until the process ends, as CUDA's libraries have threads and exit handlers of their
/// own.</summary>
/// <param name="Host">Where it was loaded.</param>
/// <param name="Handle">The library.</param>
/// <param name="Place">Its file's path, or its name where the system's loader found it.</param>
/// <param name="Major">Major version in its name; 0 for the driver.</param>
internal sealed record NativeModule(ILibraryHost Host, nint Handle, string Place, int Major)
{
    /// <summary>Fills a structure of function pointers.</summary>
    /// <typeparam name="T">Nothing but function pointers.</typeparam>
    /// <param name="names">Exported names of its fields, in their order; a name that ends in <c>?</c> may be missing, its pointer
    /// then is null.</param>
    /// <exception cref="DeviceException">The library lacks functions.</exception>
    public unsafe T Bind<T>(ReadOnlySpan<string> names)
        where T : unmanaged
    {
        T functions = default;
        var addresses = new Span<nint>(&functions, sizeof(T) / sizeof(nint));
        if (addresses.Length != names.Length)
            throw new ArgumentException(
                $"{typeof(T).Name} has {addresses.Length} fields for {names.Length} names", nameof(names));
        List<string> missing = [];
        for (int index = 0; index < names.Length; index++)
        {
            string name = names[index].TrimEnd('?');
            if (!Host.TryExport(Handle, name, out addresses[index]) && name.Length == names[index].Length)
                missing.Add(name);
        }

        return missing.Count == 0
            ? functions
            : throw new DeviceException(
                $"The library {Place} lacks {string.Join(", ", missing)}, so that it is older or newer than what this program "
                + $"can use, "
                + $"or is not NVIDIA's; install another version, or name its folder with {LibraryFolders.Variable}.");
    }
}
