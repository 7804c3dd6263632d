namespace BoostingTicket.Cli.Tests.Documents;

/// <summary>A fenced block of a page of the repository.</summary>
/// <param name="Page">The page, relative to the repository, with slashes.</param>
/// <param name="Line">Number of its first line, from 1.</param>
/// <param name="Language">What the fence says that it holds; empty where it says nothing.</param>
/// <param name="Text">Its lines, each ended by a line feed.</param>
internal sealed record MarkdownBlock(string Page, int Line, string Language, string Text)
{
    /// <summary>The language of blocks whose lines are commands.</summary>
    public const string Commands = "sh";

    private const string Fence = "```";
    private static readonly string[] Folders = ["docs", "tests", "kernels", "benchmarks", "tools", "src"];

    /// <summary>All pages: Markdown files of the repository, without those that a build copied.</summary>
    public static IReadOnlyList<string> Pages { get; } =
    [
        .. Directory.GetFiles(Repository.Root, "*.md").Concat(Folders.SelectMany(folder => Directory.GetFiles(
            Path.Combine(Repository.Root, folder), "*.md", SearchOption.AllDirectories)))
            .Select(path => Path.GetRelativePath(Repository.Root, path).Replace('\\', '/'))
            .Where(path => !path.Split('/').Intersect(["bin", "obj"]).Any()).Order(StringComparer.Ordinal),
    ];

    /// <summary>The blocks of a page, in its order.</summary>
    /// <param name="page">One of <see cref="Pages"/>.</param>
    public static IEnumerable<MarkdownBlock> Of(string page)
    {
        MarkdownBlock? open = null;
        string[] lines = File.ReadAllText(Path.Combine(Repository.Root, page)).ReplaceLineEndings("\n").Split('\n');
        for (int i = 0; i < lines.Length; i++)
        {
            bool isFence = lines[i].TrimStart().StartsWith(Fence, StringComparison.Ordinal);
            if (!isFence)
                open = open is null ? null : open with { Text = $"{open.Text}{lines[i]}\n" };
            else if (open is null)
                open = new MarkdownBlock(page, i + 2, lines[i].Trim()[Fence.Length..], "");
            else
            {
                yield return open;
                open = null;
            }
        }
        if (open is not null)
            throw new AssertionException($"{page}:{open.Line}: the block does not end.");
    }
}
