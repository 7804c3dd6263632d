using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Graph;
using BoostingTicket.Engine.Ranks;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.SoftwareCuda.Libraries;
using BoostingTicket.Training.Models;
using BoostingTicket.Training.Optimization;
using BoostingTicket.Training.Tests.Optimization.Replicas;

namespace BoostingTicket.Training.Tests.Ranks;

/// <summary>GPUs that exchange values by NCCL give the bits of one GPU, and of GPUs that exchange them through the host. GPUs and
/// NCCL are software here.</summary>
[Parallelizable(ParallelScope.All)]
internal sealed class NcclTrainingTests
{
    private const string Model = "lenet-2-3-8";

    private static readonly Lazy<string>[] Alone =
        [.. ((double[])[0, 0.8]).Select(ratio => new Lazy<string>(() => TrainAlone(ratio)))];

    [Test]
    public void Weights_are_those_of_one_GPU([Values(2, 3)] int ranks, [Values(0, 0.8)] double ratio)
    {
        var team = new NcclRanks();
        string weights = Train(team, ranks, ratio);
        Assert.That(weights, Is.EqualTo(Alone[ratio == 0 ? 0 : 1].Value));
        Assert.That(team.BytesSent, Is.Positive);
        Assert.That(team.Notice, Is.EqualTo("GPUs exchange values by NCCL 2.28.9."));
        Assert.That(team.Devices.Select(device => device.GraphLaunches), Has.All.Positive, "recorded work is replayed");
    }

    [Test]
    public void The_memory_of_the_host_gives_the_same_bits([Values(0, 0.8)] double ratio)
    {
        var team = new NcclRanks { Use = DeviceLineUse.Host };
        Assert.That(Train(team, 2, ratio), Is.EqualTo(Alone[ratio == 0 ? 0 : 1].Value));
        Assert.That((team.BytesSent, team.Notice), Is.EqualTo((0L, (string?)null)));
    }

    [Test]
    public void Work_that_is_not_recorded_gives_the_same_bits() =>
        Assert.That(Train(new NcclRanks { Records = false }, 2, 0), Is.EqualTo(Alone[0].Value));

    [Test]
    public void A_ticket_sends_its_kept_entries_alone()
    {
        NcclRanks dense = new(), ticket = new();
        Train(dense, 2, 0);
        Train(ticket, 2, 0.8);
        ParameterTable table = ModelCatalog.Build(Model, new ModelOptions(new FeatureShape(1, 28, 28))).Table;
        double all = table.TrainedLength + table.StatisticsLength;
        Assert.That(
            (double)ticket.BytesSent / dense.BytesSent,
            Is.EqualTo((all - 0.8 * table.PrunableLength) / all).Within(0.002), "biases travel whole");
    }

    [Test]
    public void A_chunk_that_goes_to_the_wrong_owner_is_found()
    {
        var unsound = new List<UnsoundNccl>();
        var team = new NcclRanks
        {
            Load = (rank, nccl) =>
            {
                if (rank != 1)
                    return nccl;
                unsound.Add(new UnsoundNccl(nccl, NcclDefect.ForeignChunk, from: 0));
                return unsound[^1];
            },
        };
        string? weights = null;
        try
        {
            weights = Train(team, 4, 0);
        }
        catch (TeamException different)
        {
            Assert.That(different.Message, Does.Contain("are not those of rank 0"));
        }
        Assert.That(unsound.Sum(nccl => nccl.Exchanged), Is.Positive);
        Assert.That(weights, Is.Not.EqualTo(Alone[0].Value));
    }

    [Test]
    public void A_wait_that_is_left_out_is_found()
    {
        var team = new NcclRanks { Load = (_, nccl) => new UnsoundNccl(nccl, NcclDefect.NoWait, from: 2) };
        Exception failure = Assert.Catch(() => Train(team, 2, 0))!;
        team.Forget();
        // Whichever rank found it, the other one says that it did.
        Assert.That((failure.InnerException ?? failure).ToString(), Does.Contain("read of memory that nobody wrote"));
    }

