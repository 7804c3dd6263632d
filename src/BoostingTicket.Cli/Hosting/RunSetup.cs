using System.CommandLine;
using System.Globalization;
using BoostingTicket.Cli.Progress;
using BoostingTicket.Cli.Signals;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Devices;
using BoostingTicket.Engine.Ranks;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Runs.Folders;
using BoostingTicket.Runs.Stages;
using BoostingTicket.Training;
using BoostingTicket.Training.Data;
using BoostingTicket.Training.Progress;
using Microsoft.Extensions.Logging;

namespace BoostingTicket.Cli.Hosting;

/// <summary>What the commands that compute have in common: their configuration, device, data, folder and progress.</summary>
internal sealed class RunSetup
{
    /// <summary>Folder under which runs are kept that are given none.</summary>
    public const string RunsFolder = "runs";

    private readonly Option<string?> _preset = new("--preset")
    {
        HelpName = "NAME",
        Description = "settings to start from; by default those of the given weights or ticket, else the defaults of the data "
            + "set. 'run --help' lists the presets",
    };
    private readonly Option<string?> _config = new("--config")
    {
        HelpName = "FILE",
        Description = "JSON file with settings; options win over the file, the file wins over all else",
    };
    private readonly Option<string?> _data = CommonOptions.CreateDataOption();
    private readonly Option<bool> _resume = new("--resume")
    {
        Description = "continue the work in --out (by default the newest run), with its settings",
    };
    private readonly bool _resumable;
    private readonly bool _inFolder;
    private string _source = "";

    /// <summary>Adds the options to a command.</summary>
    /// <param name="command">The command.</param>
    /// <param name="resumable">Whether it can work in a folder and be resumed.</param>
    /// <param name="alwaysInFolder">Whether, if it can, it always does, so that a file's folder is meant for it.</param>
    /// <param name="configurable">Whether its settings may come from a preset or a file.</param>
    public RunSetup(CommandLineCommand command, bool resumable, bool alwaysInFolder = true, bool configurable = true)
    {
        _resumable = resumable;
        _inFolder = resumable && alwaysInFolder;
        if (configurable)
        {
            Completions.Add(_preset, Presets.Names);
            command.Options.Add(_preset);
            command.Options.Add(_config);
        }
        command.Options.Add(_data);
        if (resumable)
            command.Options.Add(_resume);
    }

    /// <summary>What the command said before it started; for its answer.</summary>
    public RunStatement? Stated { get; private set; }

    /// <summary>Whether the command line asks to go on.</summary>
    public bool IsResumed(Invocation invocation) => _resumable && invocation.Get(_resume);

    /// <summary>Settings and folder of work that can be resumed.</summary>
    /// <param name="invocation">The command line.</param>
    /// <param name="name">How the name of a new folder begins; null for the preset's name.</param>
    /// <param name="origins">As of <see cref="Configure"/>; ignored where work is resumed.</param>
    /// <param name="origin">As of <see cref="Configure"/>; ignored where work is resumed.</param>
    /// <returns>What to do, where, and whether to continue what is there.</returns>
    /// <exception cref="ConfigurationException">Settings cannot be used, or there is nothing to resume and no settings are named
    /// to begin with.</exception>
    public (RunConfiguration Configuration, string Folder, bool Resume) Open(
        Invocation invocation, string? name, IReadOnlyList<string>? origins = null, FileOrigin? origin = null)
    {
        bool resume = IsResumed(invocation);
        ReadFile(invocation);
        if (!resume)
        {
            RunConfiguration fresh = Configure(invocation, origins, origin: origin);
            return (fresh, invocation.Out ?? NewFolder(name ?? fresh.Preset), false);
        }

        string folder = invocation.Out ?? NewestRun();
        string kept = new RunFolder(folder).Configuration;
        if (!File.Exists(kept) && invocation.Get(_config) is null && invocation.Get(_preset) is null)
        {
            throw new ConfigurationException(
                $"The folder {folder} holds nothing to resume (no {Path.GetFileName(kept)}); name the folder of a run with "
                + $"--out, or leave out --resume.");
        }

        return (Configure(invocation, resumed: kept), folder, true);
    }

