using System.Security.Cryptography;
using System.Text.Json;
using BoostingTicket.Engine.Cuda;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Runs.Folders;
using BoostingTicket.Runs.Stages;
using BoostingTicket.SoftwareCuda;
using BoostingTicket.SoftwareCuda.Libraries;
using BoostingTicket.Training.Attacks;
using BoostingTicket.Training.Data;
using BoostingTicket.Training.Evaluation;
using BoostingTicket.Training.Optimization;
using BoostingTicket.Training.Testing;

namespace BoostingTicket.Runs.Tests.Stages;

/// <summary>Runs on the software device that are not deterministic, with a cuDNN whose times differ from process to process and
/// whose algorithms differ in their last bits: what another process goes on with is what the first one would have done.</summary>
internal sealed class CudaResumeTests
{
    private static readonly DataSplit Data = SyntheticImages.Generate("synthetic-28", 1, 28, 48, 16, seed: 3);

    private static readonly RunConfiguration Small = new()
    {
        Model = "lenet-8-8-16",
        Device = "cuda",
        Seed = 5,
        Arms = [Arm.Dense],
        Data = new DataSettings { ValidationSamples = 16 },
        Attack = new AttackSettings { Epsilon = 0.1, StepSize = 0.05, Steps = 1 },
        Dense = new TrainingSettings { Method = TrainingMethod.Fgsm, Epochs = 2, BatchSize = 16, LearningRate = 0.05 },
        Evaluation = new EvaluationSettings
        {
            Attack = new AttackSettings { Epsilon = 0.1, StepSize = 0.05, Steps = 1 },
            ProbeSteps = 1,
            ProbeSamples = 16,
            BatchSize = 16,
        },
    };

    private string _root = "";

    [SetUp]
    public void CreateFolder() => _root = Directory.CreateTempSubdirectory("cuda-resume-").FullName;

    [TearDown]
    public void DeleteFolder() => Directory.Delete(_root, recursive: true);

    [Test]
    public void Killed_run_goes_on_in_another_process_with_the_same_bits()
    {
        Execute("whole", process: 1);
        Execute("other", process: 2);
        Assert.That(Weights("other"), Is.Not.EqualTo(Weights("whole")), "choices do change bits here");

        // After the first epoch, whose validation is behind: so all work was done once.
        Assert.That(() => Execute("killed", process: 1, killAfter: 3), Throws.TypeOf<KilledException>());
        Assert.That(File.Exists(new RunFolder(Folder("killed")).Result), Is.False);
        Dictionary<string, string> chosen = Chosen("killed");
        Execute("killed", process: 2, resume: true);
        Assert.That(Chosen("killed"), Is.EqualTo(chosen), "nothing was chosen anew");
        Assert.That(Weights("killed"), Is.EqualTo(Weights("whole")));
        Assert.That(Measured("killed"), Is.EqualTo(Measured("whole")));
    }

    [Test]
    public void Folder_of_0_1_0_that_keeps_no_choices_is_continued_and_keeps_them_from_then_on()
    {
        Assert.That(() => Execute("old", process: 1, killAfter: 3), Throws.TypeOf<KilledException>());
        File.Delete(new RunFolder(Folder("old")).Choices);
        Execute("old", process: 2, resume: true);
        Assert.That(File.Exists(new RunFolder(Folder("old")).Result));
        Assert.That(Chosen("old"), Is.Not.Empty);
    }

    [Test]
    public void What_is_dropped_is_said_once_in_log_environment_and_result_and_changes_nothing()
    {
        Execute("sound", process: 0);
        using var progress = new CountingProgress();
        Execute("wrong", process: 0, progress: progress, rule: WrongForward);
        Assert.That(
            progress.Warnings, Has.Exactly(2).StartsWith("cuDNN's algorithm 1 TensorOp gives "), "one for each layer and batch");
        foreach (string file in (string[])[new RunFolder(Folder("wrong")).Environment, new RunFolder(Folder("wrong")).Result])
        {
            using var document = JsonDocument.Parse(File.ReadAllText(file));
            JsonElement environment = document.RootElement.TryGetProperty("environment", out JsonElement inside)
                ? inside
                : document.RootElement;
            Assert.That(environment.GetProperty("dropped").GetString(), Does.Contain("algorithm 1 TensorOp gives ").And.Contain(
                "forward pass"));
        }
        Assert.That(Measured("wrong"), Is.EqualTo(Measured("sound")));
        Assert.That(Weights("wrong"), Is.EqualTo(
            Weights("sound")), "this device's algorithms do not differ in their last bits by themselves");
    }

    private static Unsoundness WrongForward(CudnnCall call, Engine.Cuda.Bindings.ConvolutionDirection direction, int algorithm) =>
        direction == Engine.Cuda.Bindings.ConvolutionDirection.Forward && algorithm == 1 ? Unsoundness.Quarter : Unsoundness.None;

    private string Folder(string name) => Path.Combine(_root, name);

    private string Weights(string name) => Convert.ToHexString(SHA256.HashData(
        File.ReadAllBytes(new RunFolder(Folder(name)).LastWeights(5, "dense"))));

    private string Measured(string name)
    {
        using var document = JsonDocument.Parse(File.ReadAllText(new RunFolder(Folder(name)).Result));
        JsonElement arm = document.RootElement.GetProperty("seeds")[0].GetProperty("arms")[0];
        IEnumerable<string> losses = arm.GetProperty("history").EnumerateArray().Select(
            epoch => epoch.GetProperty("trainLoss").GetRawText());
        return $"{arm.GetProperty("last").GetProperty("clean")} {arm.GetProperty("last").GetProperty("robust")} "
            + $"{string.Join(' ', losses)}";
    }

    private Dictionary<string, string> Chosen(string name)
    {
        string path = new RunFolder(Folder(name)).Choices;
        return new(RunJson.Read<Dictionary<string, ChosenWays>>(File.ReadAllText(path), path).Values.Single().Ways);
    }

    private void Execute(
        string name, int process, bool resume = false, int killAfter = int.MaxValue, CountingProgress? progress = null,
        Func<CudnnCall, Engine.Cuda.Bindings.ConvolutionDirection, int, Unsoundness>? rule = null)
    {
        // What the clock says has nothing to do with the work, and is another in each process.
        var clock = new Random(process);
        var device = new SoftwareCudaDevice(new SoftwareCudaOptions
        {
            MemoryBytes = 24UL << 20,
            Milliseconds = () => 100 + (float)clock.NextDouble(),
        });
        rule ??= process == 0
            ? (_, _, _) => Unsoundness.None
            : (_, _, algorithm) => algorithm % 2 == 1 ? Unsoundness.LastBit : Unsoundness.None;
        using CudaBackend backend = SoftwareMachine.Open(
            new CudaOptions(Precision: Precision.BFloat16), device, inner => new UnsoundCudnn(inner, device, rule, process));
        using var counting = new CountingProgress();
        var run = new TicketRun(Small, Folder(name), backend, Data, new KillingProgress(progress ?? counting, killAfter));
        run.Execute(resume, default);
    }
}
