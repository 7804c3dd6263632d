using BoostingTicket.Runs.Configuration;
using BoostingTicket.Runs.Reporting;
using BoostingTicket.Runs.Stages;
using BoostingTicket.Runs.Tests.Reporting;
using BoostingTicket.Training;
using BoostingTicket.Training.Evaluation;
using BoostingTicket.Training.Testing;

namespace BoostingTicket.Runs.Tests.Stages;

/// <summary>Results and configurations with members missing, null, twice, or with numbers that none can have.</summary>
internal sealed class StoredResultTests
{
    [Test]
    public void Results_are_read_back_as_they_were_written()
    {
        SeedResult seed = SampleRun.Create().Seeds[0];
        Assert.That(RunJson.Write(RunJson.Read<SeedResult>(RunJson.Write(seed), "f")), Is.EqualTo(RunJson.Write(seed)));
    }

    [Test]
    public void A_result_of_a_version_without_split_hash_is_read()
    {
        SeedResult seed = SampleRun.Create().Seeds[0];
        string json = RunJson.Write(seed).Replace($",\n  \"splitHash\": \"{seed.SplitHash}\"", "", StringComparison.Ordinal);
        Assert.That(json, Does.Not.Contain("splitHash"));
        Assert.That(RunJson.Read<SeedResult>(json, "f").SplitHash, Is.Empty);
    }

    [TestCase("{}", "")]
    [TestCase("{\"seed\":0,\"arms\":[null]}", "")]
    [TestCase("null", "holds nothing")]
    public void Results_that_lack_members_are_refused(string json, string message) => RequireDamaged<SeedResult>(json, message);

    [TestCase("\"trainAccuracy\": 0.", "\"trainAccuracy\": 7.", "training accuracy")]
    [TestCase("\"epoch\": 1,", "\"epoch\": 0,", "epoch")]
    [TestCase("\"kept\": 260", "\"kept\": 401", "kept weights")]
    [TestCase("\"bestEpoch\": 5", "\"bestEpoch\": 9", "best epoch")]
    [TestCase("\"trainingSeconds\": 40", "\"trainingSeconds\": \"NaN\"", "training seconds")]
    [TestCase("\"trainingSeconds\": 40", "\"trainingSeconds\": -1", "training seconds")]
    [TestCase("\"data\": 0.1", "\"data\": 1e308,\"data\": 1", "")]
    [TestCase("\"warnings\": [", "\"warnings\": [null,", "null")]
    [TestCase("\"warnings\": [", "\"warnings\": [\"\\ud800\",", "")]
    [TestCase("\"best\": {", "\"best\": null, \"was\": {", "")]
    public void Results_with_impossible_members_are_refused(string old, string wrong, string message)
    {
        string json = RunJson.Write(SampleRun.Create().Seeds[0]);
        int at = json.IndexOf(old, StringComparison.Ordinal);
        Assert.That(at, Is.GreaterThanOrEqualTo(0), old);
        RequireDamaged<SeedResult>(json[..at] + wrong + json[(at + old.Length)..], message);
    }

    [TestCase("{\"device\":null}")]
    [TestCase("{\"device\":\"a\",\"device\":\"b\"}")]
    public void An_environment_has_texts_each_once(string json) => RequireDamaged<Dictionary<string, string>>(json, "");

    [TestCase("{\"low\":-0.5,\"high\":0.5}")]
    [TestCase("{\"low\":0.5,\"high\":0.4}")]
    public void Intervals_are_such(string json) => RequireDamaged<WilsonInterval>(json, "interval");

    [Test]
    public void Donors_are_checked() => RequireDamaged<DonorRecord>("{}", "");

    [TestCase("{\"preset\":\"\\ud800\"}")]
    [TestCase("{\"model\":\"\\udc00x\"}")]
    [TestCase("{\"\\ud800\":1}")]
    [TestCase("{\"seed\":1,\"seed\":2}")]
    [TestCase("{\"dense\":{\"epochs\":1,\"epochs\":2}}")]
    [TestCase("{\"arms\":[\"\\ud800\"]}")]
    [TestCase("{\"out\":\"a\\u0000b\"}")]
    [TestCase("{\"threads\":\"\\ud800\"}")]
    public void Configurations_with_broken_texts_or_names_twice_are_refused(string json)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder["settings.json"], json);
        Assert.That(
            () =>
            {
                ConfigurationSources.ReadSurroundings(folder["settings.json"]);
                new ConfigurationSources(null, folder["settings.json"], []).Compose();
            },
            Throws.TypeOf<ConfigurationException>().With.Message.Contains("settings.json"));
    }

    [Test]
    public void Reports_show_hostile_words_as_text()
    {
        const string Hostile = "\u001b[2J\u202e|<script>alert(1)</script>\u0085";
        RunResult run = SampleRun.Create();
        run = run with
        {
            Environment = new Dictionary<string, string> { ["device"] = Hostile },
            Seeds = [run.Seeds[0] with { Warnings = [Hostile] }, run.Seeds[1]],
        };
        foreach (string text in (string[])[HtmlReport.Write(run, "command " + Hostile),
            MarkdownReport.Write(run, "command " + Hostile), MetricsCsv.Write(run)])
        {
            Assert.That(PlainText.EscapeLines(text), Is.EqualTo(text));
            Assert.That(text.Split("```").Where((_, part) => part % 2 == 0), Has.None.Contains("<script"));
        }
    }

    private static void RequireDamaged<T>(string json, string message) =>
        Assert.That(() => RunJson.Read<T>(json, "the-file"), Throws.TypeOf<DamagedFileException>()
            .With.Message.Contains("the-file").And.Message.Contains(message));
}