    [Test]
    public void An_error_of_NCCL_ends_the_work_and_names_rank_and_machine()
    {
        UnsoundNccl? unsound = null;
        var team = new NcclRanks
        {
            Load = (rank, nccl) => rank == 0 ? unsound = new UnsoundNccl(nccl, NcclDefect.RemoteError, from: 2) : nccl,
            Begin = team => team.Group.WhileWaiting = team.Leads ? null : team.Group.WhileWaiting,
        };
        TeamException failure = Assert.Throws<TeamException>(() => Train(team, 2, 0))!;
        team.Forget();
        Assert.That(failure.ExitCode, Is.EqualTo(8));
        Assert.That(failure.Message, Is.EqualTo(
            $"NCCL failed on rank 0 ({Environment.MachineName}): NCCL answered ncclRemoteError (6) to ncclCommGetAsyncError: "
            + "another process ended, or cannot be reached; it says: connection closed by remote peer; resume it from the last "
            + "checkpoint."));
        Assert.That(unsound!.Aborts, Is.EqualTo(1));
    }

    [Test]
    public void A_rank_that_is_gone_ends_the_wait_for_it([Values] bool gpuWaits)
    {
        // The second exchange of the second step does not end: NCCL has not submitted it, or the GPU waits in it.
        NcclDefect defect = gpuWaits ? NcclDefect.None : NcclDefect.Silence;
        UnsoundNccl? unsound = null;
        bool isStuck = false;
        var team = new NcclRanks
        {
            Load = (rank, nccl) => rank == 0 ? unsound = new UnsoundNccl(nccl, defect, from: 3) : nccl,
            IsStuck = rank => rank == 0 && (isStuck |= gpuWaits && unsound!.HasBegun),
            Begin = team =>
            {
                if (!team.Leads)
                    return;
                team.Group.WhileWaiting = () =>
                {
                    if (gpuWaits ? isStuck : unsound?.HasBegun == true)
                        throw new TeamException("Rank 1 on elsewhere ended.", TeamException.Lost);
                };
            },
        };
        TeamException failure = Assert.Throws<TeamException>(() => Train(team, 2, 0))!;
        team.Forget();
        Assert.That(failure.Message, Is.EqualTo("Rank 1 on elsewhere ended."));
        Assert.That(unsound!.Aborts, Is.EqualTo(1));
    }

    [Test]
    public void GPUs_that_do_not_meet_are_given_up()
    {
        var team = new NcclRanks
        {
            Patience = TimeSpan.FromSeconds(1),
            Load = (rank, nccl) => rank == 1 ? new UnsoundNccl(nccl, NcclDefect.Silence, from: -1) : nccl,
        };
        Exception failure = Assert.Catch(() => Train(team, 2, 0))!;
        team.Forget();
        Assert.That((failure.InnerException ?? failure).Message, Does.Contain("the GPUs did not meet within 1 s"));
    }

    [TestCase("library", "rank 1 on HOST has no NCCL (libnccl.so.2)")]
    [TestCase("version", "rank 1 on HOST has NCCL 2.27.3, rank 0 on HOST 2.28.9")]
    [TestCase("gpu", "ranks 0 and 1 on HOST compute on one GPU, 0000:01:00; start no more processes than a machine has GPUs")]
    public void Where_NCCL_cannot_the_host_carries_and_rank_0_says_why(string lack, string reason)
    {
        NcclRanks Team(DeviceLineUse use) => new()
        {
            Use = use,
            PciBus = rank => lack == "gpu" ? 1 : rank,
            Version = rank => lack == "version" && rank == 1 ? 22_703 : 22_809,
            Load = (rank, nccl) => lack == "library" && rank == 1 ? throw new DeviceException("no NCCL (libnccl.so.2)") : nccl,
        };
        string said = reason.Replace("HOST", Environment.MachineName, StringComparison.Ordinal);
        NcclRanks auto = Team(DeviceLineUse.Auto);
        Assert.That(Train(auto, 2, 0), Is.EqualTo(Alone[0].Value));
        Assert.That(auto.Notice, Is.EqualTo(
            $"GPUs exchange values through the memory of the host, since NCCL cannot: {said}."));
        Assert.That(
            () => Train(Team(DeviceLineUse.Nccl), 2, 0),
            Throws.TypeOf<DeviceException>().With.Message.EqualTo($"NCCL cannot join these GPUs: {said}."));
    }

    private static TrainingSettings Settings =>
        ReplicaTraining.Settings(TrainingMethod.Fgsm, 4) with { Epochs = 1 };

    private static string TrainAlone(double ratio)
    {
        using IBackend backend = NcclRanks.OpenAlone();
        return ReplicaTraining.Run(Settings, backend, Model, ratio: ratio).Weights;
    }

    private static string Train(NcclRanks team, int ranks, double ratio) => ThreadGroup.Run(
        ranks, team.Open, backend => ReplicaTraining.Run(Settings, backend, Model, ratio: ratio).Weights);
}
