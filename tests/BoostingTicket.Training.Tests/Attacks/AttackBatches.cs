using BoostingTicket.Training.Attacks;

namespace BoostingTicket.Training.Tests.Attacks;

/// <summary>Batches from batches.</summary>
internal static class AttackBatches
{
    /// <summary>A batch of one sample of another, clean.</summary>
    public static AttackBatch Alone(this AttackBatch batch, int sample)
    {
        var single = new AttackBatch(1, batch.Shape);
        batch.Clean.AsSpan(sample * batch.Shape.Length, batch.Shape.Length).CopyTo(single.Clean);
        (single.Labels[0], single.Samples[0]) = (batch.Labels[sample], batch.Samples[sample]);
        return single;
    }
}
