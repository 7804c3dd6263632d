using System.Text;
using System.Text.RegularExpressions;

namespace BoostingTicket.Cli.Tests.Documents;

/// <summary>A command that a page shows.</summary>
/// <param name="Page">The page.</param>
/// <param name="Line">Number of the line in which it begins, from 1.</param>
/// <param name="Variables">What stands before it: <c>NAME=VALUE</c>.</param>
/// <param name="Words">The program and its arguments, without quotes.</param>
internal sealed partial record DocumentedCommand(
    string Page, int Line, IReadOnlyDictionary<string, string> Variables, IReadOnlyList<string> Words)
{
    /// <summary>The commands of a page, in its order.</summary>
    public static IEnumerable<DocumentedCommand> OfPage(string page) =>
        MarkdownBlock.Of(page).Where(block => block.Language == MarkdownBlock.Commands).SelectMany(Of);

    /// <summary>The commands of a block: joined where a line ends in a backslash, without comments. A function of the shell is
    /// the command in its body.</summary>
    public static IEnumerable<DocumentedCommand> Of(MarkdownBlock block)
    {
        string[] lines = block.Text.Split('\n');
        for (int i = 0; i < lines.Length; i++)
        {
            int number = block.Line + i;
            string line = lines[i];
            while (line.EndsWith('\\') && i + 1 < lines.Length)
                line = line[..^1] + lines[++i];
            Match function = Function().Match(line);
            if (function.Success)
                line = function.Groups[1].Value.Replace("\"$@\"", "", StringComparison.Ordinal);
            foreach (List<string> words in Split(line, $"{block.Page}:{number}"))
            {
                string[] variables = [.. words.TakeWhile(word => Variable().IsMatch(word))];
                if (variables.Length < words.Count)
                    yield return new DocumentedCommand(
                        block.Page, number,
                        variables.Select(word => word.Split('=', 2)).ToDictionary(pair => pair[0], pair => pair[1]),
                        words[variables.Length..]);
            }
        }
    }

    /// <summary>Where it is and what it says.</summary>
    public override string ToString() => $"{Page}:{Line}: {string.Join(' ', Words)}";

    // Words as a shell makes them, one list for each command between "&&".
    private static List<List<string>> Split(string line, string place)
    {
        var commands = new List<List<string>> { new() };
        var word = new StringBuilder();
        bool begun = false;
        char quote = '\0';
        for (int i = 0; i <= line.Length; i++)
        {
            char c = i < line.Length ? line[i] : ' ';
            if (quote != '\0' && i < line.Length)
            {
                if (c == quote)
                    quote = '\0';
                else
                    word.Append(c);
            }
            else if (c is '\'' or '"')
            {
                quote = c;
                begun = true;
            }
            else if (c == '#' && !begun)
                break;
            else if (char.IsWhiteSpace(c))
            {
                if (begun)
                    commands[^1].Add(word.ToString());
                word.Clear();
                begun = false;
            }
            else if (c == '&' && !begun && line.AsSpan(i).StartsWith("&& "))
            {
                commands.Add([]);
                i++;
            }
            else if ("|&;<>$`()*?".Contains(c, StringComparison.Ordinal))
                throw new AssertionException(
                    $"{place}: {nameof(DocumentedCommand)} does not know what '{c}' means to a shell; teach it, or write the "
                    + "line in another way.");
            else
            {
                word.Append(c);
                begun = true;
            }
        }
        return quote == '\0' ? commands : throw new AssertionException($"{place}: a quotation does not end.");
    }

    [GeneratedRegex(@"^[\w-]+\(\) \{ (.*?);? *\}$")]
    private static partial Regex Function();

    [GeneratedRegex("^[A-Z_][A-Z0-9_]*=")]
    private static partial Regex Variable();
}