    // The folder in the file is that of a run; what other commands call --out is a file.
    private void ReadFile(Invocation invocation)
    {
        if (invocation.Get(_config) is not { } file)
            return;
        MachineSettings said = ConfigurationSources.ReadSurroundings(file);
        invocation.File = _inFolder ? said : said with { Out = null };
    }

    // Two commands may begin in one second.
    private static string NewFolder(string name)
    {
        string folder =
            Path.Combine(RunsFolder, string.Create(CultureInfo.InvariantCulture, $"{name}-{DateTime.Now:yyyyMMdd-HHmmss}"));
        IEnumerable<string> others =
            Enumerable.Range(2, int.MaxValue - 2).Select(number => FormattableString.Invariant($"{folder}-{number}"));
        return others.Prepend(folder).First(name => !Directory.Exists(name));
    }

    private static string NewestRun()
    {
        var known = new DirectoryInfo(RunsFolder);
        return (known.Exists ? known.GetDirectories() : []).Where(run => File.Exists(new RunFolder(run.FullName).Configuration))
            .OrderBy(run => File.GetLastWriteTimeUtc(new RunFolder(run.FullName).Configuration)).Select(run => Path.Combine(
                RunsFolder, run.Name))
            .LastOrDefault()
                ?? throw new ConfigurationException($"There is no run to resume under {RunsFolder}; name its folder with --out.");
    }

    /// <summary>The configuration: command line over file over preset, else over what the given files come from, else over the
    /// defaults of the data set.</summary>
    /// <param name="invocation">The command line.</param>
    /// <param name="origins">Weights, ticket or mask that the command is given; the settings are those that the first of them
    /// comes from that says so. Null for none.</param>
    /// <param name="resumed">Configuration file of work that is resumed, taken when neither file nor preset is named; null for
    /// none.</param>
    /// <param name="origin">Where settings come from, if it is known already; it goes before <paramref name="origins"/>.</param>
    /// <param name="usual">Options that a command takes where neither they nor a file, preset, published data set or weights were
    /// given, from what was asked for otherwise; null for none.</param>
    /// <param name="swept">Settings that a point of a sweep adds to those of the command line; null for none.</param>
    public RunConfiguration Configure(
        Invocation invocation, IReadOnlyList<string>? origins = null, string? resumed = null,
        FileOrigin? origin = null, Func<RunConfiguration, IEnumerable<(string Name, string Value)>>? usual = null,
        IReadOnlyList<(ConfigurationOption Option, string Value)>? swept = null)
    {
        ReadFile(invocation);
        string? file = invocation.Get(_config), preset = invocation.Get(_preset);
        if (file is null && preset is null && resumed is not null && File.Exists(resumed))
            file = resumed;
        IReadOnlyList<(ConfigurationOption Option, string Value)> given = [.. invocation.Settings(), .. swept ?? []];
        var sources = new ConfigurationSources(preset, file, given) { Origin = origin ?? OriginOf(origins ?? []) };
        ComposedConfiguration composed = sources.ComposeNamed();
        if (usual is not null && file is null && preset is null && sources.Origin is null
            && DataSetCatalog.Find(composed.Configuration.Data.Name).IsGenerated)
        {
            IEnumerable<(ConfigurationOption, string)> added = usual(composed.Configuration)
                .Where(option => given.All(other => other.Option.Name != option.Name))
                .Select(option => (ConfigurationOptions.Find(option.Name), option.Value));
            composed = (sources with { Options = [.. added, .. given] }).ComposeNamed();
        }
        RunConfiguration configuration = Fitted(composed.Configuration, sources);
        Invocation.CheckDevice(configuration.Device);
        _source = composed.Source;
        return configuration;
    }

