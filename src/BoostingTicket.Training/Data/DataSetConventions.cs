namespace BoostingTicket.Training.Data;

/// <summary>What the field does with a data set: the settings that hold for it where neither a preset, a file nor an option says
/// otherwise. All distances are in pixel units of [0, 1].</summary>
internal sealed record DataSetConventions
{
    /// <summary>Names of the presets that commands take model, training and pruning from: the first whose model is of the family
    /// that is asked for, else the first. Never empty.</summary>
    public required IReadOnlyList<string> Presets { get; init; }

    /// <summary>Radius of the L∞ ball, in training and evaluation.</summary>
    public required double Epsilon { get; init; }

    /// <summary>Size of a PGD step, in training and evaluation.</summary>
    public required double StepSize { get; init; }

    /// <summary>PGD steps of adversarial training, and of the validation after an epoch.</summary>
    public required int TrainingSteps { get; init; }

    /// <summary>PGD steps of the final evaluation.</summary>
    public required int EvaluationSteps { get; init; }

    /// <summary>Whether training images are cropped at random (padded by 4) and flipped.</summary>
    public bool CropFlip { get; init; }

    /// <summary>Training images, those for validation among them; 0 for all.</summary>
    public int TrainSamples { get; init; }

    /// <summary>Test images; 0 for all.</summary>
    public int TestSamples { get; init; }

    /// <summary>Training images set aside for validation.</summary>
    public int ValidationSamples { get; init; } = 5_000;

    /// <summary>Photographs of CIFAR-10's kind: 8/255 by steps of 2/255, ten in training and twenty in evaluation, crops and
    /// flips (Madry et al., 2017; the paper, section 4.1 and appendix A).</summary>
    public static DataSetConventions Cifar { get; } = new()
    {
        Presets = ["cifar10-resnet18", "cifar10-vgg16", "cifar10-wrn34"],
        Epsilon = 8.0 / 255,
        StepSize = 2.0 / 255,
        TrainingSteps = 10,
        EvaluationSteps = 20,
        CropFlip = true,
    };

    /// <summary>Drawn digits and what is published in their form: 0.3 by 40 steps of 0.01, neither crops nor flips (Madry et al.,
    /// 2017, on MNIST; TRADES evaluates so too). Steps of 2/255 could not cross that ball.</summary>
    public static DataSetConventions Mnist { get; } = new()
    {
        Presets = ["mnist-pgd"],
        Epsilon = 0.3,
        StepSize = 0.01,
        TrainingSteps = 40,
        EvaluationSteps = 40,
    };

    /// <summary>One's own images: the ball of photographs, neither crops nor flips, since nothing is known of them.</summary>
    /// <param name="channels">Channels of an image; they choose the presets.</param>
    /// <param name="samples">Training images, of which at most a tenth validates.</param>
    public static DataSetConventions Own(int channels, int samples) => Cifar with
    {
        Presets = channels == 1 ? Mnist.Presets : Cifar.Presets,
        CropFlip = false,
        ValidationSamples = Math.Clamp(samples / 10, 1, Cifar.ValidationSamples),
    };

    /// <summary>Generated images: ε is large enough to tell networks apart and small enough to learn from PGD images in a few
    /// epochs without normalisation layers.</summary>
    public static DataSetConventions Synthetic { get; } = new()
    {
        Presets = ["quick"],
        Epsilon = 0.08,
        StepSize = 0.02,
        TrainingSteps = 7,
        EvaluationSteps = 20,
        TrainSamples = SyntheticDataSet.DefaultTrainSamples,
        TestSamples = SyntheticDataSet.DefaultTestSamples,
        ValidationSamples = 500,
    };
}
