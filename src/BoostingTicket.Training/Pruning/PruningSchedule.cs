namespace BoostingTicket.Training.Pruning;

/// <summary>How iterative pruning reaches its ratio: every round prunes the same share of what is left (Frankle and Carbin,
/// 2019; paper, section 2.1 and appendix B).</summary>
internal static class PruningSchedule
{
    /// <summary>The ratio to have reached after each round, <c>1 - (1 - ratio)^(round / rounds)</c>; the last is exactly the
    /// ratio. Give each to <see cref="IPruner.Prune"/> with the mask of the round before.</summary>
    /// <param name="ratio">Pruned weights out of all prunable ones at the end, in [0, 1).</param>
    /// <param name="rounds">1 for one-shot pruning, as in the paper.</param>
    /// <exception cref="ConfigurationException">A value is out of range.</exception>
    public static IReadOnlyList<double> CumulativeRatios(double ratio, int rounds)
    {
        new PruningOptions(ratio).Check();
        if (rounds < 1)
            throw new ConfigurationException(FormattableString.Invariant(
                $"{rounds} pruning rounds are out of range; give 1 or more."));
        double[] ratios = new double[rounds];
        for (int round = 1; round < rounds; round++)
            ratios[round - 1] = 1 - Math.Pow(1 - ratio, (double)round / rounds);
        ratios[^1] = ratio;
        return ratios;
    }
}
