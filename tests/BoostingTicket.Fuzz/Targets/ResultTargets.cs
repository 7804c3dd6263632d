using System.Text;
using System.Xml;
using BoostingTicket.Fuzz.Mutation;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Runs.Experiments.Nodes;
using BoostingTicket.Runs.Experiments.Sweeps;
using BoostingTicket.Runs.Reporting;
using BoostingTicket.Runs.Reporting.Html;
using BoostingTicket.Runs.Stages;
using BoostingTicket.Training;
using BoostingTicket.Training.Checkpoints;
using BoostingTicket.Training.Evaluation;

namespace BoostingTicket.Fuzz.Targets;

/// <summary>Results of every kind, as they are read back; the first byte says of which.</summary>
internal sealed class ResultsTarget : FuzzTarget
{
    private static readonly (Action<string> Read, object Sample)[] Kinds =
    [
        (json => RunJson.Read<SeedResult>(json, "f"), Samples.Seed),
        (json => RunJson.Read<ArmResult>(json, "f"), Samples.ArmOf(Arm.Ticket)),
        (json => RunJson.Read<DonorRecord>(json, "f"), Samples.Donor),
        (json => RunJson.Read<RobustnessResult>(json, "f"), Samples.Robustness),
        (json => RunJson.Read<TrainingRecord>(json, "f"), new TrainingRecord(Samples.History, 1, 2, 3.5, "ab", 0.5)
        {
            Machines = [new TrainingMachine("cpu: 2 threads", "a processor")],
        }),
        (json => RunJson.Read<TicketRecord>(json, "f"), new TicketRecord(0.8, [new LayerSparsity("a", 4, 2)], ["w"], 0.1, 0.9)),
        (json => RunJson.Read<TransferResult>(json, "f"), new TransferResult(
            "pgd", 10, [new TransferRow("a", "lenet", new MeasuredShare(0.5, new WilsonInterval(0.4, 0.6)),
                [new MeasuredShare(0.5, new WilsonInterval(0.4, 0.6))], 0.1, 1, 2)], [])),
        (json => RunJson.Read<Dictionary<string, string>>(json, "f"), new Dictionary<string,
            string> { ["device"] = "cpu", ["version"] = "0.1.0" }),
        (json => RunJson.Read<RunOwner>(json, "f"), new RunOwner("retrain", "ab", "cd", "pgd")),
        (json => RunJson.Hash(RunJson.Read<RunConfiguration>(json, "f")), Samples.Configuration),
        (json => RunJson.Read<SweepConfiguration>(json, "f"), new SweepConfiguration(
            [new SweptOption("ratio", ["0.5", "0.9"])], Samples.Configuration, ["ab"])),
        (json => RunJson.Read<CourseRecord>(json, "f"), new CourseRecord(10, [new CourseEpoch(0.5, 0.25)], ["w"])),
        (json => RunJson.Read<TransferProgress>(json, "f"), new TransferProgress([], ["w"])),
        (json => RunJson.Read<TrainingMachine[]>(json, "f"), (TrainingMachine[])[new("cpu: 2 threads", "a processor")]),
        (json => RunJson.Read<WeightsEvaluation>(json, "f"), Samples.Evaluation),
    ];

    public override string Name => "results";

    public override InputForm Form => InputForm.TaggedJson;

    public override int Weight => 400;

    public override void Execute(byte[] input)
    {
        if (input.Length > 0)
            Kinds[input[0] % Kinds.Length].Read(Encoding.UTF8.GetString(input.AsSpan(1)));
    }

    protected override IEnumerable<byte[]> Seeds() =>
    [
        .. Kinds.Select((kind, index) => (byte[])[(byte)index, .. Encoding.UTF8.GetBytes(RunJson.Write(kind.Sample))]),
        [0, .. "{}"u8], [0, .. "{\"seed\":0,\"arms\":[null]}"u8], [7, .. "{\"device\":null}"u8], [9, .. "{\"\\ud800\":1}"u8],
    ];
}

/// <summary>Results as they are reported: HTML that must be well-formed XML, Markdown, CSV, charts. The first byte says whether
/// the rest is a
/// seed's result or an evaluation.</summary>
internal sealed class ReportsTarget : FuzzTarget
{
    public override string Name => "reports";

    public override InputForm Form => InputForm.TaggedJson;

    public override int Weight => 25;

    // Style sheet, settings, four charts, and a document that is built twice.
    public override long FixedBytes => 4 << 20;

