using System.Text.Json;

namespace BoostingTicket.Cli.Tests;

/// <summary>The command <c>transfer</c>, on networks of two models.</summary>
internal sealed class TransferTests
{
    // --epochs and what belongs to other trainings are left out.
    private static readonly string[] Tiny = [.. CommandLine.Tiny.Where((_, index) => index is (> 1 and < 10) or > 13)];

    private string _folder = "";
    private string _small = "";
    private string _large = "";

    [OneTimeSetUp]
    public void Train()
    {
        _folder = Directory.CreateTempSubdirectory("boosting-ticket-").FullName;
        _small = TrainOne("lenet-3-4-8");
        _large = TrainOne("lenet-4-6-16-p2");
    }

    [OneTimeTearDown]
    public void DeleteFolder() => Directory.Delete(_folder, recursive: true);

    [Test]
    public void Networks_of_two_models_make_a_matrix()
    {
        string[] transfer = ["transfer", _small, _large, "--epsilon", "0.1", "--batch", "16", "--threads", "1"];
        CommandResult json = CommandLine.Run([.. transfer, "--json"]);
        Assert.That(json.Code, Is.Zero, json.Error);
        JsonElement result = json.Json().GetProperty("result");
        Assert.That(
            (result.GetProperty("attack").GetString(), result.GetProperty("samples").GetInt32()), Is.EqualTo(("pgd-20", 60)));
        JsonElement[] rows = [.. result.GetProperty("rows").EnumerateArray()];
        Assert.That(
            rows.Select(row => row.GetProperty("model").GetString()), Is.EqualTo(new[] { "lenet-3-4-8", "lenet-4-6-16-p2" }));
        foreach (JsonElement row in rows)
        {
            Assert.That(row.GetProperty("accuracies").GetArrayLength(), Is.EqualTo(2));
            Assert.That(row.GetProperty("largestPerturbation").GetDouble(), Is.EqualTo(0.1).Within(1e-5));
            JsonElement clean = row.GetProperty("clean");
            Assert.That(clean.GetProperty("interval").GetProperty("low").GetDouble(), Is.LessThanOrEqualTo(
                clean.GetProperty("value").GetDouble()));
        }

        CommandResult evaluate = CommandLine.Run(
            "evaluate", _large, "--attack", "pgd-20", "--epsilon", "0.1", "--json", "--threads", "1");
        JsonElement alone = evaluate.Json().GetProperty("result");
        Assert.That(
            rows[1].GetProperty("clean").GetProperty("value").GetDouble(), Is.EqualTo(alone.GetProperty("clean").GetDouble()));
        // Samples that are wrong clean may become right.
        double whiteBox = rows[1].GetProperty("accuracies")[1].GetProperty("value").GetDouble(),
        robust = alone.GetProperty("worstCase").GetDouble();
        Assert.That(whiteBox, Is.InRange(robust, robust + 1 - alone.GetProperty("clean").GetDouble()));

        CommandResult text = CommandLine.Run(transfer);
        Assert.That(text.Code, Is.Zero, text.Error);
        Assert.That(text.Out, Does.Contain("source \\ target").And.Contain("lenet-4-6-16-p2").And.Contain(
            "60 samples by pgd-20, ε = 0.1"));
        Assert.That(text.Error, Does.Contain("transfer of pgd-20 among 2 networks"));
    }

    [Test]
    public void Networks_for_other_images_are_refused_in_one_sentence()
    {
        CommandResult result = CommandLine.Run("transfer", _small, _large, "--dataset", "synthetic-32", "--quiet");
        Assert.That(result.Code, Is.EqualTo(2));
        Assert.That(result.Error, Does.Contain(_small).And.Contain("1x28x28").And.Contain("--dataset"));
        Assert.That(result.Error.TrimEnd(), Does.Not.Contain("\n"));
    }

    [Test]
    public void Usage_is_one_sentence()
    {
        foreach ((string[] arguments, string message) in new (string[], string)[]
        {
            ([], "needs WEIGHTS"),
            ([_small], "needs at least 2 files"),
            ([_small, _large, "--attack", "pdg"], "'pdg'"),
            ([_small, "nowhere.safetensors"], "nowhere.safetensors"),
        })
        {
            CommandResult result = CommandLine.Run(["transfer", .. arguments, "--quiet"]);
            Assert.That(result.Code, Is.EqualTo(2), message);
            Assert.That(result.Error, Does.Contain(message));
            Assert.That(result.Error.TrimEnd(), Does.Not.Contain("\n"));
        }
    }

    private string TrainOne(string model)
    {
        CommandResult train = CommandLine.Run(
            ["train", "--model", model, .. Tiny, "--json", "--out", Path.Combine(_folder, model)]);
        Assert.That(train.Code, Is.Zero, train.Error);
        return train.Json().GetProperty("last").GetString()!;
    }
}
