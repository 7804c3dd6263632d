using BoostingTicket.Training.Models;

namespace BoostingTicket.Training.Checkpoints;

/// <summary>What the names of tensors in the files of others may carry beyond a model's own names.</summary>
internal static class PyTorchNames
{
    // DataParallel, wrappers that hold a model, torch.compile.
    private static readonly string[] Prefixes = ["module.", "model.", "_orig_mod."];

    private static readonly string[] Means = ["mu", "mean", "new_mean"];
    private static readonly string[] Deviations = ["sigma", "std", "new_std"];

    // What the first part of a name begins with where it is no part of a network.
    private static readonly string[] Beside =
    [
        "optim", "scheduler", "sched", "lr_sched", "epoch", "global_step", "iteration", "best_", "scaler", "grad_scaler", "amp",
        "rng", "args",
    ];

    // How torch.nn.utils.prune calls the values before pruning, and the mask.
    private const string PrunedValues = "_orig", PrunedMask = "_mask";

    // Two layers' weights and biases; parts of the longest name of a model, and some to spare.
    private const int FewestTensors = 4, MostParts = 8;

    // How public models call what this program's are called otherwise: the program's own names first.
    private static readonly NameDialect[] Dialects =
        [new(), .. ModelCatalog.Families.SelectMany(family => family.PublicNames.Dialects).Distinct()];

    /// <summary>What public code holds and never uses.</summary>
    public static IReadOnlyList<UnusedTensors> Unused { get; } =
        [.. ModelCatalog.Families.SelectMany(family => family.PublicNames.Unused)];

    /// <summary>The name in the model; null for a tensor that models do not need.</summary>
    public static string? InModel(string name)
    {
        string bare = name;
        while (Prefixes.FirstOrDefault(prefix => bare.StartsWith(prefix, StringComparison.Ordinal)) is { } found)
            bare = bare[found.Length..];
        return IsCounter(name) || Last(name) is "mu" or "sigma" || UnusedBlock(bare) is not null ? null : bare;
    }

    /// <summary>Whether a tensor counts the batches of a normalisation.</summary>
    public static bool IsCounter(string name) => Last(name) == "num_batches_tracked";

    /// <summary>Whether a tensor is the mean of a normalisation of images.</summary>
    public static bool IsMean(string name) => Means.Contains(Last(name));

    /// <summary>Whether a tensor is the deviation of a normalisation of images.</summary>
    public static bool IsDeviation(string name) => Deviations.Contains(Last(name));

    /// <summary>What a tensor, its prefix taken off, belongs to that public code holds and never uses; null for
    /// nothing.</summary>
    public static UnusedTensors? UnusedBlock(string bare)
    {
        foreach (UnusedTensors unused in Unused)
        {
            if (bare.StartsWith(unused.Start, StringComparison.Ordinal))
                return unused;
        }

        return null;
    }

    /// <summary>Whether a tensor belongs to what programs keep beside a network: an optimizer's state, counters, single
    /// numbers.</summary>
    /// <param name="name">The name in the file.</param>
    /// <param name="length">Elements of the tensor.</param>
    public static bool IsBeside(string name, long length)
    {
        int dot = name.IndexOf('.', StringComparison.Ordinal);
        ReadOnlySpan<char> first = name.AsSpan(0, dot < 0 ? name.Length : dot);
        foreach (string start in Beside)
        {
            if (first.StartsWith(start, StringComparison.OrdinalIgnoreCase))
                return true;
        }

        return length <= 1 && dot < 0;
    }

    /// <summary>The name of a parameter that <c>torch.nn.utils.prune</c> keeps as <c>_orig</c> and <c>_mask</c>; null for another
    /// tensor.</summary>
    /// <param name="name">A name of the file.</param>
    /// <param name="isThere">Whether the file has a tensor of a name.</param>
    /// <param name="mask">Whether the tensor is the mask.</param>
    public static string? PrunedParameter(string name, Func<string, bool> isThere, out bool mask)
    {
        mask = name.EndsWith(PrunedMask, StringComparison.Ordinal);
        if (mask && name[..^PrunedMask.Length] is var masked && isThere(masked + PrunedValues))
            return masked;
        return name.EndsWith(PrunedValues, StringComparison.Ordinal)
            && name[..^PrunedValues.Length] is var values && isThere(values + PrunedMask)
                ? values
                : null;
    }

