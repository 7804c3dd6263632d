using System.Text.Json;

namespace BoostingTicket.Cli.Tests;

/// <summary><c>profile --plan</c> needs neither a GPU nor a data set's files.</summary>
internal sealed class ProfilePlanTests
{
    private static readonly string[] Plan =
        ["profile", "--preset", "mnist-lenet", "--method", "pgd", "--precision", "bf16", "--plan", "--device", "cuda"];

    [Test]
    public void Text_says_that_times_are_calculated()
    {
        CommandResult result = CommandLine.Run(Plan);
        Assert.That(result.Code, Is.Zero, result.Error);
        Assert.That(
            result.Out, Does.StartWith("A step of pgd training of lenet on 128 images in bf16 (counted; nothing was computed):"));
        string[] lines = result.Out.Split('\n');
        foreach (string start in (string[])["launches of own kernels", "waits of the host", "H200", "A100", "RTX 4090"])
            Assert.That(lines, Has.One.StartsWith(start));
        Assert.That(result.Out, Does.Contain("calculated, not measured; an epoch of 55,000 images"));
    }

    [Test]
    public void Document_has_the_same_numbers()
    {
        CommandResult result = CommandLine.Run([.. Plan, "--json"]);
        Assert.That(result.Code, Is.Zero, result.Error);
        JsonElement json = result.Json();
        string[] counted = ["launches", "libraryCalls", "kernelBytes", "libraryBytes", "hostWaits", "graphLaunches"];
        foreach (string name in counted)
            Assert.That(json.GetProperty(name).GetInt64(), Is.Positive, name);
        JsonElement gpu = json.GetProperty("gpus").EnumerateArray().First();
        Assert.That(gpu.GetProperty("key").GetString(), Is.EqualTo("h200"));
        Assert.That(
            gpu.GetProperty("secondsPerEpoch").GetDouble(), Is.GreaterThan(gpu.GetProperty("secondsPerStep").GetDouble()));
    }

    [Test]
    public void The_processor_has_no_plan()
    {
        CommandResult result = CommandLine.Run(["profile", "--plan", "--device", "cpu"]);
        Assert.That((result.Code, result.Error), Is.EqualTo((2, result.Error)));
        Assert.That(result.Error, Does.Contain("--plan counts what a GPU would do; leave out --device cpu."));
    }
}
