using BoostingTicket.Runs.Configuration;
using BoostingTicket.Runs.Experiments;
using BoostingTicket.Runs.Experiments.Nodes;
using BoostingTicket.Runs.Experiments.Reports;
using BoostingTicket.Runs.Folders;
using BoostingTicket.Runs.Reporting;
using BoostingTicket.Runs.Stages;
using BoostingTicket.Training.Progress;
using BoostingTicket.Training.Testing;

namespace BoostingTicket.Runs.Tests.Experiments;

/// <summary>The report of an experiment, from a result made by hand.</summary>
internal sealed class ExperimentHtmlTests
{
    private const string Command = "boosting-ticket experiment table5 --data \"a & b\"";

    private static ExperimentResult Result => new(
        "full network <against> tickets", new ExperimentSources("table5", null, []).Compose(),
        new Dictionary<string, string> { ["device"] = "cpu: 2 threads", ["system"] = "a \"system\" & more" },
        "Not comparable: the data are other.",
        [
            new ComparedRow("boosting ticket", "test accuracy", QuantityUnit.Percent, new PaperValue(
                99.23, "Table 5"), new Spread(99.06, 0.12, 3)),
            new ComparedRow("boosting ticket", "best epoch", QuantityUnit.Epochs, null, new Spread(7.5, 0, 1)),
        ],
        Figure: null, [new TicketRow("lenet <ticket>", 2, 0.8, 0.7, 0.65, null)], ["Two masks & one donor."],
        [
            new TrainingRow("lenet donor", 0, "training-1 2", new TrainingRecord(
                [
                    new EpochRecord(1, 0.1, 2, 0.3, 0.4, null, new PhaseTimes(1, 2, 3, 4)),
                    new EpochRecord(2, 0.1, 2, 0.3, 0.4, null, new PhaseTimes(10, 20, 30, 40)),
                ],
                2, 2, 66, "hash", null)),
        ]);

    private static string Write() => ExperimentHtml.Write(new ExperimentFolder("root", "table5"), Result, Command);

    [Test]
    public void Numbers_stand_beside_the_papers_with_their_difference()
    {
        string page = Write();
        string[] cells = ["99.23", "99.06\u00a0±\u00a00.12", "−0.17", "7.5", "–"];
        Assert.Multiple(() =>
        {
            foreach (string cell in cells)
                Assert.That(page, Does.Contain($">{cell}</td>"));
            Assert.That(page, Does.Contain("Not comparable: the data are other."));
        });
    }

    [Test]
    public void Names_from_outside_are_text_and_not_markup()
    {
        string page = Write();
        Assert.Multiple(() =>
        {
            Assert.That(page, Does.Contain("full network &lt;against&gt; tickets").And.Contain("lenet &lt;ticket&gt;"));
            Assert.That(page, Does.Not.Contain("<against>").And.Not.Contain("<ticket>"));
            Assert.That(page, Does.Contain("Two masks &amp; one donor."));
            Assert.That(page, Does.Contain("a &amp; b"));
        });
    }

    [Test]
    public void Phases_are_summed_over_epochs_and_link_to_the_trainings_page()
    {
        using var root = new TemporaryFolder();
        var folder = new ExperimentFolder(root.Path, "table5");
        string store = Path.Combine(folder.Store, "training-1 2");
        Directory.CreateDirectory(store);
        Assert.That(ExperimentHtml.Write(folder, Result, Command), Does.Not.Contain("href="), "there is no page yet");
        File.WriteAllText(new RunFolder(store).Configuration, RunJson.Write(new RunConfiguration()));
        TrainingPages.Write(folder, Result.Trainings, Result.Environment, Command);
        Assert.That(File.ReadAllText(new RunFolder(store).Report), Does.Contain("lenet donor").And.Contain("<svg"));
        string page = ExperimentHtml.Write(folder, Result, Command);
        int at = page.IndexOf("lenet donor", StringComparison.Ordinal);
        string row = page[page.LastIndexOf("<tr", at, StringComparison.Ordinal)..page.IndexOf(
            "</tr>", at, StringComparison.Ordinal)];
        Assert.Multiple(() =>
        {
            foreach (string seconds in (string[])["11.0", "22.0", "33.0", "44.0"])
                Assert.That(row, Does.Contain($">{seconds}</td>"));
            Assert.That(row, Does.Contain("href=\"../store/training-1%202/report.html\""));
        });
    }

    [Test]
    public void The_page_of_a_training_names_its_own_machine()
    {
        string Page(params TrainingMachine[]? machines)
        {
            using var root = new TemporaryFolder();
            var folder = new ExperimentFolder(root.Path, "table5");
            TrainingRow row = Result.Trainings[0] with { Record = Result.Trainings[0].Record with { Machines = machines } };
            var files = new RunFolder(Path.Combine(folder.Store, row.Folder));
            Directory.CreateDirectory(files.Root);
            File.WriteAllText(files.Configuration, RunJson.Write(new RunConfiguration()));
            TrainingPages.Write(folder, [row], Result.Environment, Command);
            return File.ReadAllText(files.Report);
        }

        string elsewhere = Page(new TrainingMachine("cuda: a GPU", "a host"), new TrainingMachine("cuda: another GPU", "a host"));
        Assert.That(elsewhere, Does.Contain("cuda: a GPU, then cuda: another GPU").And.Contain(">a host<"));
        foreach (string page in (string[])[elsewhere, Page(null)])
            Assert.That(page, Does.Not.Contain("cpu: 2 threads").And.Not.Contain("a &quot;system&quot;"));
    }

    [Test]
    public void Nothing_is_asked_of_the_network()
    {
        string page = Write();
        Assert.That(page, Does.Not.Match("""(src|href)\s*=\s*["']?(https?:)?//"""));
        Assert.That(page, Does.Not.Contain("@import").And.Not.Contain("url(http"));
    }
}
