namespace BoostingTicket.Training.Checkpoints;

/// <summary>What a safetensors file is. Files of this project say so in their metadata, in lower case.</summary>
internal enum FileKind
{
    /// <summary>None of the others.</summary>
    Other,

    /// <summary>The weights and running statistics of a model, named as in PyTorch.</summary>
    Weights,

    /// <summary>Which weights a model keeps.</summary>
    Mask,

    /// <summary>Initial weights and statistics, and the mask that makes a ticket of them.</summary>
    Ticket,

    /// <summary>Everything that a training needs to go on.</summary>
    Checkpoint,
}
