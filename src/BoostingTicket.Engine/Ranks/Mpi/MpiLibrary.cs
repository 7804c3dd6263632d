using System.Runtime.InteropServices;
using System.Text;

namespace BoostingTicket.Engine.Ranks.Mpi;

/// <summary>A loaded MPI library with the constants of its family. It is never unloaded.</summary>
internal sealed unsafe class MpiLibrary
{
    /// <summary>Names the library to load.</summary>
    public const string Variable = "BOOSTING_TICKET_MPI";

    // MPI_MAX_LIBRARY_VERSION_STRING of MPICH, the longer one; MPI_MAX_ERROR_STRING is below.
    private const int TextBytes = 8192;

    private static readonly string[] OpenMpiNames = ["libmpi.so.40", "libmpi.so"];
    private static readonly string[] MpichNames = ["libmpi.so.12", "libmpich.so.12", "libmpi.so"];
    private static readonly string[] AbiNames = ["libmpi_abi.so.1", "libmpi_abi.so.0"];

    private MpiLibrary(nint handle, string place)
    {
        Place = place;
        MpiFunctions functions = default;
        var addresses = new Span<nint>(&functions, sizeof(MpiFunctions) / sizeof(nint));
        for (int i = 0; i < addresses.Length; i++)
        {
            if (!NativeLibrary.TryGetExport(handle, MpiFunctions.Names[i], out addresses[i]))
                throw new TeamException(
                    $"The library {place} lacks {MpiFunctions.Names[i]}, so that it is no MPI library of version 3 or later; "
                    + $"name "
                    + $"another one with {Variable}.", TeamException.Misused);
        }
        Functions = functions;
        if (NativeLibrary.TryGetExport(handle, "ompi_mpi_comm_world", out nint world))
        {
            Family = MpiFamily.OpenMpi;
            World = world;
            Byte = NativeLibrary.GetExport(handle, "ompi_mpi_byte");
            ErrorsReturn = NativeLibrary.GetExport(handle, "ompi_mpi_errors_return");
            StatusIgnore = 0;
            Serialized = 2;
        }
        else if (NativeLibrary.TryGetExport(handle, "MPI_Abi_get_version", out _)
            && place.Contains("_abi", StringComparison.Ordinal))
        {
            Family = null;
            (World, Byte, ErrorsReturn, StatusIgnore, Serialized) = (257, 583, 323, 0, 2048);
        }
        else
        {
            Family = MpiFamily.Mpich;
            (World, Byte, ErrorsReturn, StatusIgnore, Serialized) = (0x44000000, 0x4c00010d, 0x54000001, 1, 2);
        }
    }

    /// <summary>Where it was found.</summary>
    public string Place { get; }

    /// <summary>Its functions.</summary>
    public MpiFunctions Functions { get; }

    /// <summary>Its family; null for the common interface of MPI 5.</summary>
    public MpiFamily? Family { get; }

    /// <summary>All processes.</summary>
    public nint World { get; }

    /// <summary>The type of bytes.</summary>
    public nint Byte { get; }

    /// <summary>The handler by which functions return errors.</summary>
    public nint ErrorsReturn { get; }

    /// <summary>No status is wanted.</summary>
    public nint StatusIgnore { get; }

    /// <summary>One thread at a time calls.</summary>
    public int Serialized { get; }

    /// <summary>Name and version, of the first line that the library says.</summary>
    public string Version
    {
        get
        {
            byte* text = stackalloc byte[TextBytes];
            int length = 0;
            if (Functions.GetLibraryVersion(text, &length) != 0)
                return Place;
            string said = Encoding.UTF8.GetString(text, Math.Clamp(length, 0, TextBytes)).TrimEnd('\0');
            string first = said.Split('\n', ',')[0];
            return string.Join(' ', first.Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries));
        }
    }

    /// <summary>Loads the library of a launcher's family.</summary>
    /// <param name="family">The family; null where the launcher serves several.</param>
    /// <param name="named">Path or name that was asked for; null for the usual names.</param>
    /// <exception cref="TeamException">There is none.</exception>
    public static MpiLibrary Load(MpiFamily? family, string? named)
    {
        if (!OperatingSystem.IsLinux() || !Environment.Is64BitProcess)
            throw new TeamException(
                "Processes are joined by MPI on 64-bit Linux only; start one process, or choose ranks none.",
                TeamException.Misused);
        IEnumerable<string> names = named is not null ? [named]
            : family switch
            {
                MpiFamily.OpenMpi => OpenMpiNames,
                MpiFamily.Mpich => [.. MpichNames, .. AbiNames],
                _ => [.. OpenMpiNames, .. MpichNames, .. AbiNames],
            };
        foreach (string name in names)
        {
            if (!NativeLibrary.TryLoad(name, out nint handle))
                continue;
            var library = new MpiLibrary(handle, name);
            if (family is null || library.Family is null || library.Family == family || named is not null)
                return library;
        }
        throw new TeamException(
            $"No MPI library of the launcher was found ({string.Join(", ", names)}); install the one that the launcher belongs "
            + $"to, "
            + $"or name its file with {Variable}.", TeamException.Misused);
    }

    /// <summary>What a code of an error means.</summary>
    public string Explain(int code)
    {
        byte* text = stackalloc byte[TextBytes];
        int length = 0;
        return Functions.ErrorString(code, text, &length) == 0
            ? Encoding.UTF8.GetString(text, Math.Clamp(length, 0, TextBytes)).TrimEnd('\0').ReplaceLineEndings(" ").Trim()
            : FormattableString.Invariant($"error {code}");
    }
}
