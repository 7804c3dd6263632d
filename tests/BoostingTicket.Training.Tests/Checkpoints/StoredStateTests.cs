using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cpu;
using BoostingTicket.Engine.Plans;
using BoostingTicket.Training.Checkpoints;
using BoostingTicket.Training.Evaluation;
using BoostingTicket.Training.Files;
using BoostingTicket.Training.Optimization;
using BoostingTicket.Training.Progress;
using BoostingTicket.Training.Testing;

namespace BoostingTicket.Training.Tests.Checkpoints;

/// <summary>Files with the right checksum whose numbers no training, evaluation or report can have.</summary>
internal sealed class StoredStateTests
{
    private const string StateKey = "boosting-ticket.state", ProgressKey = "boosting-ticket.evaluation.progress";
    private static readonly (string, int)[] Course = [("pgd", 2), ("square", 5)];
    private readonly TemporaryFolder _folder = new();
    private IBackend _backend = null!;
    private Network _network = null!;

    [OneTimeSetUp]
    public void MakeNetwork()
    {
        _backend = CpuBackend.Create(threads: 1);
        _network = new Network(ModelFileFixture.Graph, _backend);
        ModelFileFixture.State.CopyTo(_network.Parameters, _backend);
        _network.Parameters.SetMasks([.. Enumerable.Repeat(1f, ModelFileFixture.Graph.Table.PrunableLength)]);
        var state = new TrainingState
        {
            Epoch = 1,
            Batch = 3,
            SampleCount = 8,
            CorrectCount = 4,
            BestEpoch = 1,
            BestScore = 0.5,
            History = [new EpochRecord(1, 0.1, 2, 0.3, 0.4, 0.2, default)],
        };
        state.KeptBytes["early-bird.0"] = [1];
        TrainingCheckpoint.Save(_folder["good"], _network, state, ModelFileFixture.Metadata);
        var evaluation = new AttackState(3) { Stage = new AttackStage(3, 1, 2, 5, 1, 0.1f, 1), Images = [0, 0.5f, 1] };
        new AttackStateFile(_folder["state"], "b", 3, 3).Save(evaluation);
    }

    [OneTimeTearDown]
    public void Dispose()
    {
        _network.Dispose();
        _backend.Dispose();
        _folder.Dispose();
    }

    [Test]
    public void Good_files_are_read()
    {
        Assert.That(Load("good").Batch, Is.EqualTo(3));
        Assert.That(Restore("state").Stage!.Next, Is.EqualTo(2));
    }

    [TestCase("\"Batch\":3", "\"Batch\":-3", "step")]
    [TestCase("\"Epoch\":1,\"Batch\"", "\"Epoch\":2000000000,\"Batch\"", "epoch")]
    [TestCase("\"SampleCount\":8", "\"SampleCount\":-8", "samples")]
    [TestCase("\"CorrectCount\":4", "\"CorrectCount\":9", "correct")]
    [TestCase("\"BestEpoch\":1", "\"BestEpoch\":2", "best epoch")]
    [TestCase("\"BestScore\":0.5", "\"BestScore\":7", "best score")]
    [TestCase("\"TrainAccuracy\":0.3", "\"TrainAccuracy\":1.5", "training accuracy")]
    [TestCase("\"History\":[", "\"History\":[null,", "cannot be read")]
    [TestCase("\"Warnings\":[]", "\"Warnings\":null", "cannot be read")]
    [TestCase("\"Warnings\":[]", "\"Warnings\":[],\"Warnings\":[]", "cannot be read")]
    [TestCase("\"Warnings\":[]", "\"Warnings\":[\"\\ud800\"]", "cannot be read")]
    public void A_checkpoints_state_is_checked(string old, string wrong, string message) =>
        RequireDamaged(() => Load(Change("good", StateKey, old, wrong)), message);

    [Test]
    public void A_checkpoints_step_must_be_one_of_the_training()
    {
        TrainingState state = Load(Change("good", StateKey, "\"Batch\":3", "\"Batch\":2000000000"));
        Assert.That(state.Batch, Is.EqualTo(2_000_000_000),
            "only the training knows how many steps it has; Trainer.Restore refuses it");
    }

    [TestCase("conv1.weight", float.NaN)]
    [TestCase("momentum.conv1.weight", float.PositiveInfinity)]
    [TestCase("bn1.running_var", -1f)]
    public void A_checkpoints_values_are_checked(string name, float value)
    {
        ModelFileFixture.Copy(_folder["good"], _folder["bad"], bytes: (tensor, content) =>
        {
            if (tensor == name)
                BitConverter.GetBytes(value).CopyTo(content.Item3, 0);
            return content;
        });
        RequireDamaged(() => Load("bad"), name);
    }

    [Test]
    public void A_checkpoints_mask_holds_0_and_1_alone()
    {
        ModelFileFixture.Copy(_folder["good"], _folder["bad"], bytes: (tensor, content) =>
        {
            if (tensor == "mask.conv1.weight")
                content.Item3[0] = 2;
            return content;
        });
        RequireDamaged(() => Load("bad"), "other than 0 and 1");
    }

