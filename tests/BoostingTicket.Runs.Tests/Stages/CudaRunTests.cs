using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cpu;
using BoostingTicket.Engine.Cuda;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Runs.Stages;
using BoostingTicket.SoftwareCuda;
using BoostingTicket.Training.Attacks;
using BoostingTicket.Training.Data;
using BoostingTicket.Training.Evaluation;
using BoostingTicket.Training.Optimization;
using BoostingTicket.Training.Testing;

namespace BoostingTicket.Runs.Tests.Stages;

/// <summary>The main job from beginning to end on the software CUDA device: its kernels, its library calls, its recorded
/// steps.</summary>
internal sealed class CudaRunTests
{
    private static readonly DataSplit Data = SyntheticImages.Generate("synthetic-28", 1, 28, 88, 24, seed: 3);

    private static RunConfiguration Small => new()
    {
        Model = "lenet-4-8-32",
        Device = "cuda",
        Seed = 5,
        Arms = [Arm.Dense, Arm.Ticket],
        Data = new DataSettings { ValidationSamples = 24 },
        Attack = new AttackSettings { Epsilon = 0.1, StepSize = 0.05, Steps = 2 },
        Donor = new TrainingSettings { Method = TrainingMethod.Fgsm, Epochs = 1, BatchSize = 16, LearningRate = 0.02 },
        Retrain = new TrainingSettings { Epochs = 1, BatchSize = 16, LearningRate = 0.05, WarmupFrom = 0.02 },
        Dense = new TrainingSettings { Epochs = 1, BatchSize = 16, LearningRate = 0.05 },
        Evaluation = new EvaluationSettings
        {
            Attack = new AttackSettings { Epsilon = 0.1, StepSize = 0.05, Steps = 2, Restarts = 2 },
            ProbeSteps = 1,
            ProbeSamples = 24,
            BatchSize = 24,
        },
    };

    private string _root = "";

    [SetUp]
    public void CreateFolder() => _root = Directory.CreateTempSubdirectory("cuda-run-").FullName;

    [TearDown]
    public void DeleteFolder() => Directory.Delete(_root, recursive: true);

    [Test]
    public void A_run_in_float32_takes_the_same_course_as_on_the_cpu()
    {
        RunResult cuda, cpu;
        using (CudaBackend backend = SoftwareMachine.Open(new CudaOptions(Precision: Precision.Float32, Deterministic: true)))
        {
            cuda = Execute(backend, "cuda");
            Assert.That(backend.Context.RecordingFailure, Is.Null, "attacks and training steps are replayed");
        }
        using (IBackend backend = CpuBackend.Create(1))
            cpu = Execute(backend, "cpu");
        foreach ((ArmResult ours, ArmResult theirs) in cuda.Seeds.Single().Arms.Zip(cpu.Seeds.Single().Arms))
        {
            Assert.Multiple(() =>
            {
                Assert.That(ours.History[0].TrainLoss, Is.EqualTo(theirs.History[0].TrainLoss).Within(1e-3));
                Assert.That(ours.Last.LargestPerturbation, Is.EqualTo(theirs.Last.LargestPerturbation).Within(1e-6));
                // One of 24 samples may lie so close to a border that rounding decides.
                Assert.That(ours.Last.Clean, Is.EqualTo(theirs.Last.Clean).Within(1.5 / 24));
                Assert.That(ours.Last.Robust, Is.EqualTo(theirs.Last.Robust).Within(1.5 / 24));
                Assert.That(ours.Sparsity, Is.EqualTo(theirs.Sparsity));
            });
        }
    }

    private RunResult Execute(IBackend backend, string name)
    {
        using var progress = new CountingProgress();
        return new TicketRun(Small, Path.Combine(_root, name), backend, Data, progress).Execute(resume: false, default);
    }
}
