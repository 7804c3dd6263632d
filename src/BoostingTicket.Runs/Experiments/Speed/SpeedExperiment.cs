using BoostingTicket.Engine.Tensors;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Training.Evaluation;
using BoostingTicket.Training.Optimization;

namespace BoostingTicket.Runs.Experiments.Speed;

/// <summary>Time to equal robustness: how soon tickets, cheaper donors, cheaper attacks and attacks in bfloat16 reach the
/// robust accuracy that the full network has after its training on PGD. The project's own experiment, not the paper's.</summary>
internal sealed class SpeedExperiment : IExperiment
{
    /// <summary>Epochs of the full network and of donors, as short trainings on CIFAR-10 have them (Wong, Rice and Kolter,
    /// 2020).</summary>
    public const int Epochs = 15;

    /// <summary>Test images that AutoAttack attacks, if nothing else is asked for.</summary>
    public const int UsualAttackedSamples = 256;

    private const int TestSamples = 1_000, ValidationSamples = 100;

    private static readonly string[] Models = ["resnet18-w16", "vgg16-w16"];

    /// <inheritdoc/>
    public string Name => "speed";

    /// <inheritdoc/>
    public string Title => "time to the robustness of the full network, ResNet-18 and VGG-16 of a quarter of the width";

    /// <inheritdoc/>
    public string Description =>
        "No experiment of the paper. The full network is trained on PGD, and tickets, cheaper donors, cheaper attacks and "
        + "attacks in bfloat16 beside it, with rates that fall in a straight line. The weights after each epoch are tested on "
        + "the first 1,000 test images. The result is when each has the PGD-20 accuracy that the full network of its seed has "
        + "at its end, in seconds of processors (not on a GPU) and in seconds that passed; those of a ticket's donor count, "
        + "evaluations do not.";

    /// <inheritdoc/>
    public RunConfiguration Base { get; } = new()
    {
        Preset = ExperimentRun.Command,
        Data = new DataSettings
        {
            Name = "cifar10",
            CropFlip = true,
            TestSamples = TestSamples,
            // Nothing is chosen by validation, so that nearly all images are trained on.
            ValidationSamples = ValidationSamples,
        },
        Retrain = new TrainingSettings { LearningRateDecay = LearningRateDecay.Linear },
        Evaluation = new EvaluationSettings { ProbeSteps = 0 },
    };

    /// <inheritdoc/>
    public int LongestEpochs => Epochs;

    /// <inheritdoc/>
    public bool IsPapers => false;

    /// <inheritdoc/>
    public IReadOnlyList<(string Name, string Description)> Arms { get; } =
        [.. SpeedArms.All.Select(arm => (arm.Name, arm.Description))];

    /// <summary>The trainings of the full networks, for programs that do them in another way.</summary>
    /// <param name="configuration">What the experiment was asked to do.</param>
    public static IEnumerable<TrainingJob> DenseJobs(ExperimentConfiguration configuration)
    {
        var grid = new ExperimentGrid(
            configuration with { Arms = [SpeedArms.Dense] }, Epochs, new GridFingerprints("train", "test"));
        ((IExperiment)new SpeedExperiment()).Declare(grid);
        return grid.Courses.Select(course => course.Training.Job);
    }

    /// <inheritdoc/>
    Precision? IExperiment.Beside(ExperimentConfiguration configuration) =>
        configuration.Includes(SpeedArms.BFloat16) ? Precision.BFloat16 : null;

    /// <inheritdoc/>
    void IExperiment.Declare(ExperimentGrid grid)
    {
        List<SpeedArm> arms = [.. SpeedArms.All.Where(arm => grid.Includes(arm.Name) || arm.Name == SpeedArms.Dense)];
        if (grid.BesideLacks is { } reason && arms.RemoveAll(arm => arm.Name == SpeedArms.BFloat16) > 0)
            grid.Warn($"The arm {SpeedArms.BFloat16} is left out: {reason}.");
        foreach (string model in Models.Select(grid.Model).Distinct())
        {
            var trainings = new SpeedTrainings(grid, model);
            foreach (SpeedArm arm in arms)
            {
                foreach (ulong seed in grid.Seeds)
                    grid.Course(model, arm.Name, arm.Train(trainings, seed), grid.AttackedSamples ?? UsualAttackedSamples);
            }
        }
    }
}
