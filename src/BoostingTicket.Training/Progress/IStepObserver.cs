namespace BoostingTicket.Training.Progress;

/// <summary>What training is doing. The phases of a step follow one another without a gap.</summary>
internal enum StepPhase
{
    /// <summary>Drawing which samples come next and how they are shifted and flipped.</summary>
    Augmentation,

    /// <summary>Gathering the images (shifting and flipping them on the way), labels and sample identities.</summary>
    Data,

    /// <summary>Bringing filters up to date with the weights: packing, folding of normalisation, lists of kept weights.</summary>
    Filters,

    /// <summary>Random or zero start of an attack.</summary>
    AttackStart,

    /// <summary>Forward pass and loss of an attack.</summary>
    AttackForward,

    /// <summary>Gradient of the images.</summary>
    AttackGradient,

    /// <summary>Sign, step, projection onto the ball and clamp; keeping the worst of several restarts.</summary>
    AttackStep,

    /// <summary>Forward pass and loss of training.</summary>
    TrainingForward,

    /// <summary>Gradients of the parameters, with the transfer of the losses.</summary>
    TrainingBackward,

    /// <summary>Adding up gradients and statistics of replicas, and exchanging them with other processes.</summary>
    Exchange,

    /// <summary>SGD and mask.</summary>
    Update,

    /// <summary>Classifying validation samples after an epoch.</summary>
    Evaluation,
}

/// <summary>Told where a step of training is. Who has no observer pays a comparison with null a phase.</summary>
internal interface IStepObserver
{
    /// <summary>A phase begins, and with it the one before ends. A profiler synchronises the backend here.</summary>
    void Enter(StepPhase phase);
}
