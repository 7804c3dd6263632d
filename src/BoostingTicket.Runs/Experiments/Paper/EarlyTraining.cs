using BoostingTicket.Training.Optimization;

namespace BoostingTicket.Runs.Experiments.Paper;

/// <summary>The first epochs of a longer training, alone.</summary>
internal static class EarlyTraining
{
    /// <summary>A training that does exactly what the first epochs of another do: the warm-up keeps its length in epochs, and the
    /// rate drops at the same steps, if it does so early.</summary>
    /// <param name="whole">The whole training, whose warm-up is a share of it.</param>
    /// <param name="epochs">How many of its epochs.</param>
    public static TrainingSettings Of(TrainingSettings whole, int epochs) => whole with
    {
        Epochs = epochs,
        // The next number up, so that rounding does not bring a drop a step forward.
        LearningRateDrops =
        [
            .. whole.LearningRateDrops.Select(drop => Math.BitIncrement(drop * whole.Epochs / epochs)).Where(drop => drop < 1),
        ],
        WarmupLength = whole.WarmupLength.Unit == StepUnit.Percent
            ? new StepLength(whole.WarmupLength.Value / 100 * whole.Epochs, StepUnit.Epochs)
            : whole.WarmupLength,
    };
}
