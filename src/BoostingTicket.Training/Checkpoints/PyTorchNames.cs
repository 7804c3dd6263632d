namespace BoostingTicket.Training.Checkpoints;

/// <summary>What the names of tensors in the files of others may carry beyond a model's own names.</summary>
internal static class PyTorchNames
{
    // DataParallel, wrappers that hold a model, torch.compile.
    private static readonly string[] Prefixes = ["module.", "model.", "_orig_mod."];

    // Counters of normalisations, constants of normalisation wrappers.
    private static readonly string[] IgnoredLastParts = ["num_batches_tracked", "mu", "sigma"];

    // A copy of block1 that the WideResNets of TRADES hold and never use.
    private const string UnusedBlock = "sub_block1.";

    /// <summary>The name in the model; null for a tensor that models do not need.</summary>
    public static string? InModel(string name)
    {
        string bare = name;
        while (Prefixes.FirstOrDefault(prefix => bare.StartsWith(prefix, StringComparison.Ordinal)) is { } found)
            bare = bare[found.Length..];
        string last = bare[(bare.LastIndexOf('.') + 1)..];
        return IgnoredLastParts.Contains(last) || bare.StartsWith(UnusedBlock, StringComparison.Ordinal) ? null : bare;
    }
}
