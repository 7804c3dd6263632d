using System.CommandLine;
using BoostingTicket.Engine.Devices;
using BoostingTicket.Training.Data;

namespace BoostingTicket.Cli.Hosting;

/// <summary>The options that every command has.</summary>
internal sealed class CommonOptions
{
    /// <summary>Machine-readable results.</summary>
    public Option<bool> Json { get; } = Switch("--json", "print one JSON document on standard output, and nothing else");

    /// <summary>No progress.</summary>
    public Option<bool> Quiet { get; } = Switch("--quiet", "show only results and errors, no progress");

    /// <summary>No colours.</summary>
    public Option<bool> NoColor { get; } = Switch("--no-color", "no colours (NO_COLOR is respected too)");

    /// <summary>Seed of everything random.</summary>
    public Option<string?> Seed { get; } = Text(
        "--seed", "N", "seed of all random numbers; data sets, the built-in ones too, do not depend on it");

    /// <summary>Threads of the processor.</summary>
    public Option<string?> Threads { get; } =
        Text("--threads", "N", "processor threads to compute on; 0 for one per processor (results do not depend on it)");

    /// <summary>Device.</summary>
    public Option<string?> Device { get; } = Text(
        "--device", "auto|cpu|cuda|cuda:N", "device to compute on; N is the number of a GPU, as 'devices' lists them");

    /// <summary>Other processes.</summary>
    public Option<string?> Ranks { get; } = Text(
        TeamDevice.OptionName, string.Join('|', TeamDevice.Words.Select(word => word.Word)),
        "how the processes of mpirun or srun find one another to share the work");

    /// <summary>Lets a shell offer devices.</summary>
    public CommonOptions() => Completions.Add(Device, DeviceCatalog.Names);

    /// <summary>Where results go.</summary>
    public Option<string?> Out { get; } = Text("--out", "PATH", "folder or file to write results to");

    /// <summary>Existing files may be replaced.</summary>
    public Option<bool> Force { get; } = Switch("--force", "replace result files that exist");

    /// <summary>All of them, in the order of help.</summary>
    public IReadOnlyList<Option> All => [Seed, Threads, Device, Ranks, Out, Force, Json, Quiet, NoColor];

    /// <summary>The option that names the data folder.</summary>
    public static Option<string?> CreateDataOption() => new("--data")
    {
        HelpName = "FOLDER",
        Description = $"data folder; by default that of {DataRoot.EnvironmentVariable}, else ./{DataRoot.DefaultFolder}",
    };

    private static Option<bool> Switch(string name, string description) => new(name)
    {
        Description = description,
        Recursive = true,
    };

    private static Option<string?> Text(string name, string hint, string description) =>
        new(name) { Description = description, HelpName = hint, Recursive = true };
}
