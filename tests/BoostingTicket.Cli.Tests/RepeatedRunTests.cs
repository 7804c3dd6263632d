namespace BoostingTicket.Cli.Tests;

/// <summary>What a run prints depends on its settings, not on how busy the machine is.</summary>
internal sealed class RepeatedRunTests
{
    [Test]
    public void Two_runs_with_one_seed_print_the_same_but_for_seconds()
    {
        string folder = Directory.CreateTempSubdirectory("repeated-").FullName;
        try
        {
            string[] first = Run(Path.Combine(folder, "a")), second = Run(Path.Combine(folder, "b"));
            Assert.That(second, Is.EqualTo(first));
            Assert.That(first[0], Does.StartWith("arm").And.Contain("TFLOP").And.Not.Contain(" s "));
            Assert.That(first, Has.Some.Contain("times the baseline's operations."));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    // The table without its columns of seconds, which are the last two; the headline.
    private static string[] Run(string folder)
    {
        CommandResult result = CommandLine.Run(["run", .. CommandLine.Tiny, "--quiet", "--out", folder]);
        Assert.That(result.Code, Is.Zero, result.Error);
        string[] lines = result.Out.Split('\n');
        int seconds = lines[0].IndexOf("processor s", StringComparison.Ordinal);
        Assert.That(seconds, Is.Positive);
        int finding = Array.FindIndex(lines, line => line.StartsWith("The ticket", StringComparison.Ordinal));
        return
        [
            .. lines.TakeWhile(line => !line.StartsWith("Accuracies", StringComparison.Ordinal)).Select(
                line => line[..(line.LastIndexOf("  ", seconds, StringComparison.Ordinal) is var end and >= 0 ? end : seconds)]),
            .. lines.Skip(finding).TakeWhile(line => !line.StartsWith("Report", StringComparison.Ordinal)),
        ];
    }
}
