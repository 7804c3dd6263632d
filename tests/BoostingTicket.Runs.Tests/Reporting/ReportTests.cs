using System.Globalization;
using System.Xml;
using System.Xml.Linq;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Runs.Folders;
using BoostingTicket.Runs.Reporting;
using BoostingTicket.Runs.Stages;
using BoostingTicket.Training.Progress;

namespace BoostingTicket.Runs.Tests.Reporting;

internal sealed class ReportTests
{
    [Test]
    public void Share_of_measured_steps_is_that_of_each_seed_and_needs_two()
    {
        RunResult Of(params (double Dense, double Ticket)[] seeds)
        {
            RunResult run = SampleRun.Create(seeds.Length, arms: [Arm.Dense, Arm.Ticket]);
            return run with
            {
                Seeds =
                [
                    .. run.Seeds.Zip(seeds, (seed, times) => seed with
                    {
                        Arms =
                        [
                            .. seed.Arms.Select(arm => arm with
                            {
                                Step = new StepWork(100, null, arm.Arm == Arm.Dense ? times.Dense : times.Ticket),
                            }),
                        ],
                    }),
                ],
            };
        }

        string[] Ticket(RunResult result) => [.. StepTable.Cells(result).Rows[1].TakeLast(2)];
        Assert.That(Ticket(Of((0.1, 0.05))), Is.EqualTo(new[] { "50.0", "–" }));
        // The share of the means would be 47.5 %.
        Assert.That(Ticket(Of((0.1, 0.05), (0.3, 0.14))), Is.EqualTo(new[] { "95.0", "48.3 ± 2.4" }));
    }

    private const string CommandLine = "boosting-ticket run --out \"a <b> & c\"";

    [TestCase(1, false)]
    [TestCase(3, true)]
    public void Html_is_well_formed_and_has_every_arm(int seeds, bool earlyStopping)
    {
        RunResult run = SampleRun.Create(seeds, earlyStopping);
        XDocument html = Parse(HtmlReport.Write(run, CommandLine));
        IEnumerable<string?> arms = html.Descendants("tr").Select(row => row.Attribute("data-arm")?.Value).Where(
            arm => arm is not null);
        Assert.That(arms, Is.EqualTo(new[] { "dense", "ticket", "winning", "reinit", "shuffle" }));
        Assert.That(html.Descendants("svg").Count(), Is.EqualTo(6));
        foreach (string arm in new[] { "dense", "ticket", "winning", "reinit", "shuffle", "donor" })
        {
            int curves = html.Descendants("polyline").Count(line => line.Attribute("class")!.Value.Split(' ').Contains(arm));
            Assert.That(curves, Is.EqualTo(4 * (seeds == 1 ? 1 : seeds + 1)), arm);
        }

        Assert.That(
            html.Root!.Value, Does.Contain(SampleRun.Warning).And.Contain(CommandLine).And.Contain(run.ConfigurationHash));
        Assert.That(html.Descendants("th").Any(header => header.Value == "stopped at"), Is.EqualTo(earlyStopping));
    }

    [Test]
    public void Html_needs_no_other_file()
    {
        XDocument html = Parse(HtmlReport.Write(SampleRun.Create(), CommandLine));
        string[] loading = ["src", "href", "data", "action", "poster", "srcset"];
        Assert.That(html.Descendants().SelectMany(element => element.Attributes()).Select(
            attribute => attribute.Name.LocalName), Has.None.AnyOf(loading));
        Assert.That(
            html.Descendants().Select(element => element.Name.LocalName), Has.None.AnyOf("script", "link", "img", "iframe"));
        Assert.That(html.Descendants("style").Single().Value, Does.Not.Contain("url(").And.Not.Contain("@import"));
    }

    [Test]
    public void Html_draws_only_inside_the_images()
    {
        XDocument html = Parse(HtmlReport.Write(SampleRun.Create(3), CommandLine));
        foreach (XElement svg in html.Descendants("svg"))
        {
            double[] box = [.. svg.Attribute("viewBox")!.Value.Split(' ').Select(Number)];
            foreach (XElement line in svg.Descendants("polyline"))
            {
                foreach (double[] point in line.Attribute("points")!.Value.Split(' ').Select(
                    point => point.Split(',').Select(Number).ToArray()))
                {
                    Assert.That(point[0], Is.InRange(0, box[2]));
                    Assert.That(point[1], Is.InRange(0, box[3]));
                }
            }

            foreach (XElement bar in svg.Descendants("rect"))
                Assert.That(
                    Number(bar.Attribute("x")!.Value) + Number(bar.Attribute("width")!.Value), Is.LessThanOrEqualTo(box[2]));
        }
    }

