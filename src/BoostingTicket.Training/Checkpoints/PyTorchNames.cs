using BoostingTicket.Training.Models;

namespace BoostingTicket.Training.Checkpoints;

/// <summary>What the names of tensors in the files of others may carry beyond a model's own names.</summary>
internal static class PyTorchNames
{
    // DataParallel, wrappers that hold a model, torch.compile.
    private static readonly string[] Prefixes = ["module.", "model.", "_orig_mod."];

    private static readonly string[] Means = ["mu", "mean", "new_mean"];
    private static readonly string[] Deviations = ["sigma", "std", "new_std"];

    // Parts of the longest name of a model, and some to spare.
    private const int MostParts = 8;

    // A copy of block1 that the WideResNets of TRADES hold and never use.
    private const string UnusedBlock = "sub_block1.";

    // How public models call what this program's are called otherwise, a list for each family of models.
    private static readonly (string Theirs, string Ours)[][] Dialects =
    [
        [],
        // ResNet-18: torchvision and what follows it, against kuangliu/pytorch-cifar.
        [("fc.", "linear."), (".downsample.", ".shortcut.")],
        // WideResNets: names of ResNets, against TRADES.
        [
            ("linear.", "fc."), (".shortcut.0.weight", ".convShortcut.weight"), (".downsample.0.weight", ".convShortcut.weight"),
            (".shortcut.weight", ".convShortcut.weight"),
        ],
        // VGG: torchvision and many others, against Liu et al.
        [("features.", "feature.")],
    ];

    /// <summary>The name in the model; null for a tensor that models do not need.</summary>
    public static string? InModel(string name)
    {
        string bare = name;
        while (Prefixes.FirstOrDefault(prefix => bare.StartsWith(prefix, StringComparison.Ordinal)) is { } found)
            bare = bare[found.Length..];
        return IsCounter(name) || Last(name) is "mu" or "sigma" || IsUnusedBlock(bare) ? null : bare;
    }

    /// <summary>Whether a tensor counts the batches of a normalisation.</summary>
    public static bool IsCounter(string name) => Last(name) == "num_batches_tracked";

    /// <summary>Whether a tensor is the mean of a normalisation of images.</summary>
    public static bool IsMean(string name) => Means.Contains(Last(name));

    /// <summary>Whether a tensor is the deviation of a normalisation of images.</summary>
    public static bool IsDeviation(string name) => Deviations.Contains(Last(name));

    /// <summary>Whether a tensor, its prefix taken off, belongs to the block that TRADES holds and never uses.</summary>
    public static bool IsUnusedBlock(string bare) => bare.StartsWith(UnusedBlock, StringComparison.Ordinal);

    /// <summary>The prefix and the names by which a file has most of a model's tensors.</summary>
    /// <param name="names">All names of the file.</param>
    /// <param name="wanted">Names of the model.</param>
    /// <param name="prefix">A prefix that was asked for; null to find it.</param>
    /// <returns>The prefixes that are equally good, the shortest first, and the names in the file by those in the model for that.</returns>
    public static (IReadOnlyList<string> Prefixes, Dictionary<string, string> Found) Match(
        IReadOnlyCollection<string> names, IReadOnlySet<string> wanted, string? prefix)
    {
        List<(string Prefix, Dictionary<string, string> Found)> tried =
        [
            .. from start in prefix is null ? PrefixesOf(names) : [prefix]
               from dialect in Dialects
               select (start, Translate(names, start, dialect, wanted)),
        ];
        int most = tried.Max(match => match.Found.Count);
        List<(string Prefix, Dictionary<string, string> Found)> best =
            [.. tried.Where(match => match.Found.Count == most).DistinctBy(match => match.Prefix).OrderBy(match => match.Prefix.Length)];
        return ([.. best.Select(match => match.Prefix)], best[0].Found);
    }

    /// <summary>The model that a file's tensors are, whatever prefix and dialect they have; null if there is none.</summary>
    /// <param name="shapes">Shapes by names of the file.</param>
    public static string? Recognize(IReadOnlyDictionary<string, IReadOnlyList<long>> shapes)
    {
        foreach (string prefix in PrefixesOf([.. shapes.Keys]))
        {
            foreach ((string Theirs, string Ours)[] dialect in Dialects)
            {
                var own = new Dictionary<string, IReadOnlyList<long>>(StringComparer.Ordinal);
                foreach ((string name, IReadOnlyList<long> shape) in shapes)
                {
                    if (name.StartsWith(prefix, StringComparison.Ordinal) && name[prefix.Length..] is var bare
                        && !IsCounter(bare) && !IsMean(bare) && !IsDeviation(bare) && !IsUnusedBlock(bare))
                    {
                        own[Translate(bare, dialect)] = shape;
                    }
                }
                if (own.Count > 0 && ModelCatalog.Recognize(own) is { } graph)
                    return graph.Name;
            }
        }

        return null;
    }

    // Everything up to one of a name's last dots, and nothing at all. No model's name has more parts, so that longer rests
    // match nothing.
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

    private static Dictionary<string, string> Translate(
        IReadOnlyCollection<string> names, string prefix, (string Theirs, string Ours)[] dialect, IReadOnlySet<string> wanted)
    {
        var found = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (string name in names.Where(name => name.StartsWith(prefix, StringComparison.Ordinal)))
        {
            string bare = name[prefix.Length..];
            if (wanted.Contains(bare))
                found[bare] = name;
        }
        foreach (string name in names.Where(name => name.StartsWith(prefix, StringComparison.Ordinal)))
        {
            string own = Translate(name[prefix.Length..], dialect);
            if (wanted.Contains(own))
                found.TryAdd(own, name);
        }

        return found;
    }

    private static string Translate(string name, (string Theirs, string Ours)[] dialect)
    {
        foreach ((string theirs, string ours) in dialect)
        {
            // What begins with a dot lies within a name; the rest begins it.
            if (theirs[0] == '.' ? name.Contains(theirs, StringComparison.Ordinal) : name.StartsWith(theirs, StringComparison.Ordinal))
                name = theirs[0] == '.' ? name.Replace(theirs, ours, StringComparison.Ordinal) : ours + name[theirs.Length..];
        }

        return name;
    }

    private static string Last(string name) => name[(name.LastIndexOf('.') + 1)..];
}