    /// <summary>The prefix and the names by which a file has most of a model's tensors.</summary>
    /// <param name="names">All names of the file.</param>
    /// <param name="wanted">Names of the model.</param>
    /// <param name="prefix">A prefix that was asked for; null to find it.</param>
    /// <returns>The prefixes that are equally good, the shortest first, and the names in the file by those in the model for
    /// that.</returns>
    public static (IReadOnlyList<string> Prefixes, Dictionary<string, string> Found) Match(
        IReadOnlyCollection<string> names, IReadOnlySet<string> wanted, string? prefix)
    {
        string[] sorted = Sorted(names);
        var best = new List<string>();
        Dictionary<string, string> found = new(StringComparer.Ordinal);
        foreach (string start in prefix is null ? PrefixesOf(names) : [prefix])
        {
            ReadOnlyMemory<string> under = Under(sorted, start);
            if (under.Length < Math.Max(found.Count, 1))
                continue;
            foreach (NameDialect dialect in Dialects)
            {
                Dictionary<string, string> match = Translate(under, start, dialect, wanted);
                if (match.Count == 0 || match.Count < found.Count)
                    continue;
                if (match.Count > found.Count)
                {
                    best.Clear();
                    found = match;
                }
                if (best.Count == 0 || best[^1] != start)
                    best.Add(start);
            }
        }

        return (best.Count == 0 ? [prefix ?? ""] : best, found);
    }

    /// <summary>The model that a file's tensors are, whatever prefix and dialect they have; null if there is none.</summary>
    /// <param name="shapes">Shapes by names of the file.</param>
    public static string? Recognize(IReadOnlyDictionary<string, IReadOnlyList<long>> shapes)
    {
        ArgumentNullException.ThrowIfNull(shapes);
        string[] sorted = Sorted(shapes.Keys);
        foreach (string prefix in PrefixesOf(shapes.Keys))
        {
            ReadOnlyMemory<string> under = Under(sorted, prefix);
            if (under.Length < FewestTensors)
                continue;
            foreach (NameDialect dialect in Dialects)
            {
                var own = new Dictionary<string, IReadOnlyList<long>>(StringComparer.Ordinal);
                foreach (string name in under.Span)
                {
                    string bare = name[prefix.Length..];
                    if (!IsCounter(bare) && !IsMean(bare) && !IsDeviation(bare) && UnusedBlock(bare) is null
                        && !IsBeside(bare, shapes[name].Aggregate(1L, (product, size) => product > 1 ? product : product * size)))
                    {
                        own[Translate(bare, dialect)] = shapes[name];
                    }
                }
                if (own.Count >= FewestTensors && ModelCatalog.Recognize(own) is { } graph)
                    return graph.Name;
            }
        }

        return null;
    }

    // Everything up to one of a name's last dots, and nothing at all. No model's name has more parts, so that longer rests match
    // nothing.
    private static IEnumerable<string> PrefixesOf(IEnumerable<string> names)
    {
        var prefixes = new HashSet<string>(StringComparer.Ordinal) { "" };
        foreach (string name in names)
        {
            int end = name.Length;
            for (int part = 0; part < MostParts && end > 0 && (end = name.LastIndexOf('.', end - 1)) >= 0; part++)
                prefixes.Add(name[..(end + 1)]);
        }

        return prefixes.OrderBy(prefix => prefix.Length).ThenBy(prefix => prefix, StringComparer.Ordinal);
    }

    private static string[] Sorted(IEnumerable<string> names)
    {
        string[] sorted = [.. names];
        Array.Sort(sorted, StringComparer.Ordinal);
        return sorted;
    }

    // The names that begin with a prefix, which lie side by side.
    private static ReadOnlyMemory<string> Under(string[] sorted, string prefix)
    {
        int begin = Array.BinarySearch(sorted, prefix, StringComparer.Ordinal);
        begin = begin < 0 ? ~begin : begin;
        int end = begin;
        while (end < sorted.Length && sorted[end].StartsWith(prefix, StringComparison.Ordinal))
            end++;
        return sorted.AsMemory(begin, end - begin);
    }

    private static Dictionary<string, string> Translate(
        ReadOnlyMemory<string> under, string prefix, NameDialect dialect, IReadOnlySet<string> wanted)
    {
        var found = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (string name in under.Span)
        {
            string bare = name[prefix.Length..];
            if (wanted.Contains(bare))
                found[bare] = name;
        }
        foreach (string name in under.Span)
        {
            string own = Translate(name[prefix.Length..], dialect);
            if (wanted.Contains(own))
                found.TryAdd(own, name);
        }

        return found;
    }

    private static string Translate(string name, NameDialect dialect)
    {
        foreach ((string theirs, string ours) in dialect.Names)
        {
            // What begins with a dot lies within a name; the rest begins it.
            if (theirs[0] == '.'
                ? name.Contains(theirs, StringComparison.Ordinal)
                : name.StartsWith(theirs, StringComparison.Ordinal))
                name = theirs[0] == '.' ? name.Replace(theirs, ours, StringComparison.Ordinal) : ours + name[theirs.Length..];
        }

        return name;
    }

    private static string Last(string name) => name[(name.LastIndexOf('.') + 1)..];
}