    [Test]
    public void Html_of_a_run_without_tickets_says_no_more_than_it_knows()
    {
        RunResult run = SampleRun.Create(1, false, Arm.Dense);
        RunResult dense = run with { Seeds = [run.Seeds[0] with { Donor = [], DonorTest = null, Sparsity = [], Warnings = [] }] };
        XDocument html = Parse(HtmlReport.Write(dense, CommandLine));
        Assert.That(html.Root!.Value, Does.Not.Contain("donor itself").And.Not.Contain("Kept weights"));
        Assert.That(RunSummary.Finding(dense), Is.Null);
    }

    [Test]
    public void Csv_has_a_row_for_every_epoch_and_reads_back()
    {
        RunResult run = SampleRun.Create(2);
        string[] lines = MetricsCsv.Write(run).TrimEnd('\n').Split('\n');
        int epochs = run.Seeds.Sum(seed => seed.Donor.Count + seed.Arms.Sum(arm => arm.History.Count));
        Assert.That(lines, Has.Length.EqualTo(epochs + 1));
        string[] header = lines[0].Split(',');
        Assert.That(lines.Select(line => line.Split(',').Length), Is.All.EqualTo(header.Length));
        EpochRecord first = run.Seeds[0].Donor[0];
        string[] cells = lines[1].Split(',');
        Assert.That(cells[Array.IndexOf(header, "stage")], Is.EqualTo("donor"));
        Assert.That(Number(cells[Array.IndexOf(header, "train_loss")]), Is.EqualTo(first.TrainLoss));
        Assert.That(Number(cells[Array.IndexOf(header, "validation_clean")]), Is.EqualTo(first.ValidationClean));
        Assert.That(cells[Array.IndexOf(header, "validation_robust")], Is.Empty);
    }

    [Test]
    public void Markdown_has_a_table_of_equal_rows()
    {
        string markdown = MarkdownReport.Write(SampleRun.Create(), CommandLine);
        List<string> table = [.. markdown.Split('\n').Where(line => line.StartsWith("| ", StringComparison.Ordinal))];
        Assert.That(table, Has.Count.EqualTo(2 + 5));
        Assert.That(table.Select(line => line.Count(character => character == '|')), Is.All.EqualTo(
            table[0].Count(character => character == '|')));
        Assert.That(markdown, Does.Contain(CommandLine).And.Contain("± "));
    }

    [Test]
    public void Summary_gives_mean_deviation_and_ratio()
    {
        ArmSummary ticket = RunSummary.Of(SampleRun.Create(2)).Single(row => row.Arm == Arm.Ticket);
        Assert.That(ticket.Clean.Mean, Is.EqualTo(0.7885).Within(1e-12));
        Assert.That(ticket.Clean.Deviation, Is.EqualTo(0.003 / Math.Sqrt(2)).Within(1e-12));
        Assert.That(ticket.TimeRatio!.Value.Mean, Is.EqualTo((50.0 / 40 + 51.0 / 40) / 2).Within(1e-12));
        Assert.That(RunSummary.Of(SampleRun.Create(1, false, Arm.Ticket))[0].TimeRatio, Is.Null);
    }

    [Test]
    public void Summary_counts_work_of_donor_and_arm()
    {
        ArmSummary[] rows = [.. RunSummary.Of(SampleRun.Create(2))];
        ArmSummary dense = rows[0], ticket = rows.Single(row => row.Arm == Arm.Ticket);
        // Eight epochs, and six of the donor.
        Assert.That(dense.Steps!.Value.Mean, Is.EqualTo(8 * SampleRun.Steps));
        Assert.That(ticket.Steps!.Value.Mean, Is.EqualTo((8 + 6) * SampleRun.Steps));
        Assert.That(ticket.Operations!.Value.Mean, Is.EqualTo((8 + 6) * SampleRun.Operations).Within(1e-3));
        Assert.That(ticket.ProcessorSeconds!.Value.Mean, Is.EqualTo((8 + 6) * SampleRun.ProcessorSeconds).Within(1e-9));
        Assert.That(ticket.OperationRatio, Is.EqualTo(new Spread(14.0 / 8, 0, 2)));
        Assert.That(dense.OperationRatio, Is.EqualTo(new Spread(1, 0, 2)));
    }

