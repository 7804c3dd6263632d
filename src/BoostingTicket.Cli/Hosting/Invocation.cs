using System.CommandLine;
using System.Globalization;
using BoostingTicket.Cli.Signals;
using BoostingTicket.Cli.Streams;
using BoostingTicket.Engine.Devices;
using BoostingTicket.Engine.Ranks;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Training;
using BoostingTicket.Training.Files;

namespace BoostingTicket.Cli.Hosting;

/// <summary>One use of a command: what was asked for, and where to answer.</summary>
/// <param name="parsed">The parsed command line.</param>
/// <param name="command">The command.</param>
internal sealed class Invocation(ParseResult parsed, CommandLineCommand command)
{
    private bool _answerTried;

    /// <summary>Where to write.</summary>
    public Terminal Terminal { get; } =
        parsed.GetValue(command.Context.Common.NoColor) || parsed.GetValue(command.Context.Common.Json)
        ? command.Context.Terminal.Plain
        : command.Context.Terminal;

    /// <summary>Asks the command to save and stop.</summary>
    public CancellationToken Cancellation { get; } = command.Context.Cancellation;

    /// <summary>Told of work that saves itself when it is asked to stop.</summary>
    public SavingWork Saving { get; } = command.Context.Saving;

    /// <summary>Processes that compute with this one; null for none.</summary>
    public RankTeam? Team { get; } = command.Context.Team;

    private CommonOptions Common => command.Context.Common;

    /// <summary>Whether the result is to be one JSON document.</summary>
    public bool Json => Get(Common.Json);

    /// <summary>Whether only results and errors are to be shown.</summary>
    public bool Quiet => Get(Common.Quiet);

    /// <summary>What the file of <c>--config</c> says besides settings; the command line wins over it.</summary>
    public MachineSettings File { get; set; } = MachineSettings.None;

    /// <summary><c>--out</c>; null when it was not given.</summary>
    public string? Out => Get(Common.Out) ?? File.Out;

