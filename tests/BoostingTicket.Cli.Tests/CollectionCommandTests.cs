using System.Text.Json;

namespace BoostingTicket.Cli.Tests;

/// <summary>Runs as a collection, as a user goes about it.</summary>
internal sealed class CollectionCommandTests
{
    private string _root = "";

    private string this[string name] => Path.Combine(_root, name);

    [SetUp]
    public void CreateFolder() => _root = Directory.CreateTempSubdirectory("collection-").FullName;

    [TearDown]
    public void DeleteFolder() => Directory.Delete(_root, recursive: true);

    [Test]
    public void Runs_are_listed_and_compared()
    {
        string[] dense = [.. CommandLine.Tiny, "--arms", "dense"];
        Assert.That(CommandLine.Run(["run", .. dense, "--out", this["a"]]).Code, Is.Zero);
        Assert.That(CommandLine.Run(["run", .. dense, "--learning-rate", "0.01", "--out", this["b"]]).Code, Is.Zero);
        Directory.CreateDirectory(this["c"]);
        File.WriteAllText(Path.Combine(this["c"], "configuration.json"), "no json");

        CommandResult listed = CommandLine.Run("runs", _root), json = CommandLine.Run("runs", _root, "--json");
        CommandResult compared = CommandLine.Run("compare", this["a"], this["b"], "--html", this["page.html"]);
        CommandResult document = CommandLine.Run("compare", this["a"], this["b"], "--json");
        CommandResult refused = CommandLine.Run("compare", this["a"], this["c"]);
        CommandResult again = CommandLine.Run("compare", this["a"], this["b"], "--html", this["page.html"]);
        JsonElement[] entries = [.. json.Json().GetProperty("runs").EnumerateArray()];
        Assert.Multiple(() =>
        {
            Assert.That(listed.Code, Is.Zero, listed.Error);
            Assert.That(listed.Out, Does.Match(@"\na +run +finished +lenet-3-4-8 +synthetic-28 +pgd +dense ")
                .And.Match(@"\nc +– +broken ").And.Contain("Broken: c: The configuration").Or.Contain("Broken: c: The file"));
            Assert.That(entries.Select(entry => entry.GetProperty("state").GetString()),
                Is.EquivalentTo(new[] { "finished", "finished", "broken" }));
            Assert.That(compared.Code, Is.Zero, compared.Error);
            Assert.That(compared.Out, Does.Match(@"dense\.learningRate +0\.05 +0\.01").And.Contain("clean, 95 %"));
            Assert.That(File.ReadAllText(this["page.html"]), Does.Contain("href=\"a/report.html\"").And.Contain(
                "Accuracy against seconds"));
            Assert.That(document.Json().GetProperty("rows").GetArrayLength(), Is.EqualTo(2));
            Assert.That(refused.Code, Is.EqualTo(6), refused.Error);
            Assert.That(again.Code, Is.EqualTo(2), again.Error);
            Assert.That(CommandLine.Run("runs", this["none"]).Code, Is.EqualTo(2));
        });
    }

    [Test]
    public void A_sweep_shares_parts_goes_on_and_is_listed()
    {
        string[] sweep =
        [
            "sweep", "ratio=0.5:0.9:0.4", "learning-rate=0.02,0.05", .. CommandLine.Tiny, "--arms", "dense,ticket", "--out",
            this["e"],
        ];
        CommandResult first = CommandLine.Run([.. sweep, "--json"]);
        string store = Path.Combine(this["e"], "store");
        int Parts(string kind) => Directory.GetDirectories(store, kind + "-*").Length;
        int[] parts = [Parts("training"), Parts("ticket"), Parts("test")];
        // What one training lost is done again, and nothing else.
        string lost = Directory.GetDirectories(store, "test-*")[0];
        File.Delete(Path.Combine(lost, "result.json"));
        CommandResult second = CommandLine.Run([.. sweep, "--json"]);
        JsonElement rows = first.Json().GetProperty("result").GetProperty("rows");
        string report = File.ReadAllText(first.Json().GetProperty("report").GetString()!);
        Assert.Multiple(() =>
        {
            Assert.That(first.Code, Is.Zero, first.Error);
            Assert.That(rows.GetArrayLength(), Is.EqualTo(8));
            // Two dense trainings and one donor for all; four tickets of that donor's two masks.
            Assert.That(parts, Is.EqualTo(new[] { 2 + 1 + 4, 2, 6 }));
            Assert.That(second.Code, Is.Zero, second.Error);
            Assert.That(second.Error, Does.Not.Contain("epoch 1/2"));
            Assert.That(
                second.Json().GetProperty("result").GetProperty("rows").GetRawText(), Is.EqualTo(rows.GetRawText()));
            Assert.That(report, Does.Contain("/report.html\"").And.Contain("By value"));
            Assert.That(CommandLine.Run("runs", _root).Out, Does.Contain("sweep ratio learning-rate").And.Contain("finished"));
        });
    }

    [TestCase("ratio=0.5,0.9", "--ratio", "0.8", "leave one of them out")]
    [TestCase("ratio=0.5,0.9", "--arms", "shuffle", "leave shuffle out")]
    [TestCase("ratio=0.5,2", "--arms", "ticket", "2")]
    public void A_sweep_that_cannot_be_done_is_refused(string grid, string option, string value, string remedy)
    {
        CommandResult result = CommandLine.Run("sweep", grid, option, value, "--out", this["e"]);
        Assert.That(result.Code, Is.EqualTo(2), result.Error);
        Assert.That(result.Error, Does.Contain(remedy));
        Assert.That(Directory.Exists(this["e"]), Is.False);
    }
}
