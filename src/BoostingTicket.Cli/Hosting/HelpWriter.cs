using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using BoostingTicket.Runs.Reporting;
using BoostingTicket.Training;

namespace BoostingTicket.Cli.Hosting;

/// <summary>Writes the help of a command: what it does, examples, and its options under headings.</summary>
internal static class HelpWriter
{
    private const int Indent = 2;
    private const int NameColumn = 34;

    private static readonly (int Code, string Meaning)[] Codes =
    [
        (ExitCodes.Done, "done"),
        (ExitCodes.Configuration, "wrong usage or configuration"),
        (ExitCodes.Data, "data missing or damaged"),
        (ExitCodes.Device, "device cannot be used"),
        (ExitCodes.Diverged, "training diverged"),
        (ExitCodes.DamagedFile, "file damaged"),
        (ExitCodes.SideFile, "done, but a file that was also asked for could not be written"),
        (ExitCodes.Ranks, "another process of an MPI job was killed, hangs or has other weights; can be resumed"),
        (ExitCodes.Interrupted, "interrupted, can be resumed"),
    ];

    /// <summary>Makes the help option of a command tree write this help.</summary>
    public static void Install(RootCommand root, ProgramContext context)
    {
        HelpOption help = root.Options.OfType<HelpOption>().Single();
        help.Description = "show this help";
        help.Action = new HelpWriterAction(context);
    }

    /// <summary>Writes the help of the command that was parsed.</summary>
    internal sealed class HelpWriterAction(ProgramContext context) : SynchronousCommandLineAction
    {
        /// <inheritdoc/>
        public override bool ClearsParseErrors => true;

        /// <inheritdoc/>
        public override int Invoke(ParseResult parseResult)
        {
            Command command = parseResult.CommandResult.Command;
            HelpDefaults? defaults = command is CommandLineCommand known ? HelpDefaults.Find(parseResult, known) : null;
            Write(context, command, ParseErrors.PathOf(parseResult.CommandResult), defaults);
            return ExitCodes.Done;
        }
    }

    private static void Write(ProgramContext context, Command command, string path, HelpDefaults? defaults)
    {
        (TextWriter writer, int width) = (context.Terminal.Out, context.Terminal.Width);
        var known = command as CommandLineCommand;
        Paragraph(writer, width, 0, command.Description ?? "");
        foreach (string detail in known?.Details ?? [])
        {
            writer.WriteLine();
            Paragraph(writer, width, 0, detail);
        }

        writer.WriteLine();
        writer.WriteLine("Usage:");
        string arguments = string.Concat(command.Arguments.Select(argument => $" <{argument.HelpName ?? argument.Name}>"));
        writer.WriteLine($"  {path}{(command.Subcommands.Count > 0 ? " <command>" : "")}{arguments} [options]");
        writer.WriteLine();
        writer.WriteLine("Examples:");
        foreach ((string line, string meaning) in known?.Examples ?? RootExamples)
        {
            writer.WriteLine($"  {ProgramContext.Name} {line}");
            Paragraph(writer, width, 6, meaning);
        }

        foreach ((string heading, IReadOnlyList<(string, string)> rows) in known?.Lists ?? [])
            Section(writer, width, heading, rows.Select(Plain));
        if (defaults is not null)
        {
            writer.WriteLine();
            Paragraph(
                writer, width, 0,
                $"The defaults below are: {defaults.Source}. Name a preset or a data set before --help to see others.");
        }
        Section(writer, width, "Commands", command.Subcommands.Select(sub => Plain((sub.Name, sub.Description ?? ""))));
        Section(
            writer, width, "Arguments",
            command.Arguments.Select(argument => Plain(($"<{argument.HelpName ?? argument.Name}>", argument.Description ?? ""))));
        var own = command.Options.Where(
            option => !option.Hidden && !option.Recursive && option is not (HelpOption or VersionOption)).ToList();
        Section(writer, width, "Options", own.Where(option => known is null || !known.Headings.ContainsKey(option)).Select(
            option => Row(option, known, defaults)));
        foreach (IGrouping<string, Option> group in own.Where(option => known?.Headings.ContainsKey(option) == true).GroupBy(
            option => known!.Headings[option]))
        {
            Section(writer, width, group.Key, group.Select(option => Row(option, known, defaults)));
            if (group.Key == "Training" && known!.Settings.Values.Any(setting => !setting.Listed))
            {
                Paragraph(writer, width, Indent,
                    "These set the training of donor, tickets and baseline. To set only one of them, put donor-, retrain- or "
                    + "dense- before the name: --donor-learning-rate 0.05, --dense-epochs 20.");
            }
        }

        Section(writer, width, "Common", context.Common.All.Select(option => Row(option, known, defaults)).Append(
            Plain(("--help", "show this help"))).Concat(
            command is RootCommand ? [Plain(("--version", "show the version"))] : []));
        if (command is RootCommand)
        {
            Section(writer, width, "Exit codes", Codes.Select(
                code => Plain((code.Code.ToString(System.Globalization.CultureInfo.InvariantCulture), code.Meaning))));
        }
    }

    private static readonly (string Line, string Meaning)[] RootExamples =
    [
        ("run", "find and retrain a ticket on built-in images, in about two minutes on two cores"),
        ("run --preset mnist-lenet --out runs/mnist", "Table 5 of the paper"),
        ("data fetch cifar10", "download CIFAR-10 into ./data"),
        ("run --help", "all options of a command"),
    ];

    /// <summary>A line of a section, with the words that it takes below.</summary>
    private readonly record struct HelpRow(
        string Name, string Description, IReadOnlyList<(string Word, string Description)> Words);

    private static HelpRow Plain((string Name, string Description) row) => new(row.Name, row.Description, []);

    private static HelpRow Row(Option option, CommandLineCommand? command, HelpDefaults? defaults)
    {
        bool isSwitch = option is Option<bool>;
        return new HelpRow(
            isSwitch ? option.Name : $"{option.Name} {option.HelpName}", (option.Description ?? "") + defaults?.Of(option),
            command?.WordsOf(option) ?? []);
    }

    private static void Section(TextWriter writer, int width, string title, IEnumerable<HelpRow> rows)
    {
        var lines = rows.ToList();
        if (lines.Count == 0)
            return;
        writer.WriteLine();
        writer.WriteLine($"{title}:");
        foreach (HelpRow row in lines)
        {
            string start = new string(' ', Indent) + row.Name;
            int room = Math.Max(width - NameColumn, 30);
            string inset = new(' ', Indent);
            IEnumerable<string> wrapped = TextWrap.Lines(row.Description, room).Concat(
                row.Words.SelectMany(entry => TextWrap.Lines($"{entry.Word}: {entry.Description}", room - Indent).Select(
                    (line, index) => index == 0 ? inset + line : inset + inset + line)));
            if (start.Length >= NameColumn - 1)
            {
                writer.WriteLine(start);
                start = "";
            }

            foreach (string line in wrapped)
            {
                writer.WriteLine(start.PadRight(NameColumn) + line);
                start = "";
            }
        }
    }

    private static void Paragraph(TextWriter writer, int width, int indent, string text)
    {
        foreach (string line in TextWrap.Lines(text, width - indent))
            writer.WriteLine(new string(' ', indent) + line);
    }
}
