using System.CommandLine;
using System.Globalization;
using BoostingTicket.Cli.Hosting;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Runs.Experiments;
using BoostingTicket.Runs.Folders;
using BoostingTicket.Runs.Reporting;
using BoostingTicket.Training.Files;
using BoostingTicket.Training.Models;

namespace BoostingTicket.Cli.Commands;

/// <summary><c>models</c>: the networks there are, with their sizes.</summary>
internal static class ModelsCommand
{
    /// <summary>The command.</summary>
    public static Command Create(ProgramContext context)
    {
        var name = new Argument<string?>("name")
        {
            HelpName = "model",
            Description = "show this model only; any name of the forms above, such as wrn-16-4",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var command = new CommandLineCommand(
            "models", "Lists the networks with parameters, prunable weights and multiply-adds.", context)
        {
            Examples =
            [
                ("models", "the networks of the paper, LeNets and others"),
                ("models resnet18-w16", "one network, here ResNet-18 with 16 channels in the first stage"),
                ("models --json", "the same for a script"),
            ],
            Lists = [("Names", [.. ModelCatalog.Families.Select(family => (family.Syntax, family.Description))])],
        };
        command.Arguments.Add(name);
        return command.Executes(invocation =>
        {
            IReadOnlyList<ModelInfo> models = invocation.Get(name) is { } one
                ? [ModelCatalog.Describe(one)]
                : ModelCatalog.DescribeAll();
            return invocation.Answer(models, writer => Write(writer, models));
        });
    }

    /// <summary>Answers with Table 4 of the paper: the networks that are in it.</summary>
    /// <param name="invocation">Where to.</param>
    /// <param name="files">Its folder, as other experiments have one; null for none.</param>
    public static int AnswerTable4(Invocation invocation, ExperimentFolder? files)
    {
        IReadOnlyList<ModelInfo> models = [.. ModelCatalog.DescribeAll().Where(model => model.PaperParameters is not null)];
        if (files is not null)
        {
            using RunLock held = RunLock.Acquire(files.Root);
            using var text = new StringWriter { NewLine = "\n" };
            Write(text, models);
            AtomicFile.WriteAllText(files.Summary, $"# Table 4\n\n```\n{text}```\n");
            AtomicFile.WriteAllText(files.Result, RunJson.Write(models));
        }

        return invocation.Print(models, writer => Write(writer, models));
    }

    private static void Write(TextWriter writer, IReadOnlyList<ModelInfo> models)
    {
        var table = new TextTable(
            "model", ">parameters", ">paper", ">difference", ">prunable", ">MiB", ">paper", ">multiply-adds", "input", "note");
        foreach (ModelInfo model in models)
        {
            table.Add(
                model.Name, Number(model.Parameters), model.PaperParameters is { } paper ? Number(paper) : "",
                model.PaperParameters is { } printed ? Number(model.Parameters - printed) : "", Number(model.PrunableWeights),
                model.SizeMiB.ToString("F2", CultureInfo.InvariantCulture),
                model.PaperSizeMiB?.ToString("F2", CultureInfo.InvariantCulture) ?? "",
                Number(model.MultiplyAdds), model.Input.ToString(),
                model.Note is null ? "" : $"[{Footnotes(models).IndexOf(model.Note) + 1}]");
        }

        table.Write(writer);
        foreach ((string note, int index) in Footnotes(models).Select((note, index) => (note, index)))
            writer.WriteLine(string.Create(CultureInfo.InvariantCulture, $"[{index + 1}] {note}"));
    }

    private static List<string> Footnotes(IReadOnlyList<ModelInfo> models) =>
        [.. models.Select(model => model.Note).OfType<string>().Distinct()];

    private static string Number(long value) => value.ToString("N0", CultureInfo.InvariantCulture);
}
