namespace BoostingTicket.Cli.Tests;

/// <summary>The container file: nothing here builds an image, so what it says is compared with what there is.</summary>
internal sealed class DockerfileTests
{
    private static readonly string[] Words =
    [
        "FROM", "ARG", "WORKDIR", "COPY", "RUN", "USER", "ENV", "VOLUME", "ENTRYPOINT",
    ];

    private static string File => Path.Combine(Repository.Root, "Dockerfile");

    private static (string Word, string Text)[] Instructions =>
    [
        .. System.IO.File.ReadAllLines(File).Where(line => line.Length > 0 && line[0] != '#')
            .Select(line => line.Split(' ', 2)).Select(parts => (parts[0], parts[1])),
    ];

    [Test]
    public void A_linter_finds_nothing()
    {
        Shell.Require("dockerfile-utils");
        CommandResult result = Shell.Run("dockerfile-utils lint Dockerfile", Repository.Root);
        Assert.That(result.Code, Is.Zero, result.Out + result.Error);
    }

    [Test]
    public void Stages_are_there_before_they_are_copied_from_and_run_as_a_user_with_volumes()
    {
        var stages = new List<string>();
        var seen = new Dictionary<string, List<string>>();
        foreach ((string word, string rest) in Instructions)
        {
            Assert.That(Words, Has.Member(word));
            if (word == "FROM")
            {
                string[] parts = rest.Split(' ');
                Assert.That(parts, Has.Length.EqualTo(3));
                Assert.That(parts[1], Is.EqualTo("AS"));
                stages.Add(parts[2]);
                seen[parts[2]] = [];
                continue;
            }

            if (rest.StartsWith("--from=", StringComparison.Ordinal))
            {
                string from = rest["--from=".Length..].Split(' ')[0];
                Assert.That(from.Contains('/', StringComparison.Ordinal) || stages.SkipLast(1).Contains(from), from);
            }

            seen[stages[^1]].Add($"{word} {rest}");
        }

        Assert.That(stages, Is.EqualTo((string[])["build", "cuda", "cpu"]), "the last one is built where none is named");
        foreach (string stage in (string[])["cuda", "cpu"])
        {
            List<string> lines = seen[stage];
            Assert.That(lines, Has.Member("COPY --from=build /app /app"));
            Assert.That(lines, Has.Member("USER app").And.Member("VOLUME [\"/data\", \"/runs\"]"));
            Assert.That(lines, Has.Some.StartsWith("RUN ").And.Contains("mkdir /data /runs && chown app /data /runs"));
            Assert.That(lines[^1], Is.EqualTo("ENTRYPOINT [\"dotnet\", \"/app/boosting-ticket.dll\"]"));
        }
    }

    [Test]
    public void What_is_published_is_there_and_the_page_shows_the_same_command()
    {
        string publish = Instructions.Single(line => line.Text.StartsWith("dotnet publish ", StringComparison.Ordinal)).Text;
        Assert.That(Path.Combine(Repository.Root, publish.Split(' ')[2]), Does.Exist);
        string page = System.IO.File.ReadAllText(Path.Combine(Repository.Root, "docs", "install.md"));
        Assert.That(page, Does.Contain(publish.Replace("$RUNTIME", "linux-x64", StringComparison.Ordinal).Replace(
            "/app", "app", StringComparison.Ordinal)));
        Assert.That(page, Does.Contain("docker build --target cuda").And.Contain("docker run"));
        string[] ignored = System.IO.File.ReadAllLines(Path.Combine(Repository.Root, ".dockerignore"));
        Assert.That(ignored, Is.SupersetOf((string[])["**/bin", "**/obj", ".git"]));
    }
}
