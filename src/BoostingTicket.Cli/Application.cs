using System.CommandLine;
using BoostingTicket.Cli.Commands;
using BoostingTicket.Cli.Hosting;
using BoostingTicket.Cli.Signals;
using BoostingTicket.Cli.Streams;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Ranks;
using BoostingTicket.Figures;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Training;
using BoostingTicket.Training.Data.Own;

namespace BoostingTicket.Cli;

/// <summary>The program from its arguments to its exit code.</summary>
internal static class Application
{
    /// <summary>Set to 1, it makes errors show where they arose.</summary>
    public const string DebugVariable = "BOOSTING_TICKET_DEBUG";

    /// <summary>Exit code of a defect of the program itself.</summary>
    public const int Defect = 1;

    /// <summary>Runs one command.</summary>
    /// <param name="arguments">The command line after the program's name.</param>
    /// <param name="terminal">Where to write.</param>
    /// <param name="cancellation">Asks the command to save and stop.</param>
    /// <param name="saving">Told of work that saves itself; null where nobody asks.</param>
    /// <param name="team">Processes that compute with this one; null for none.</param>
    /// <returns>The exit code, one of <see cref="ExitCodes"/>, or <see cref="Defect"/>.</returns>
    public static int Run(
        IReadOnlyList<string> arguments, Terminal terminal, CancellationToken cancellation, SavingWork? saving = null,
        RankTeam? team = null)
    {
        OwnDataSets.Decoder = new SkiaImageDecoder();
        // Names and notes of files are shown by many; no one of them can make the terminal do anything.
        terminal = terminal with { Out = new PlainWriter(terminal.Out), Error = new PlainWriter(terminal.Error) };
        var context = new ProgramContext(arguments, terminal, cancellation)
        {
            Saving = saving ?? new SavingWork(),
            Team = team,
        };
        RootCommand root = CreateRoot(context);
        ParseResult parsed = root.Parse(
            arguments, new ParserConfiguration { EnablePosixBundling = false, ResponseFileTokenReplacer = null });
        bool json = AnswersInJson(arguments);
        try
        {
            if (arguments.FirstOrDefault(argument => argument.Contains('\0')) is { } broken)
                throw new ConfigurationException(
                    $"The argument '{broken}' holds a null character, which no name has; leave it out.");
            if (ParseErrors.Describe(parsed) is { } mistake)
                throw new ConfigurationException(mistake);
            int code = parsed.Invoke(new InvocationConfiguration
            {
                Output = terminal.Out,
                Error = terminal.Error,
                EnableDefaultExceptionHandler = false,
                ProcessTerminationTimeout = null,
            });
            terminal.Out.Flush();
            return code;
        }
        catch (Exception error)
        {
            return Answer(error, json, terminal, context.NameOf);
        }
    }

    /// <summary>Whether a command line, which may be wrong, asks for JSON.</summary>
    /// <param name="arguments">The command line after the program's name.</param>
    internal static bool AnswersInJson(IReadOnlyList<string> arguments) => GivenOption.IsOn(arguments, "--json");

    /// <summary>Ends the process because a signal asked for it and the command, which has nothing to save, does not end by
    /// itself.</summary>
    /// <param name="arguments">The command line after the program's name.</param>
    /// <param name="terminal">Where to write.</param>
    public static void Abandon(IReadOnlyList<string> arguments, Terminal terminal)
    {
        // Whoever reads may have stopped reading.
        bool json = AnswersInJson(arguments);
        var said = new Thread(() => Answer(new OperationCanceledException(), json, terminal, path => path))
        {
            IsBackground = true,
        };
        said.Start();
        said.Join(TimeSpan.FromSeconds(2));
        Environment.Exit(ExitCodes.Interrupted);
    }

    /// <summary>Says what ended a command.</summary>
    /// <param name="error">What ended it.</param>
    /// <param name="json">Whether as a document too.</param>
    /// <param name="terminal">Where to write.</param>
    /// <param name="nameOf">What the command calls a setting.</param>
    /// <returns>The exit code.</returns>
    internal static int Answer(Exception error, bool json, Terminal terminal, Func<string, string> nameOf)
    {
        (int code, string message) = Explain(error, nameOf);
        // With a side file alone missing, the result has been printed, and it is one document.
        if (json && error is not SideFileException)
            terminal.Out.Write(RunJson.Write(new { error = message, exitCode = code }));
        terminal.Error.WriteLine(message);
        if (Environment.GetEnvironmentVariable(DebugVariable) == "1")
            terminal.Error.WriteLine(error);
        try
        {
            terminal.Out.Flush();
        }
        catch (ConfigurationException)
        {
            // What is wrong is said; a document that cannot be written changes nothing about it.
        }

        return code;
    }

    /// <summary>The whole command tree.</summary>
    public static RootCommand CreateRoot(ProgramContext context)
    {
        var root = new RootCommand(
            "Finds boosting tickets: trains a weakly robust network, prunes it once, resets what is left and retrains it "
            + "robustly.")
        {
            RunCommand.Create(context),
            TrainCommand.Create(context),
            PruneCommand.Create(context),
            RetrainCommand.Create(context),
            EvaluateCommand.Create(context),
            TransferCommand.Create(context),
            ExperimentCommand.Create(context),
            SweepCommand.Create(context),
            RunsCommand.Create(context),
            CompareCommand.Create(context),
            ProfileCommand.Create(context),
            ModelsCommand.Create(context),
            DevicesCommand.Create(context),
            DataCommand.Create(context),
            InspectCommand.Create(context),
            ImportCommand.Create(context),
            ExportCommand.Create(context),
            CompletionCommand.Create(context),
        };
        foreach (Option option in context.Common.All)
            root.Options.Add(option);
        HelpWriter.Install(root, context);
        return root;
    }

    /// <summary>Exit code and sentence of what ended a command.</summary>
    /// <param name="error">What ended it.</param>
    /// <param name="nameOf">What the command calls a setting.</param>
    internal static (int Code, string Message) Explain(Exception error, Func<string, string> nameOf) => error switch
    {
        BoostingTicketException known => (known.ExitCode, known.MessageWith(nameOf)),
        TeamException team => (team.ExitCode, team.Message),
        DeviceException device => (ExitCodes.Device, device.Message),
        OutOfMemoryException => (ExitCodes.Device,
            "There is not enough memory; use a smaller model, smaller batches or fewer training samples."),
        OperationCanceledException => (ExitCodes.Interrupted, "Interrupted; run the same command again to continue."),
        _ => (Defect,
            $"The program failed where it should not: {error.Message.ReplaceLineEndings(" ").TrimEnd('.')}; set "
            + $"{DebugVariable}=1 to see where, and report it."),
    };
}