    private static FileOrigin? OriginOf(IReadOnlyList<string> files)
    {
        FileOrigin? first = null;
        foreach (string file in files)
        {
            FileOrigin? origin = FileOrigin.Read(file);
            if (origin?.IsCarried == true)
                return origin;
            first ??= origin;
        }
        return first;
    }

    // Number formats of GPUs are those of the machine that the weights come from.
    private static RunConfiguration Fitted(RunConfiguration configuration, ConfigurationSources sources) =>
        sources.Origin?.Configuration?.Precision == configuration.Precision
            && configuration.Precision is not (DeviceCatalog.Auto or "float32")
        && sources.Options.All(given => given.Option.Name != "precision") && DeviceCatalog.IsName(configuration.Device)
        && DeviceCatalog.Select(configuration.Device).Name == DeviceCatalog.Cpu
            ? configuration with { Precision = DeviceCatalog.Auto }
            : configuration;

    /// <summary>Opens device and data and does the work with its progress shown.</summary>
    /// <param name="invocation">The command line.</param>
    /// <param name="configuration">The configuration.</param>
    /// <param name="folder">Folder whose log is continued; null for work that keeps none.</param>
    /// <param name="stated">What kind of work is stated before it starts.</param>
    /// <param name="work">The work.</param>
    /// <param name="share">Whether other processes share the folder, so that each has a log of its own.</param>
    public T Do<T>(
        Invocation invocation, RunConfiguration configuration, string? folder, StatedWork stated,
        Func<IBackend, DataSplit, IRunProgress, T> work, bool share = false) =>
        Do(invocation, configuration, folder, (composed, data) => RunStatement.Of(stated, composed, data), work, share);

    /// <summary>The same for work that states more than its kind.</summary>
    /// <param name="invocation">The command line.</param>
    /// <param name="configuration">The configuration.</param>
    /// <param name="folder">Folder whose log is continued; null for work that keeps none.</param>
    /// <param name="state">What is stated of the work before it starts, given where settings come from and the images.</param>
    /// <param name="work">The work.</param>
    /// <param name="share">Whether other processes share the folder, so that each has a log of its own.</param>
    public T Do<T>(
        Invocation invocation, RunConfiguration configuration, string? folder,
        Func<ComposedConfiguration, DataSplit, RunStatement> state, Func<IBackend, DataSplit, IRunProgress, T> work,
        bool share = false)
    {
        DeviceSelection selection = DeviceCatalog.Select(configuration.Device);
        IProgressDisplay display = ProgressDisplays.Create(invocation.Terminal, invocation.Quiet, invocation.Cancellation);
        display.Note(selection.Reason);
        DeviceCatalog.Require(selection, configuration.DeviceOptions(invocation.Threads).Precision);
        DataSplit data = Load(invocation, configuration);
        Stated = state(new ComposedConfiguration(configuration, _source), data);
        DeviceOptions options = configuration.DeviceOptions(invocation.Threads);
        // What was begun goes on in its number format, also where another one would be taken now.
        if (folder is not null && options.Precision is null && RunEnvironment.PrecisionOf(folder) is { } begun
            && DeviceCatalog.Computes(selection, begun))
            options = options with { Precision = begun };
        if (invocation.Team is { } team)
        {
            display.Note(TeamDevice.Describe(team));
            if (TeamDevice.Warning(team) is { } warning)
                display.Warn(warning);
        }
        using IBackend backend = TeamDevice.Open(invocation.Team, selection, options, out string? notice);
        if (notice is not null)
            display.Note(notice);
        if (backend.Choices is { } choices)
            choices.WhenFound = display.Warn;
        if (folder is null)
        {
            display.Note(Stated.Text);
            return display.Show(() => work(backend, data, display));
        }
        var files = new RunFolder(folder);
        string log = share
            ? files.SharedLog(DateTimeOffset.Now, Environment.MachineName, Environment.ProcessId)
            : files.Log;
        using ILoggerFactory loggers = LoggerFactory.Create(builder => builder.AddProvider(new FileLoggerProvider(log)));
        ILogger logger = loggers.CreateLogger(ProgramContext.Name);
        var logged = new LoggedProgress(display, logger);
        logged.State(Stated.Text);
        try
        {
            return invocation.Saving.Do(() => display.Show(() => work(backend, data, logged)));
        }
        catch (Exception error)
        {
            logged.Failed(error);
            throw;
        }
    }