    /// <summary><c>--threads</c>; 0 for one a processor.</summary>
    public int Threads
    {
        get
        {
            if (Get(Common.Threads) is not { } text)
                return File.Threads ?? 0;
            if (!int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int threads))
                throw new ConfigurationException($"--threads is '{text}'; give a whole number.");
            Require.InRange("threads", threads, 0, MachineSettings.MostThreads);
            return threads;
        }
    }

    /// <summary><c>--device</c>, one of <see cref="DeviceCatalog.Names"/> or <c>cuda:N</c>; <c>auto</c> when it was not
    /// given.</summary>
    public string Device => CheckDevice(Get(Common.Device) ?? DeviceCatalog.Auto);

    /// <summary>The value of an option.</summary>
    public T? Get<T>(Option<T> option) => parsed.GetValue(option);

    /// <summary>The value of an argument.</summary>
    public T? Get<T>(Argument<T> argument) => parsed.GetValue(argument);

    /// <summary>Whether an option was written on the command line.</summary>
    public bool IsGiven(Option option) => parsed.GetResult(option) is { Implicit: false };

    /// <summary>The command line after the program's name.</summary>
    public IReadOnlyList<string> Arguments => command.Context.Arguments;

    /// <summary>The whole command line, for people to repeat.</summary>
    public string CommandLine => $"{ProgramContext.Name} {CommandText.Join(Arguments)}";

    /// <summary>The settings on the command line, with their values.</summary>
    public IReadOnlyList<(ConfigurationOption Option, string Value)> Settings()
    {
        var given = new List<(ConfigurationOption, string)>();
        foreach (Option<string?> option in new[] { Common.Seed, Common.Device })
        {
            if (Get(option) is { } value)
                given.Add((OptionNames.Find(option), value));
        }

        foreach ((Option<string?> option, ConfigurationOption setting) in command.Settings)
        {
            if (IsGiven(option))
                given.Add((setting, Get(option) ?? "true"));
        }

        return given;
    }

    /// <summary>What this command calls a setting or another input: the option that was written for it, else the one that the
    /// command has for it, and of several the one that changes least else; where there is none, as in a file.</summary>
    /// <param name="path">As errors name it (<see cref="Setting"/>).</param>
    public string NameOf(string path)
    {
        string own = OptionNames.Of(path);
        if (command.Options.Concat(Common.All).Any(option => option.Name == own))
            return own;
        ConfigurationOption? typed =
            ConfigurationSources.InOrder(Settings()).Select(entry => entry.Option).LastOrDefault(option => option.Paths.Contains(
                path));
        ConfigurationOption? named = typed ?? command.Settings.Values.Where(option => option.Paths.Contains(path))
            .OrderBy(option => option.Paths.Count).ThenBy(option => !option.Listed).FirstOrDefault();
        return named is null ? path : OptionNames.Of(named);
    }

    /// <summary>Answers: the document with <c>--json</c>, otherwise the text; on standard output, or into the file of
    /// <c>--out</c>.</summary>
    /// <param name="document">What to serialise.</param>
    /// <param name="text">Writes the same for people.</param>
    /// <returns>The exit code of success.</returns>
    /// <exception cref="ConfigurationException">There is such a file already, or it cannot be written there.</exception>
    /// <exception cref="SideFileException">The file could be written before the work, and no more; the answer is on standard
    /// output.</exception>
    public int Answer(object document, Action<TextWriter> text)
    {
        if (!_answerTried)
            RequireAnswerFile();
        using var writer = new StringWriter { NewLine = "\n" };
        if (Json)
            writer.Write(RunJson.Write(document));
        else
            text(writer);
        if (Out is { } file)
        {
            try
            {
                AtomicFile.WriteAllText(file, PlainText.EscapeLines(writer.ToString()));
            }
            catch (ConfigurationException error)
            {
                Terminal.Out.Write(writer);
                throw Missing(error);
            }

            if (Json)
                Terminal.Out.Write(RunJson.Write(new { file = Path.GetFullPath(file) }));
            else if (!Quiet)
                Terminal.Error.WriteLine($"Written to {file}.");
        }
        else
        {
            Terminal.Out.Write(writer);
        }

        return ExitCodes.Done;
    }

    /// <summary>Writes a file beside a result that has been answered, so that its failure costs no result.</summary>
    /// <param name="write">Writes it.</param>
    /// <returns>The exit code of success.</returns>
    /// <exception cref="SideFileException">It cannot be written.</exception>
    public int Afterwards(Action write)
    {
        ConfigurationException? unseen = null;
        try
        {
            Terminal.Out.Flush();
        }
        catch (ConfigurationException error)
        {
            unseen = error;
        }

        try
        {
            write();
        }
        catch (ConfigurationException error)
        {
            throw Missing(error);
        }

        return unseen is null ? ExitCodes.Done : throw unseen;
    }

    /// <summary>Makes sure, before the work, that the file can be written that an option names.</summary>
    /// <param name="option">The option's name.</param>
    /// <param name="path">Its value; null where it was not given.</param>
    /// <param name="overwrite">Whether an existing file may be replaced without <c>--force</c>.</param>
    /// <exception cref="ConfigurationException">It cannot, or it exists.</exception>
    public void RequireFile(string option, string? path, bool overwrite = false)
    {
        if (path is not null)
            OutputPath.RequireFile(option, path, overwrite || Get(Common.Force));
    }

    /// <summary>Makes sure, before the work, that <see cref="Answer"/> can write the file of <c>--out</c>.</summary>
    /// <exception cref="ConfigurationException">It cannot, or it exists.</exception>
    public void RequireAnswerFile()
    {
        RequireFile(Common.Out.Name, Out);
        _answerTried = true;
    }

    private static SideFileException Missing(ConfigurationException error) =>
        new($"{error.Wording.TrimEnd('.')}; the result itself is complete.", error);

    /// <summary>Answers on standard output, whatever <c>--out</c> says.</summary>
    /// <param name="document">What to serialise with <c>--json</c>.</param>
    /// <param name="text">Writes the same for people.</param>
    /// <returns>The exit code of success.</returns>
    public int Print(object document, Action<TextWriter> text)
    {
        if (Json)
            Terminal.Out.Write(RunJson.Write(document));
        else
            text(Terminal.Out);
        return ExitCodes.Done;
    }

    /// <summary>Makes sure that a device has a known name.</summary>
    /// <exception cref="ConfigurationException">It does not.</exception>
    public static string CheckDevice(string device) =>
        DeviceCatalog.IsName(device) ? device : throw NearestName.Unknown("device", device, [.. DeviceCatalog.Names, "cuda:0"]);
}
