using System.Globalization;
using System.Text.RegularExpressions;

namespace BoostingTicket.Cli.Tests;

/// <summary>No line of a tracked text file is longer than <c>.editorconfig</c> says.</summary>
internal sealed class LineLengthTests
{
    [Test]
    public void No_line_is_longer_than_editorconfig_says()
    {
        Shell.Require("git");
        (Regex Files, int Limit)[] sections = [.. Sections()];
        CommandResult tracked = Shell.Run("git ls-files", Repository.Root);
        if (tracked.Code != 0)
            Assert.Ignore("needs a clone");
        var longer = new List<string>();
        foreach (string path in tracked.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            int limit = sections.Last(section => section.Files.IsMatch(path)).Limit;
            string text = File.ReadAllText(Path.Combine(Repository.Root, path));
            if (text.Contains('\0', StringComparison.Ordinal))
                continue;
            longer.AddRange(text.Split('\n').Index()
                .Where(line => line.Item.EnumerateRunes().Count() > limit && !CannotBreak(path, line.Item))
                .Select(line => $"{path}:{line.Index + 1}"));
        }
        Assert.That(longer, Is.Empty, () => string.Join('\n', longer));
    }

    [TestCase("src/a/B.cs", 130)]
    [TestCase("README.md", 130)]
    [TestCase("docs/results/table2/metrics.csv", int.MaxValue)]
    [TestCase("docs/results/mnist-lenet.md", int.MaxValue)]
    [TestCase("docs/performance/epoch-cost.svg", int.MaxValue)]
    [TestCase("kernels/loss.ptx", int.MaxValue)]
    [TestCase("src/BoostingTicket.Cli/packages.lock.json", int.MaxValue)]
    [TestCase("BoostingTicket.sln", int.MaxValue)]
    public void Editorconfig_limits_what_people_write(string path, int limit) =>
        Assert.That(Sections().Last(section => section.Files.IsMatch(path)).Limit, Is.EqualTo(limit));

    // Rows of tables, lines that are one word (an address, data), and pictures and links that are one line each.
    private static bool CannotBreak(string path, string line) =>
        !line.Trim().Contains(' ', StringComparison.Ordinal)
        || (path.EndsWith(".md", StringComparison.Ordinal)
            && (line.StartsWith('|') || Regex.IsMatch(line, @"^\s*!?\[[^\]]*\]\([^)]*\)$")));

    // Sections that set a limit, in the file's order: the last that fits wins.
    private static IEnumerable<(Regex Files, int Limit)> Sections()
    {
        string glob = "";
        foreach (string line in File.ReadLines(Path.Combine(Repository.Root, ".editorconfig")))
        {
            if (line.StartsWith('['))
                glob = line.Trim()[1..^1];
            else if (line.Split('=', StringSplitOptions.TrimEntries) is ["max_line_length", string limit])
                yield return (Pattern(glob), limit == "off" ? int.MaxValue : int.Parse(limit, CultureInfo.InvariantCulture));
        }
    }

    private static Regex Pattern(string glob)
    {
        string pattern = Regex.Escape(glob)
            .Replace(@"\*\*", ".+", StringComparison.Ordinal).Replace(@"\*", "[^/]*", StringComparison.Ordinal)
            .Replace(@"\{", "(?:", StringComparison.Ordinal).Replace("}", ")", StringComparison.Ordinal)
            .Replace(",", "|", StringComparison.Ordinal);
        return new Regex(glob.Contains('/', StringComparison.Ordinal) ? $"^{pattern}$" : $"(?:^|/){pattern}$");
    }
}
