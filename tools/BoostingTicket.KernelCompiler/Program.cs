using BoostingTicket.KernelCompiler;

const string Usage = """
    Compiles the GPU kernels, kernels/*.cu, to the PTX beside them.

    usage: dotnet run -c Release --project tools/BoostingTicket.KernelCompiler -- [options]

      --check          write nothing; fail if a committed PTX file is not what its source compiles to
      --nvrtc PATH     folder (or library file) of NVRTC 11.8; tools/get-nvrtc.sh obtains it
      --kernels PATH   folder of the kernels (default: kernels/ of the repository)
    """;

bool check = false;
string? given = null, kernels = null;
for (int i = 0; i < args.Length; i++)
{
    switch (args[i])
    {
        case "--check":
            check = true;
            break;
        case "--nvrtc" when i + 1 < args.Length:
            given = args[++i];
            break;
        case "--kernels" when i + 1 < args.Length:
            kernels = args[++i];
            break;
        case "--help" or "-h":
            Console.WriteLine(Usage);
            return 0;
        default:
            return Fail($"'{args[i]}' is not understood.\n\n{Usage}", 2);
    }
}

string? repository = FindRepository(kernels ?? Directory.GetCurrentDirectory());
if (repository is null && kernels is null)
    return Fail(
        "No BoostingTicket.sln was found here or above: run this in the repository, or name the folder with --kernels.", 2);
kernels ??= Path.Combine(repository!, "kernels");
if (!Directory.Exists(kernels))
    return Fail($"There is no folder {kernels}.", 2);

string? folder = NvrtcFolders.Find(given, repository ?? kernels);
if (folder is null)
{
    return Fail(
        $"NVRTC {Nvrtc.RequiredVersion} was not found: looked for {NvrtcFolders.LibraryFile} and {NvrtcFolders.BuiltinsFile} "
        + $"in\n  "
            + string.Join("\n  ", NvrtcFolders.Candidates(given, repository ?? kernels))
            + $"\nObtain it with tools/get-nvrtc.sh, or name its folder with --nvrtc or in {NvrtcFolders.Variable}.",
        3);
}

try
{
    using var nvrtc = Nvrtc.Load(folder);
    int stale = 0;
    IReadOnlyList<KernelSource> sources = KernelSource.ReadAll(kernels);
    foreach (KernelSource source in sources)
    {
        string ptx = nvrtc.Compile(source);
        string? committed = File.Exists(source.PtxPath) ? File.ReadAllText(source.PtxPath).ReplaceLineEndings("\n") : null;
        bool same = ptx == committed;
        if (!same && !check)
            File.WriteAllText(source.PtxPath, ptx);
        if (!same)
            stale++;
        Console.WriteLine($"{(same ? "unchanged" : check ? "STALE" : "written")}  {source.PtxPath}");
    }
    foreach (string ptx in Directory.GetFiles(kernels, "*.ptx").Order(StringComparer.Ordinal))
    {
        if (File.Exists(Path.ChangeExtension(ptx, ".cu")))
            continue;
        stale++;
        Console.WriteLine($"NO SOURCE  {ptx}");
    }
    if (check && stale > 0)
        return Fail(
            $"{stale} PTX file(s) do not belong to their source: run the tool without --check and commit what it writes.", 1);
    return 0;
}
catch (Exception error) when (error is KernelCompilationException or NotSupportedException or DllNotFoundException or IOException)
{
    return Fail(error.Message, 1);
}

static int Fail(string message, int code)
{
    Console.Error.WriteLine(message);
    return code;
}

static string? FindRepository(string start)
{
    for (DirectoryInfo? at = new(start); at is not null; at = at.Parent)
    {
        if (File.Exists(Path.Combine(at.FullName, "BoostingTicket.sln")))
            return at.FullName;
    }
    return null;
}
