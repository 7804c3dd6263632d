namespace BoostingTicket.Training.Data;

/// <summary>How an ordered set of samples falls into batches. The last batch takes what is left and may be smaller.</summary>
internal readonly record struct BatchPlan
{
    /// <summary>Creates the plan.</summary>
    /// <param name="count">Number of samples, at least 1.</param>
    /// <param name="batchSize">Samples of a full batch, at least 1.</param>
    public BatchPlan(int count, int batchSize)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(batchSize);
        Count = count;
        BatchSize = batchSize;
    }

    /// <summary>Number of samples.</summary>
    public int Count { get; }

    /// <summary>Samples of a full batch.</summary>
    public int BatchSize { get; }

    /// <summary>Number of batches, a smaller last one included: 352 for 45,000 samples in batches of 128.</summary>
    public int BatchCount => (int)(((long)Count + BatchSize - 1) / BatchSize);

    /// <summary>Where a batch lies in the order of samples.</summary>
    /// <param name="batch">The batch, in [0, <see cref="BatchCount"/>).</param>
    /// <returns>The position of its first sample, and its number of samples.</returns>
    public (int Start, int Length) Batch(int batch)
    {
        if ((uint)batch >= (uint)BatchCount)
            throw new ArgumentOutOfRangeException(nameof(batch), batch, $"the plan has {BatchCount} batches");
        int start = batch * BatchSize;
        return (start, Math.Min(BatchSize, Count - start));
    }
}
