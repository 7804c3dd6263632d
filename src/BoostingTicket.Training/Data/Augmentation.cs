namespace BoostingTicket.Training.Data;

/// <summary>How training images are varied from epoch to epoch.</summary>
public enum Augmentation
{
    /// <summary>Not at all.</summary>
    None,

    /// <summary>Shifted by up to 4 pixels each way, zeros coming in: a random crop of the image padded by 4.</summary>
    Crop4,

    /// <summary><see cref="Crop4"/>, then mirrored left to right with probability 1/2: the field's standard for
    /// CIFAR-10.</summary>
    Crop4Flip,
}
