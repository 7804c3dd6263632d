namespace BoostingTicket.Engine.Cuda.Bindings;

/// <summary>Finds and loads CUDA's libraries.</summary>
internal sealed class LibrarySearch
{
    private const int MostFoldersNamed = 6;

    private readonly ILibraryHost _host;
    private readonly IReadOnlyList<LibraryOrigin> _origins;
    private readonly Dictionary<string, NativeModule> _loaded = [];

    /// <summary>Looks at the folders of a machine.</summary>
    public LibrarySearch(ILibraryHost host)
    {
        _host = host;
        _origins = LibraryFolders.Of(host);
    }

    /// <summary>Everywhere that is searched, for messages.</summary>
    public string Places => string.Join(", ", PlaceList);

    /// <summary>The same, place by place.</summary>
    public IReadOnlyList<string> PlaceList => [.. _origins.Select(Describe)];

    /// <summary>Finds a library's file without loading it; null when there is none in any folder.</summary>
    /// <param name="library">Which.</param>
    /// <param name="newest">Major versions above this are passed over.</param>
    public (string Path, int Major)? Locate(LibraryName library, int newest = int.MaxValue)
    {
        foreach ((string? folder, int major) in Candidates(library, newest))
        {
            if (folder is not null && _host.FileExists(InFolder(folder, library.File(_host.IsWindows, major))))
                return (InFolder(folder, library.File(_host.IsWindows, major)), major);
        }
        return null;
    }

    /// <summary>Loads a library and what it depends on.</summary>
    /// <param name="library">Which.</param>
    /// <param name="newest">Major versions above this are passed over.</param>
    /// <param name="problems">Receives a sentence's part for each file that is there and could not be loaded.</param>
    /// <returns>The library; null when none could be loaded.</returns>
    public NativeModule? Load(LibraryName library, int newest, ICollection<string> problems)
    {
        foreach ((string? folder, int major) in Candidates(library, newest))
        {
            string file = library.File(_host.IsWindows, major);
            if (folder is not null && !_host.FileExists(InFolder(folder, file)))
                continue;
            if (library == LibraryName.Cublas)
                Preload(folder, LibraryName.CublasLt.File(_host.IsWindows, major));
            else if (library == LibraryName.Cudnn && folder is not null)
                PreloadParts(folder, major);
            if (TryLoad(folder, file, major, problems) is { } module)
                return module;
        }
        return null;
    }

    /// <summary>Loads what cuDNN asks for by name and what is not in its own folder: cuBLAS and the run-time compiler, of every
    /// version of CUDA that the driver can run, since cuDNN's file name does not say which it was built for.</summary>
    /// <param name="newestCuda">Major version of CUDA that the driver supports.</param>
    public void PreloadCudnnDependencies(int newestCuda)
    {
        foreach (int major in LibraryName.Cublas.Tiers.SelectMany(tier => tier).Where(major => major <= newestCuda))
        {
            foreach (string name in LibraryName.CudnnHelpers(_host.IsWindows, major))
            {
                if (PreloadAnywhere(name) is not { } folder || _host.IsWindows
                    || !name.StartsWith("libnvrtc", StringComparison.Ordinal))
                    continue;
                foreach (string part in _host.FileNames(folder).Where(part => LibraryName.IsNvrtcPart(major, part)))
                    TryLoad(folder, part, 0);
            }
            PreloadAnywhere(LibraryName.CublasLt.File(_host.IsWindows, major));
            PreloadAnywhere(LibraryName.Cublas.File(_host.IsWindows, major));
        }
    }

    // Folder null stands for the system's loader. What the user named comes first in any version; then one group of versions
    // after the other through all other places, so that an old copy in a system folder does not hide a new one among Python's
    // packages.
    private IEnumerable<(string? Folder, int Major)> Candidates(LibraryName library, int newest)
    {
        IEnumerable<(IEnumerable<LibraryOrigin> Origins, int[] Majors)> rounds =
        [
            (_origins.Where(origin => origin.IsExplicit), [.. library.Tiers.SelectMany(tier => tier)]),
            .. library.Tiers.Select(tier => (_origins.Where(origin => !origin.IsExplicit), tier)),
        ];
        return
            from round in rounds
            from origin in round.Origins
            from folder in origin.IsSystem ? origin.Folders.Prepend(null) : origin.Folders
            from major in round.Majors
            where major <= newest
            select (folder, major);
    }

    private NativeModule? TryLoad(string? folder, string file, int major, ICollection<string>? problems = null)
    {
        string place = folder is null ? file : InFolder(folder, file);
        if (_loaded.TryGetValue(place, out NativeModule? known))
            return known;
        if (_host.TryLoad(place, out nint handle, out string? problem))
            return _loaded[place] = new NativeModule(_host, handle, place, major);
        // By name alone the loader's answer is most often that there is no such file, which is no news.
        if (folder is not null || !(_host.IsWindows || problem.StartsWith($"{file}: cannot open", StringComparison.Ordinal)))
            problems?.Add($"{place} could not be loaded ({problem})");
        return null;
    }

    private void Preload(string? folder, string file)
    {
        if (folder is not null && _host.FileExists(InFolder(folder, file)))
            TryLoad(folder, file, 0);
        else
            PreloadAnywhere(file);
    }

    // The folder it was in, or null.
    private string? PreloadAnywhere(string file)
    {
        foreach (LibraryOrigin origin in _origins)
        {
            foreach (string folder in origin.Folders)
            {
                if (_host.FileExists(InFolder(folder, file)) && TryLoad(folder, file, 0) is not null)
                    return folder;
            }
        }
        return null;
    }

    // A library opened by its full path satisfies later requests for its name. The parts need each other, in an order that
    // changed between versions: whatever did not load is tried again as long as another one did.
    private void PreloadParts(string folder, int major)
    {
        List<string> waiting = [.. _host.FileNames(folder)
            .Where(name => LibraryName.IsCudnnPart(_host.IsWindows, major, name)).Order(StringComparer.Ordinal)];
        int before;
        do
        {
            before = waiting.Count;
            waiting.RemoveAll(name => TryLoad(folder, name, major) is not null);
        }
        while (waiting.Count > 0 && waiting.Count < before);
    }

    private string InFolder(string folder, string file)
    {
        char separator = _host.IsWindows ? '\\' : '/';
        return folder.TrimEnd('/', separator) + separator + file;
    }

    private static string Describe(LibraryOrigin origin)
    {
        string folders = string.Join(", ", origin.Folders.Take(MostFoldersNamed))
            + (origin.Folders.Count > MostFoldersNamed ? $" and {origin.Folders.Count - MostFoldersNamed} more folder(s)" : "");
        return origin switch
        {
            { IsUnset: true } => $"{origin.Description} (not set)",
            { IsSystem: true } => folders.Length == 0 ? origin.Description : $"{origin.Description} (with {folders})",
            { Folders.Count: 0 } => $"{origin.Description} (none)",
            _ => $"{origin.Description} ({folders})",
        };
    }
}