    [Test]
    public void What_a_checkpoint_keeps_is_of_a_type_that_trainings_keep()
    {
        ModelFileFixture.Copy(_folder["good"], _folder["bad"], extra: writer =>
            writer.AddBytes("kept.x", SafetensorsType.I64, new byte[8], 1));
        RequireDamaged(() => Load("bad"), "no training keeps");
    }

    [TestCase("\"Results\":[]", "\"Results\":null", "cannot be read")]
    [TestCase("\"Results\":[]", "\"Results\":[null]", "null")]
    [TestCase("\"Next\":2", "\"Next\":4", "sample 4")]
    [TestCase("\"Next\":2", "\"Next\":-1", "next sample")]
    [TestCase("\"Attacked\":3", "\"Attacked\":2000000000", "2000000000")]
    [TestCase("\"ZeroGradients\":1", "\"ZeroGradients\":6", "gradients")]
    [TestCase("\"Round\":1", "\"Round\":2000000000", "round")]
    [TestCase("\"LargestPerturbation\":0.1", "\"LargestPerturbation\":-0.1", "perturbation")]
    public void An_evaluations_state_is_checked(string old, string wrong, string message) =>
        RequireDamaged(() => Restore(Change("state", ProgressKey, old, wrong)), message);

    [TestCase("robust", new byte[] { 1, 2, 0 })]
    [TestCase("images", new byte[] { 0, 0, 0x80, 0x7F })]
    public void An_evaluations_flags_and_images_are_checked(string name, byte[] wrong)
    {
        ModelFileFixture.Copy(_folder["state"], _folder["bad"], bytes: (tensor, content) =>
        {
            if (tensor == name)
                wrong.CopyTo(content.Item3, 0);
            return content;
        });
        RequireDamaged(() => Restore("bad"), "cannot be read");
    }

    [TestCase(500_000_000L, 0L)]
    [TestCase(2_147_483_648L, 0L)]
    [TestCase(1_000_000_000L, 0L)]
    [TestCase(65L, 1L)]
    public void Examples_of_impossible_numbers_cost_nothing(long count, long channels)
    {
        new SafetensorsWriter().WithMetadata("epsilon", "0.1").WithMetadata("classes", "a\nb")
            .Add("clean", new float[count * channels], count, channels, 1, 1)
                .Add("adversarial", new float[count * channels], count, channels, 1, 1)
            .Add("facts", Array.Empty<int>(), 0, 4).Save(_folder["examples"]);
        long before = GC.GetAllocatedBytesForCurrentThread();
        RequireDamaged(() => AdversarialExamples.Load(_folder["examples"]), "impossible sizes");
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThan(1 << 21));
    }

    [TestCase("lenet-4-8-32", "50000000", "conv1.weight")]
    [TestCase("lenet-4096-4096-4096", "10", "conv1.weight")]
    [TestCase("lenet-9999-9999-9999", "10", "cannot be built")]
    [TestCase("wrn-1000000-10", "10", "cannot be built")]
    [TestCase("lenet-4-8-32", "1", "boosting-ticket.classes")]
    public void A_few_letters_of_metadata_ask_for_no_memory(string model, string classes, string message)
    {
        var writer = new SafetensorsWriter().WithMetadata("boosting-ticket.kind", "weights")
            .WithMetadata("boosting-ticket.format", "1")
            .WithMetadata("boosting-ticket.model", model).WithMetadata("boosting-ticket.input", "1x28x28")
                .WithMetadata("boosting-ticket.classes", classes);
        foreach (string layer in (string[])["conv1", "conv2", "fc1", "fc2"])
            writer.Add($"{layer}.weight", new float[1], 1).Add($"{layer}.bias", new float[1], 1);
        writer.Save(_folder["weights"]);
        long before = GC.GetAllocatedBytesForCurrentThread();
        RequireDamaged(() => SavedModel.Load(_folder["weights"]), message);
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThan(1 << 21));
    }

    private static void RequireDamaged(Action read, string message) =>
        Assert.That(() => read(), Throws.TypeOf<DamagedFileException>().With.Message.Contains(message));

    private TrainingState Load(string name) => TrainingCheckpoint.Load(_folder[name], _network,
        ModelFileFixture.Metadata.ConfigurationHash!);

    private AttackState Restore(string name)
    {
        AttackState state = new AttackStateFile(_folder[name], "b", 3, 3).Restore()!;
        state.RequireFits(Course);
        return state;
    }

    private string Change(string source, string key, string old, string wrong)
    {
        bool found = false;
        ModelFileFixture.Copy(_folder[source], _folder["bad"], metadata: (name, value) =>
        {
            found |= name == key && value.Contains(old, StringComparison.Ordinal);
            return name == key ? value.Replace(old, wrong, StringComparison.Ordinal) : value;
        });
        Assert.That(found, $"the file has {old}");
        return "bad";
    }
}
