using BoostingTicket.Engine.Plans;
using BoostingTicket.Engine.Ranks;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Training.Models;
using BoostingTicket.Training.Optimization;
using BoostingTicket.Training.Optimization.Methods;
using BoostingTicket.Training.Progress;
using BoostingTicket.Training.Ranks;
using BoostingTicket.Training.Testing;
using BoostingTicket.Training.Tests.Optimization.Replicas;

namespace BoostingTicket.Training.Tests.Ranks;

/// <summary>How many processes compute never changes a bit. Processes are threads here; real ones are in Cli.Tests.</summary>
internal sealed class RankTrainingTests
{
    private const string Model = "resnet18-w4";

    private static readonly Dictionary<(int Replicas, double Ratio), string> Alone = [];

    private static IEnumerable<TrainingMethod> Methods => TrainingMethodCatalog.All.Select(method => method.Method);

    // More processes than replicas are refused.
    private static IEnumerable<TestCaseData> Splits =>
        from replicas in (int[])[2, 4, 6]
        from ranks in (int[])[2, 3, 4]
        where ranks <= replicas
        from ratio in (double[])[0, 0.8]
        select new TestCaseData(replicas, ranks, ratio);

    [TestCaseSource(nameof(Splits))]
    public void Weights_do_not_depend_on_the_number_of_processes(int replicas, int ranks, double ratio)
    {
        TrainingSettings settings = ReplicaTraining.Settings(TrainingMethod.Pgd, replicas) with { Ema = 0.5 };
        if (!Alone.TryGetValue((replicas, ratio), out string? alone))
            Alone.Add((replicas, ratio), alone = Train(1));
        Assert.That(Train(ranks), Is.EqualTo(alone));

        string Train(int count) =>
            ThreadGroup.Run(count, backend => ReplicaTraining.Run(settings, backend, Model, ratio: ratio).Weights);
    }

    [Test]
    public void Every_method_gives_the_same_bits_by_three_processes([ValueSource(nameof(Methods))] TrainingMethod method)
    {
        TrainingSettings settings = ReplicaTraining.Settings(method, 5);
        (string Weights, double Loss) alone = Train(1), shared = Train(3);
        Assert.That(shared, Is.EqualTo(alone));

        (string, double) Train(int count) => ThreadGroup.Run(count, backend =>
        {
            (string weights, TrainingState state) = ReplicaTraining.Run(settings, backend);
            return (weights, state.History[^1].TrainLoss);
        });
    }

    [Test]
    public void What_four_began_two_go_on_with_and_one_ends(
        [Values(TrainingMethod.Pgd, TrainingMethod.Free)] TrainingMethod method)
    {
        using var folder = new TemporaryFolder();
        TrainingSettings settings = ReplicaTraining.Settings(method, 4) with { Epochs = 4, Ema = 0.5 };
        string whole = ThreadGroup.Run(1, backend => ReplicaTraining.Run(settings, backend, Model).Weights);
        int[] stops = [2, 3, int.MaxValue];
        string last = "";
        foreach ((int ranks, int stop) in ((int[])[4, 2, 1]).Zip(stops))
        {
            last = ThreadGroup.Run(ranks, backend => ReplicaTraining.Run(
                settings, backend, Model, checkpoint: folder["checkpoint"], stopAfter: stop).Weights);
        }
        Assert.That(last, Is.EqualTo(whole));
    }

    [Test]
    public void A_ticket_sends_its_kept_entries_alone()
    {
        TrainingSettings settings = ReplicaTraining.Settings(TrainingMethod.Fgsm, 2);
        long dense = BytesOf(0), ticket = BytesOf(0.8);
        TestContext.Out.WriteLine($"dense {dense}, ticket {ticket}, {(double)ticket / dense:P1}");
        // Losses, calls for hashes, biases, normalisation and statistics travel whole.
        Assert.That((double)ticket / dense, Is.InRange(0.2, 0.25));

        long BytesOf(double ratio) => ThreadGroup.Run(2, backend =>
        {
            var group = (ThreadGroup)RankTeam.Of(backend)!.Group;
            long before = group.BytesExchanged;
            ReplicaTraining.Run(settings, backend, "resnet18-w8", ratio: ratio);
            return group.BytesExchanged - before;
        });
    }

    [Test]
    public void Processor_seconds_are_those_of_all_processes_and_none_of_them_disturbs_another()
    {
        TrainingSettings settings = ReplicaTraining.Settings(TrainingMethod.Fgsm, 2);
        ThreadGroup.Run(2, backend =>
        {
            // Ranks are threads of one process, so that the seconds of each are those of this process.
            using var network = new Network(ModelCatalog.Build(Model, new ModelOptions(new FeatureShape(1, 28, 28))), backend);
            double before = MachineLoad.Now().Own;
            MachineLoad both = TeamLoad.Now(RankTeam.Of(backend)!, network).Load;
            Assert.That(both.Own, Is.InRange(2 * before, 2 * MachineLoad.Now().Own));
            double own = Environment.CpuUsage.TotalTime.TotalSeconds;
            (_, TrainingState state) = ReplicaTraining.Run(settings, backend, Model);
            own = Environment.CpuUsage.TotalTime.TotalSeconds - own;
            TrainingWork work = TrainingWork.Sum(state.History)!.Value;
            Assert.That(work.ProcessorSeconds, Is.Positive.And.LessThanOrEqualTo(2 * own));
            Assert.That(work.DisturbedSeconds, Is.Null);
            return 0;
        });
    }

    [Test]
    public void Operations_are_those_of_all_processes([Values(2, 3)] int ranks)
    {
        TrainingSettings settings = ReplicaTraining.Settings(TrainingMethod.Pgd, 4);
        Assert.That(Operations(ranks), Is.EqualTo(Operations(1)).Within(1e-9).Percent);

        // The second training has another network, of which the others make one anew.
        double Operations(int count) => ThreadGroup.Run(count, backend => ((string[])[Model, "resnet18-w2"]).Sum(
            model => TrainingWork.Sum(ReplicaTraining.Run(settings, backend, model).State.History)!.Value.Operations));
    }

    [Test]
    public void More_processes_than_replicas_are_refused()
    {
        TrainingSettings settings = ReplicaTraining.Settings(TrainingMethod.Fgsm, 2);
        Assert.That(
            () => ThreadGroup.Run(3, backend => ReplicaTraining.Run(settings, backend)),
            Throws.TypeOf<ConfigurationException>().With.Message.EqualTo(
                "3 processes cannot share 2 replicas of a batch, since each computes at least one; give replicas 3 or more, or "
                + "start 2 processes."));
    }
}
