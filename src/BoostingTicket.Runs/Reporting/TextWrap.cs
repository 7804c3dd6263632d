namespace BoostingTicket.Runs.Reporting;

/// <summary>Breaks text into lines.</summary>
internal static class TextWrap
{
    /// <summary>The text in lines of at most so many characters, broken at spaces; a longer word has a line of its own.</summary>
    /// <param name="text">The text, on one line.</param>
    /// <param name="width">Characters a line, at least 1.</param>
    /// <returns>At least one line.</returns>
    public static List<string> Lines(string text, int width)
    {
        ArgumentNullException.ThrowIfNull(text);
        var lines = new List<string>();
        string line = "";
        foreach (string word in text.Split(' '))
        {
            if (line.Length > 0 && line.Length + 1 + word.Length > width)
            {
                lines.Add(line);
                line = "";
            }

            line = line.Length == 0 ? word : $"{line} {word}";
        }

        lines.Add(line);
        return lines;
    }
}
