namespace BoostingTicket.Training.Data.Own;

/// <summary>Finds what is unusual about images that can be used.</summary>
internal static class OwnChecks
{
    private const int FewImages = 10;
    private const int Shown = 5;

    /// <summary>What a user should know; a sentence each.</summary>
    /// <param name="split">Training and test images.</param>
    public static IEnumerable<string> Warnings(DataSplit split)
    {
        int[] train = Count(split.Train), test = Count(split.Test);
        if (Named(split, label => train[label] == 0) is { } untrained)
            yield return $"No training image is of the class {untrained}.";
        if (Named(split, label => train[label] is > 0 and < FewImages) is { } few)
            yield return $"Fewer than {FewImages} training images are of the class {few}.";
        if (Named(split, label => test[label] == 0) is { } untested)
            yield return $"No test image is of the class {untested}.";
        int shared = Shared(split);
        if (shared > 0)
            yield return FormattableString.Invariant(
                $"Test images that are training images too: {shared} of {split.Test.Count}.");
    }

    private static int[] Count(ImageSet set)
    {
        int[] counts = new int[set.Classes.Count];
        foreach (byte label in set.Labels)
            counts[label]++;
        return counts;
    }

    private static string? Named(DataSplit split, Func<int, bool> isSuch)
    {
        string[] names = [.. Enumerable.Range(0, split.Train.Classes.Count).Where(isSuch).Select(
            label => split.Train.Classes[label])];
        return names.Length == 0 ? null : string.Join(", ", names.Take(Shown)) + (names.Length > Shown ? " and others" : "");
    }

    private static int Shared(DataSplit split)
    {
        var seen = new HashSet<UInt128>(split.Train.Count);
        for (int i = 0; i < split.Train.Count; i++)
            seen.Add(System.IO.Hashing.XxHash128.HashToUInt128(split.Train.Sample(i)));
        int shared = 0;
        for (int i = 0; i < split.Test.Count; i++)
            shared += seen.Contains(System.IO.Hashing.XxHash128.HashToUInt128(split.Test.Sample(i))) ? 1 : 0;
        return shared;
    }
}