    [Test]
    public void One_seed_gives_no_ratio_of_times_and_no_headline_of_them()
    {
        RunResult one = SampleRun.Create(1);
        Assert.That(TableText.Cells(one).Headers, Has.None.Contain("s of dense"));
        Assert.That(TableText.Cells(SampleRun.Create(2)).Headers, Has.Some.EqualTo(">s of dense"));
        Assert.That(RunSummary.Finding(one), Does.EndWith("took 1.75 times the baseline's operations."));
        Assert.That(RunSummary.Finding(one), Does.Not.Contain("time ").And.Not.Contain("second"));
    }

    [Test]
    public void Result_of_a_program_that_did_not_count_has_dashes()
    {
        RunResult run = SampleRun.Create(1);
        SeedResult seed = run.Seeds[0];
        RunResult old = run with
        {
            Seeds =
            [
                seed with
                {
                    Arms = [.. seed.Arms.Select(arm => arm with
                    {
                        History = [.. arm.History.Select(epoch => epoch with { Work = null })],
                    })],
                },
            ],
        };
        (IReadOnlyList<string> headers, IReadOnlyList<IReadOnlyList<string>> rows) = TableText.Cells(old);
        int steps = headers.ToList().IndexOf(">steps");
        Assert.That(rows.SelectMany(row => row.Skip(steps).Take(4)), Is.All.EqualTo("–"));
        Assert.That(RunSummary.Finding(old), Does.Not.Contain("operations"));
    }

    [TestCase(0, false)]
    [TestCase(0.9, true)]
    public void Caption_says_whether_the_machine_was_busy(double disturbed, bool said)
    {
        RunResult run = SampleRun.Create(1);
        SeedResult seed = run.Seeds[0];
        RunResult busy = run with
        {
            Seeds =
            [
                seed with
                {
                    Donor = [.. seed.Donor.Select(epoch => epoch with
                    {
                        Work = epoch.Work!.Value with { DisturbedSeconds = disturbed * epoch.Work.Value.WallSeconds },
                    })],
                },
            ],
        };
        Assert.That(TableText.Caption(busy).Contains("The machine was busy", StringComparison.Ordinal), Is.EqualTo(said));
    }

    [Test]
    public void Terminal_table_is_aligned()
    {
        using var writer = new StringWriter { NewLine = "\n" };
        TableText.Write(SampleRun.Create(3, earlyStopping: true), writer, 100);
        string[] lines = writer.ToString().Split('\n');
        Assert.That(lines[0].Length, Is.EqualTo(lines[1].Length));
        Assert.That(lines[2], Does.StartWith("dense"));
        Assert.That(lines[3], Does.StartWith("ticket").And.Contain(" ± "));
        Assert.That(lines[..7].Select(line => line.Length), Is.All.EqualTo(lines[0].Length));
    }

    [Test]
    public void Long_cells_are_wrapped_below_each_other()
    {
        using var writer = new StringWriter { NewLine = "\n" };
        var table = new TextTable("name", "what");
        table.Add("a", string.Join(' ', Enumerable.Repeat("word", 40)));
        table.Write(writer, 60);
        string[] lines = writer.ToString().TrimEnd('\n').Split('\n');
        Assert.That(lines.Select(line => line.Length), Is.All.LessThanOrEqualTo(60));
        Assert.That(lines[3], Does.StartWith("      word"));
        Assert.That(lines.Skip(2).Sum(line => line.Split("word").Length - 1), Is.EqualTo(40));
    }

    [Test]
    public void Reports_are_written_into_the_run_folder()
    {
        var folder = new RunFolder(Directory.CreateTempSubdirectory("boosting-ticket-").FullName);
        try
        {
            RunReports.Write(folder, SampleRun.Create(), CommandLine);
            Assert.That(new[] { folder.Metrics, folder.Report, folder.Summary }, Is.All.Matches<string>(File.Exists));
        }
        finally
        {
            Directory.Delete(folder.Root, recursive: true);
        }
    }

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);

    internal static XDocument Parse(string html)
    {
        using var reader = XmlReader.Create(
            new StringReader(html), new XmlReaderSettings { DtdProcessing = DtdProcessing.Ignore });
        return XDocument.Load(reader);
    }
}
