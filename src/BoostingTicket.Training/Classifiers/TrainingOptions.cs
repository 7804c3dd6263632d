using BoostingTicket.Training.Data;
using BoostingTicket.Training.Evaluation;
using BoostingTicket.Training.Progress;

namespace BoostingTicket.Training.Classifiers;

/// <summary>What a training of a <see cref="Classifier"/> takes besides its settings and its attack.</summary>
public sealed record TrainingOptions
{
    /// <summary>Images that are set aside for validation, 1 or more and fewer than there are; null for a tenth. Which they are
    /// follows from the classifier's seed.</summary>
    public int? ValidationSamples { get; init; }

    /// <summary>The validation after each epoch. Its <see cref="EvaluationSettings.Attack"/> is not used: the probe takes the
    /// training's attack, with <see cref="EvaluationSettings.ProbeSteps"/> steps.</summary>
    public EvaluationSettings Validation { get; init; } = new();

    /// <summary>How images are varied from epoch to epoch.</summary>
    public Augmentation Augmentation { get; init; }

    /// <summary>Whether the classifier ends with the weights of the epoch that validated best (under the probe in adversarial
    /// training, clean otherwise) in place of the last.</summary>
    public bool KeepBest { get; init; } = true;

    /// <summary>Told of every epoch when it has ended, on the thread that trains; null for nobody.</summary>
    public IProgress<EpochRecord>? Progress { get; init; }
}
