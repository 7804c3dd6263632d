using System.CommandLine;
using System.Globalization;
using BoostingTicket.Cli.Hosting;
using BoostingTicket.Cli.Progress;
using BoostingTicket.Runs.Reporting;
using BoostingTicket.Training.Data;
using BoostingTicket.Training.Data.Own;
using BoostingTicket.Training.Models;

namespace BoostingTicket.Cli.Commands;

/// <summary><c>data</c>: the data sets, what of them is there, and how to get the rest.</summary>
internal static class DataCommand
{
    /// <summary>The command with its subcommands.</summary>
    public static Command Create(ProgramContext context)
    {
        var command = new CommandLineCommand("data", "Lists, downloads and describes data sets.", context)
        {
            Examples =
            [
                ("data list", "the data sets and whether they are there"),
                ("data fetch cifar10", "download CIFAR-10 into ./data"),
                ("data info mnist --data /srv/data", "read MNIST and describe it"),
            ],
            Details =
            [
                $"Data sets are looked for in the folder of --data, else of the variable {DataRoot.EnvironmentVariable}, else in "
                    + $"./{DataRoot.DefaultFolder}.",
            ],
        };
        command.Subcommands.Add(CreateList(context));
        command.Subcommands.Add(CreateFetch(context));
        command.Subcommands.Add(CreateInfo(context));
        return command;
    }

    private static CommandLineCommand CreateList(ProgramContext context)
    {
        Option<string?> root = CommonOptions.CreateDataOption();
        var command = new CommandLineCommand("list", "Lists the data sets and whether their files are there.", context)
        {
            Examples = [("data list", "the data sets"), ("data list --data /srv/data", "the same for another folder")],
        };
        command.Options.Add(root);
        return command.Executes(invocation =>
        {
            string folder = DataRoot.Resolve(invocation.Get(root));
            var sets = DataSetCatalog.All.Select(set => new
            {
                set.Name,
                set.Description,
                Shape = set.Shape.ToString(),
                Classes = set.Classes.Count,
                State = StateOf(set, folder),
            }).ToList();
            return invocation.Answer(new { folder = Path.GetFullPath(folder), sets }, writer =>
            {
                var table = new TextTable("data set", "state", "images", "what");
                foreach (var set in sets)
                    table.Add(set.Name, set.State, set.Shape, set.Description);
                table.Write(writer);
                writer.WriteLine($"Data folder: {Path.GetFullPath(folder)}");
            });
        });
    }

    private static CommandLineCommand CreateFetch(ProgramContext context)
    {
        Option<string?> root = CommonOptions.CreateDataOption();
        Argument<string> name = CreateNameArgument();
        var command = new CommandLineCommand("fetch", "Downloads a data set from its publisher, checks and unpacks it.", context)
        {
            Examples =
            [
                ("data fetch mnist", "into ./data; an interrupted download continues where it stopped"),
                ("data fetch cifar10 --data /srv/data", "into another folder"),
            ],
            Lists = [("Data sets", DataSets)],
        };
        command.Arguments.Add(name);
        command.Options.Add(root);
        return command.Executes(invocation =>
        {
            IDataSet set = DataSetCatalog.Find(invocation.Get(name)!);
            string folder = invocation.Get(root) ?? invocation.Out ?? DataRoot.Resolve(null);
            using var client = new HttpClient { Timeout = Timeout.InfiniteTimeSpan };
            var progress = invocation.Quiet ? null : new FetchLines(invocation.Terminal);
            IReadOnlyList<string> files =
                new DataFetcher(client).FetchAsync(set, folder, progress, invocation.Cancellation).GetAwaiter().GetResult();
            progress?.End();
            string path = Path.GetFullPath(folder);
            return invocation.Print(new { set.Name, folder = path, downloaded = files }, writer => writer.WriteLine(
                files.Count == 0 ? $"{set.Name} is already complete in {path}." : $"{set.Name} is complete in {path}."));
        });
    }

    private static CommandLineCommand CreateInfo(ProgramContext context)
    {
        Option<string?> root = CommonOptions.CreateDataOption();
        Argument<string> name = CreateNameArgument("data set or path", ", or the path of a .npz file or of a folder of images");
        var command = new CommandLineCommand("info", "Reads a data set, checks it and describes it.", context)
        {
            Examples =
            [
                ("data info mnist", "sizes, classes, means, deviations and hashes"),
                ("data info synthetic-28 --json", "the same for a script"),
                ("data info photos", "checks a folder of images by class, such as photos/train/cat/1.png"),
                ("data info faces.npz", "checks images and labels of NumPy, x_train, y_train, x_test and y_test"),
            ],
            Lists = [("Data sets", DataSets)],
        };
        command.Arguments.Add(name);
        command.Options.Add(root);
        return command.Executes(invocation =>
        {
            IDataSet set = DataSetCatalog.Find(invocation.Get(name)!);
            DataSplit split = set.Load(new DataSetOptions(invocation.Get(root)));
            var halves = new[] { ("train", split.Train), ("test", split.Test) }.Select(half => new
            {
                Part = half.Item1,
                Samples = half.Item2.Count,
                PerClass = CountClasses(half.Item2),
                half.Item2.ContentHash,
            }).ToList();
            bool generated = set.IsGenerated;
            var own = set as OwnDataSet;
            InputNormalizationConstants normalization = DataNormalization.For(split.Train);
            return invocation.Answer(
                new
                {
                    set.Name,
                    set.Description,
                    generated,
                    Shape = set.Shape.ToString(),
                    set.Classes,
                    normalization,
                    parts = halves,
                    own?.Fingerprint,
                    own?.Notes,
                },
                writer =>
            {
                writer.WriteLine($"{set.Name}: {set.Description}");
                writer.WriteLine($"Images: {set.Shape}");
                if (generated)
                    writer.WriteLine("Built in and fixed: every run has these images, whatever its --seed.");
                var table = new TextTable(["class", .. halves.Select(half => ">" + half.Part)]);
                for (int label = 0; label < set.Classes.Count; label++)
                    table.Add([set.Classes[label], .. halves.Select(
                        half => half.PerClass[label].ToString("N0", CultureInfo.InvariantCulture))]);
                table.Add(["all", .. halves.Select(half => half.Samples.ToString("N0", CultureInfo.InvariantCulture))]);
                table.Write(writer);
                writer.WriteLine(
                    $"Normalisation: mean {ImportCommand.Numbers(normalization.Mean)}, deviation "
                    + $"{ImportCommand.Numbers(normalization.Deviation)}");
                foreach (string note in own?.Notes ?? [])
                    writer.WriteLine($"Note: {note}");
                if (own is not null)
                    writer.WriteLine($"Fingerprint: {own.Fingerprint}");
                foreach (var half in halves)
                    writer.WriteLine($"SHA-256 of {half.Part}: {half.ContentHash}");
            });
        });
    }

    private static IReadOnlyList<(string Name, string Description)> DataSets =>
        [.. DataSetCatalog.All.Select(set => (set.Name, set.Description))];

    private static Argument<string> CreateNameArgument(string help = "data set", string more = "") => new("name")
    {
        HelpName = help,
        Description = $"name of a data set; see the list above{more}",
    };

    // A look at the files' names only: checking gigabytes of checksums is not for a list.
    private static string StateOf(IDataSet set, string root)
    {
        if (set.Files.Count == 0)
            return "built in";
        return set.IsThere(root) ? "there" : "not there; data fetch " + set.Name;
    }

    private static int[] CountClasses(ImageSet set)
    {
        int[] counts = new int[set.Classes.Count];
        foreach (byte label in set.Labels)
            counts[label]++;
        return counts;
    }
}