    /// <summary>Opens a configuration's device once more, in another number format.</summary>
    /// <param name="invocation">The command line.</param>
    /// <param name="configuration">The configuration.</param>
    /// <param name="precision">The format.</param>
    /// <returns>The device, or why it cannot be opened, as part of a sentence.</returns>
    public static (IBackend? Backend, string? Lacking) OpenBeside(
        Invocation invocation, RunConfiguration configuration, Precision precision)
    {
        if (invocation.Team is not null)
            return (null, "several processes have one device together");
        DeviceSelection selection = DeviceCatalog.Select(configuration.Device);
        if (!DeviceCatalog.Computes(selection, precision))
            return (null, $"the device does not compute in {DeviceCatalog.WordOf(precision)}");
        IBackend backend = DeviceCatalog.Open(
            selection, configuration.DeviceOptions(invocation.Threads) with { Precision = precision }, out string? notice);
        if (notice is null)
            return (backend, null);
        backend.Dispose();
        return (null, char.ToLowerInvariant(notice[0]) + notice[1..].TrimEnd('.'));
    }

    /// <summary>The data set that a configuration names, as much of it as it wants and as its normalisation is measured
    /// on.</summary>
    public DataSplit Load(Invocation invocation, RunConfiguration configuration) =>
        RunData.Load(configuration.Data, DataFolder(invocation));

    /// <summary>Does work that can be resumed, and says how when it is interrupted: with the folder, and with the options that
    /// are no settings.</summary>
    /// <param name="invocation">The command line.</param>
    /// <param name="folder">Where it is kept.</param>
    /// <param name="command">The command with what it needs besides its folder.</param>
    /// <param name="work">The work.</param>
    public T Resumable<T>(Invocation invocation, string folder, IReadOnlyList<string> command, Func<T> work)
    {
        try
        {
            return work();
        }
        catch (OperationCanceledException cancellation)
        {
            throw new InterruptedException(
                $"Interrupted and saved; to continue: {LineToContinue(invocation, folder, command)}", cancellation);
        }
        catch (TeamException lost) when (lost.ExitCode == TeamException.Lost)
        {
            string line = LineToContinue(invocation, folder, command);
            string remedy = $"to continue from the last checkpoint, by any number of processes: {line}";
            throw new TeamException(
                lost.Message.Replace($"{RankWatch.Remedy}.", remedy, StringComparison.Ordinal), lost.ExitCode, lost);
        }
    }

    /// <summary>The command line that continues work: with its folder, and with the options that are no settings.</summary>
    /// <param name="invocation">The command line.</param>
    /// <param name="folder">Where the work is kept.</param>
    /// <param name="command">The command with what it needs besides its folder.</param>
    public string LineToContinue(Invocation invocation, string folder, IReadOnlyList<string> command) =>
        $"{CommandText.Program} {CommandText.Join([.. command, "--resume", "--out", folder, .. Repeated(invocation)])}";

    private IEnumerable<string> Repeated(Invocation invocation)
    {
        if (DataFolder(invocation) is { } data)
            yield return $"--data={data}";
        if (invocation.Threads > 0)
            yield return string.Create(CultureInfo.InvariantCulture, $"--threads={invocation.Threads}");
        if (invocation.Json)
            yield return "--json";
        if (invocation.Quiet)
            yield return "--quiet";
    }

    private string? DataFolder(Invocation invocation) => invocation.Get(_data) ?? invocation.File.DataFolder;
}
