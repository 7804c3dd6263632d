namespace BoostingTicket.Training;

/// <summary>Finds the known name that a mistyped one most probably meant.</summary>
internal static class NearestName
{
    private const int LongestTyped = 200;
    private const int MostCompared = 2_000;

    /// <summary>
    /// The known name nearest to <paramref name="name"/> by <see cref="Distance"/>, ignoring case; null if none is near
    /// enough to be a plausible slip (more than 2 edits, or for longer names more than a third of the length).
    /// Of equally near names the first listed wins.
    /// </summary>
    /// <param name="name">What was typed.</param>
    /// <param name="known">The names there are.</param>
    public static string? Find(string name, IEnumerable<string> known)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(known);
        // Nobody types such names, and comparing long ones takes long.
        if (name.Length > LongestTyped)
            return null;
        string? nearest = null;
        int limit = Math.Max(2, name.Length / 3);
        foreach (string candidate in known.Take(MostCompared))
        {
            // Each character too many or too few is an edit.
            if (Math.Abs(candidate.Length - name.Length) > limit)
                continue;
            int distance = Distance(name.ToUpperInvariant(), candidate.ToUpperInvariant());
            // A candidate of which nothing is left unedited is no slip of the keyboard.
            if (distance <= limit && distance < Math.Max(name.Length, candidate.Length))
            {
                nearest = candidate;
                limit = distance - 1;
            }
        }

        return nearest;
    }

    /// <summary>The error for an unknown name, with the nearest known one, or all of them where none is near.</summary>
    /// <param name="what">What is named, such as <c>data set</c>.</param>
    /// <param name="name">What was typed.</param>
    /// <param name="known">The names there are.</param>
    public static ConfigurationException Unknown(string what, string name, IReadOnlyCollection<string> known) =>
        new($"There is no {what} '{name}'; {Remedy(name, known)}");

    /// <summary>The end of a message about an unknown name: the nearest known one, or all of them where none is near.</summary>
    /// <param name="name">What was typed.</param>
    /// <param name="known">The names there are.</param>
    public static string Remedy(string name, IReadOnlyCollection<string> known) =>
        Find(name, known) is { } nearest ? $"did you mean '{nearest}'?" : $"choose one of: {string.Join(", ", known)}.";

    /// <summary>
    /// The Damerau-Levenshtein distance in its restricted form (optimal string alignment): insertions, deletions,
    /// substitutions and swaps of neighbours, none edited twice. Our own, since the kept libraries (Quickenshtein) count a swap,
    /// the most usual slip of all, as two edits.
    /// </summary>
    /// <param name="a">One string.</param>
    /// <param name="b">The other.</param>
    public static int Distance(string a, string b)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        // Rows of the table: two back, one back, the one being filled.
        int[] before = new int[b.Length + 1], last = [.. Enumerable.Range(0, b.Length + 1)], row = new int[b.Length + 1];
        for (int i = 1; i <= a.Length; i++)
        {
            row[0] = i;
            for (int j = 1; j <= b.Length; j++)
            {
                int substitution = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
                int best = Math.Min(substitution, Math.Min(last[j], row[j - 1]) + 1);
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                    best = Math.Min(best, before[j - 2] + 1);
                row[j] = best;
            }

            (before, last, row) = (last, row, before);
        }

        return last[b.Length];
    }
}