    public override void Execute(byte[] input)
    {
        if (input.Length == 0)
            return;
        string json = Encoding.UTF8.GetString(input.AsSpan(1));
        SeedResult seed = Samples.Seed;
        var extras = new RunExtras([], []);
        if (input[0] % 2 == 0)
        {
            seed = RunJson.Read<SeedResult>(json, "f");
            // As SeedRun does.
            if (!seed.Arms.Select(arm => arm.Arm).SequenceEqual(Samples.Configuration.Arms))
                throw new DamagedFileException("other arms");
        }
        else
            extras = new RunExtras([new KeptEvaluation("w", RunJson.Read<WeightsEvaluation>(json, "f"))], []);

        var environment = new Dictionary<string, string> { ["device"] = json[..Math.Min(json.Length, 40)] };
        var result = new RunResult(Samples.Configuration, "ab", environment, [seed]);
        RequireDocument(HtmlReport.Write(result, "command", extras));
        Require(MarkdownReport.Write(result, "command"));
        Require(MetricsCsv.Write(result));
        using var table = new StringWriter { NewLine = "\n" };
        TableText.Write(result, table, 100);
        Require(table.ToString());
    }

    /// <summary>Makes sure that a document is XML and has no script.</summary>
    public static void RequireDocument(string html)
    {
        Require(html);
        if (html.Contains("<script", StringComparison.OrdinalIgnoreCase))
            throw new InvalidOperationException("the report has a script");
        string body = html[html.IndexOf("<html", StringComparison.Ordinal)..];
        using var reader = XmlReader.Create(new StringReader(body),
            new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit });
        while (reader.Read())
        {
        }
    }

    /// <summary>Makes sure that nothing of a text is executed by a terminal.</summary>
    public static void Require(string text)
    {
        if (PlainText.EscapeLines(text) != text)
            throw new InvalidOperationException("the text holds control characters");
    }

    protected override IEnumerable<byte[]> Seeds() =>
        [[0, .. Encoding.UTF8.GetBytes(RunJson.Write(Samples.Seed))],
            [1, .. Encoding.UTF8.GetBytes(RunJson.Write(Samples.Evaluation))]];
}

/// <summary>How far an evaluation is.</summary>
internal sealed class StateTarget : FuzzTarget
{
    private const int Count = 6;
    private static readonly (string, int)[] Course = [("pgd", 2), ("autoattack: square", 5)];
    public override string Name => "state";

    public override InputForm Form => InputForm.Safetensors;

    public override int Weight => 500;

    public override void Execute(byte[] input)
    {
        string path = Scratch.Write("state.safetensors", input);
        new AttackStateFile(path, "binding", Count, Count * 2).Restore()?.RequireFits(Course);
    }

    protected override IEnumerable<byte[]> Seeds()
    {
        AttackResult done = Samples.Robustness.Attacks[0] with { Samples = Count, Attacked = 4 };
        foreach (AttackState state in (AttackState[])
        [
            new AttackState(Count) { Images = new float[Count * 2], Stage = new AttackStage(4, 1, 2, 5, 1, 0.1f, 1.5) },
            new AttackState(Count) { Images = new float[Count * 2], Results = [done], Warnings = ["w"] },
        ])
        {
            new AttackStateFile(Scratch["seed.safetensors"], "binding", Count, Count * 2).Save(state);
            yield return File.ReadAllBytes(Scratch["seed.safetensors"]);
        }
    }
}

/// <summary>Images of a report, as they are read and drawn.</summary>
internal sealed class ExamplesTarget : FuzzTarget
{
    public override string Name => "examples";

    public override InputForm Form => InputForm.Safetensors;

    public override int Weight => 40;

    // Three pictures of up to 64 images, each with a table of codes of its own.
    public override long FixedBytes => 8 << 20;

    public override void Execute(byte[] input)
    {
        string html = PictureGrid.Render(AdversarialExamples.Load(Scratch.Write("examples.safetensors", input)));
        ReportsTarget.RequireDocument($"<html>{html}</html>");
    }

    protected override IEnumerable<byte[]> Seeds()
    {
        float[] pixels = [0, 0.25f, 0.5f, 1];
        new AdversarialExamples(1, 2, 2, 0.1, ["ring", "<b>"], [new AdversarialExample(3, 0, pixels, 0, pixels, 1)])
            .Save(Scratch["seed.safetensors"]);
        yield return File.ReadAllBytes(Scratch["seed.safetensors"]);
        foreach (string count in (string[])["500000000", "2147483648", "1000000000"])
        {
            string images = $"{{\"dtype\":\"F32\",\"shape\":[{count},0,28,28],\"data_offsets\":[0,0]}}";
            yield return Samples.File(
                "{\"__metadata__\":{\"classes\":\"a\\nb\",\"epsilon\":\"0.1\"},\"clean\":" + images + ",\"adversarial\":" + images
                + ",\"facts\":{\"dtype\":\"I32\",\"shape\":[0,4],\"data_offsets\":[0,0]}}");
        }
    }
}
