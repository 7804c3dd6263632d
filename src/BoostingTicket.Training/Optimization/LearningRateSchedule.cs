namespace BoostingTicket.Training.Optimization;

/// <summary>The learning rate of every step: a linear warm-up from one rate to another, then the full rate, multiplied at
/// fixed shares of the training (paper, section 3.1 and Appendix A: ×0.1 at 50 % and 75 %), or falling in a straight line that
/// would reach 0 one step after the last.</summary>
internal sealed class LearningRateSchedule
{
    private readonly double _rate;
    private readonly double _warmupFrom;
    private readonly long _warmupSteps;
    private readonly long[] _drops;
    private readonly double _factor;
    private readonly bool _isLinear;

    /// <summary>The schedule of a training.</summary>
    /// <param name="settings">Rates, warm-up and drops.</param>
    /// <param name="stepsPerEpoch">Batches of an epoch.</param>
    /// <param name="totalSteps">Steps of the whole training; null for the settings' epochs.</param>
    public LearningRateSchedule(TrainingSettings settings, int stepsPerEpoch, long? totalSteps = null)
    {
        ArgumentNullException.ThrowIfNull(settings);
        TotalSteps = totalSteps ?? (long)settings.Epochs * stepsPerEpoch;
        _rate = settings.LearningRate;
        _warmupFrom = settings.WarmupFrom ?? settings.LearningRate;
        _warmupSteps = settings.WarmupFrom is null ? 0 : settings.WarmupLength.ToIterations(stepsPerEpoch, TotalSteps);
        _isLinear = settings.LearningRateDecay == LearningRateDecay.Linear;
        _drops = _isLinear ? [] : [.. settings.LearningRateDrops.Select(share => (long)Math.Floor(share * TotalSteps))];
        _factor = settings.LearningRateFactor;
    }

    /// <summary>Steps of the whole training.</summary>
    public long TotalSteps { get; }

    /// <summary>The rate of a step, 0 for the first.</summary>
    public double RateAt(long step)
    {
        double rate = step < _warmupSteps
            ? _warmupFrom + (_rate - _warmupFrom) * step / _warmupSteps
            : _isLinear ? _rate * (TotalSteps - step) / Math.Max(TotalSteps - _warmupSteps, 1) : _rate;
        foreach (long drop in _drops)
        {
            if (step >= drop)
                rate *= _factor;
        }
        return rate;
    }
}
