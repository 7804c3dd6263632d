namespace BoostingTicket.Training.Pruning;

/// <summary>What a weight's byte says while a mask is being chosen.</summary>
internal static class WeightState
{
    /// <summary>Pruned.</summary>
    public const byte Pruned = 0;

    /// <summary>Kept so far; may still be pruned.</summary>
    public const byte Candidate = 1;

    /// <summary>Kept permanently. Its lowest bit is 0, which the counting of candidates rests on.</summary>
    public const byte Protected = 2;
}

/// <summary>Where the smallest weights end: those of smaller magnitude bits, and of those with equal bits the first few by
/// index.</summary>
/// <param name="Bits">Bits of a float32 magnitude; they order like the magnitudes.</param>
/// <param name="Ties">How many candidates of exactly these bits belong to the smallest.</param>
internal readonly record struct MagnitudeCut(uint Bits, int Ties);

/// <summary>Finds and marks the weights of smallest magnitude in time proportional to their number, whatever their values: two
/// counting passes over the bits of the magnitudes, no sorting. Equal magnitudes are taken in the order of their
/// index.</summary>
internal static class MagnitudeSelection
{
    private const uint MagnitudeBits = 0x7FFFFFFF;
    private const int LowBits = 15;
    private const int HighBuckets = 1 << 16;
    private const int LowBuckets = 1 << LowBits;

    /// <summary>The bits of |value|; 0 and -0 are the same.</summary>
    public static uint BitsOf(float value) => BitConverter.SingleToUInt32Bits(value) & MagnitudeBits;

    /// <summary>Where the smallest <paramref name="count"/> candidates end.</summary>
    /// <param name="weights">Finite values.</param>
    /// <param name="states">A <see cref="WeightState"/> for each.</param>
    /// <param name="count">From 0 to the number of candidates.</param>
    public static MagnitudeCut Find(ReadOnlySpan<float> weights, ReadOnlySpan<byte> states, int count)
    {
        if (count == 0)
            return default;
        states = states[..weights.Length];
        int[] high = new int[HighBuckets];
        for (int i = 0; i < weights.Length; i++)
            high[BitsOf(weights[i]) >> LowBits] += states[i] & WeightState.Candidate;
        (int bucket, int left) = Locate(high, count);

        int[] low = new int[LowBuckets];
        for (int i = 0; i < weights.Length; i++)
        {
            uint bits = BitsOf(weights[i]);
            if (bits >> LowBits == (uint)bucket)
                low[bits & (LowBuckets - 1)] += states[i] & WeightState.Candidate;
        }

        (int lowest, int ties) = Locate(low, left);
        return new MagnitudeCut(((uint)bucket << LowBits) | (uint)lowest, ties);
    }

    /// <summary>Gives all candidates before the cut, or all after it, another state.</summary>
    /// <param name="weights">Finite values.</param>
    /// <param name="states">A <see cref="WeightState"/> for each; changed.</param>
    /// <param name="cut">Where the smallest end.</param>
    /// <param name="before">State of the smallest.</param>
    /// <param name="after">State of the others.</param>
    public static void Mark(ReadOnlySpan<float> weights, Span<byte> states, MagnitudeCut cut, byte before, byte after)
    {
        states = states[..weights.Length];
        int ties = cut.Ties;
        for (int i = 0; i < weights.Length; i++)
        {
            if (states[i] != WeightState.Candidate)
                continue;
            uint bits = BitsOf(weights[i]);
            states[i] = bits < cut.Bits || (bits == cut.Bits && ties-- > 0) ? before : after;
        }
    }

    // The bucket in which the count-th item lies, and its place in there, from 1 on.
    private static (int Bucket, int Place) Locate(ReadOnlySpan<int> buckets, int count)
    {
        int bucket = 0;
        while (buckets[bucket] < count)
            count -= buckets[bucket++];
        return (bucket, count);
    }
}
