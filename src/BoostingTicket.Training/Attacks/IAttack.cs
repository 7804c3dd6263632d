namespace BoostingTicket.Training.Attacks;

/// <summary>An L∞ attack. It works in rounds (restarts, target classes), so that who runs it can pass on to the next round only
/// what the rounds before left robust. A sample's course depends on nothing but the sample, so that results do not depend on how
/// samples are batched.</summary>
internal interface IAttack : IDisposable
{
    /// <summary>Rounds, at least one.</summary>
    int Rounds { get; }

    /// <summary>Iterations of a round at most; it calls <see cref="AttackBatch.Advance"/> after each.</summary>
    int Iterations { get; }

    /// <summary>Whether it uses gradients, so that it counts those that have vanished.</summary>
    bool UsesGradients => true;

    /// <summary>Why what it finds flatters any network, in a sentence; null where it does not.</summary>
    string? Weakness => null;

    /// <summary>Attacks a batch.</summary>
    /// <param name="batch">Clean images and labels; receives a candidate for every sample, in the ball whether it
    /// succeeds or not.</param>
    /// <param name="round">Number of the round, from 0 on.</param>
    void Run(AttackBatch batch, int round);
}
