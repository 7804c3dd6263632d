using BoostingTicket.Engine.Plans;

namespace BoostingTicket.Training.Optimization;

/// <summary>Looks at a training after every epoch and may end it.</summary>
internal interface IEpochRule
{
    /// <summary>Whether training ends here.</summary>
    /// <param name="network">The network, with the weights that validation saw.</param>
    /// <param name="state">The training, whose history ends in the epoch.</param>
    bool Ends(Network network, TrainingState state);

    /// <summary>Keeps what it remembers for a checkpoint.</summary>
    void Keep(TrainingState state);

    /// <summary>Remembers what a checkpoint kept.</summary>
    void Restore(TrainingState state);
}
