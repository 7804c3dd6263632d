using BoostingTicket.Engine.Testing;

namespace BoostingTicket.Cli.Tests.Ranks;

/// <summary>What can go wrong with several processes: each gets one sentence of rank 0 and an exit code, within
/// seconds.</summary>
[Parallelizable]
internal sealed class MpiFaultTests
{
    private string _root = "";

    [SetUp]
    public void CreateFolder() => _root = Directory.CreateTempSubdirectory("mpi-faults-").FullName;

    [TearDown]
    public void DeleteFolder() => Directory.Delete(_root, recursive: true);

    private static string Train(int replicas) => FormattableString.Invariant(
        $"train {MpiJob.Settings} --epochs 40 --replicas {replicas} --out out");

    [TestCase(MpiJob.OpenMpi)]
    [LongTestCase(MpiJob.Mpich)]
    public void More_processes_than_replicas(string mpirun)
    {
        CommandResult result = MpiJob.Run(mpirun, $"-n 3 $program {Train(2)}", _root);
        Assert.That(result.Code, Is.EqualTo(2));
        Once(result,
            "3 processes cannot share 2 replicas of a batch, since each computes at least one; give --replicas 3 or more, "
            + "or start 2 processes.");
        Assert.That(Directory.Exists(Path.Combine(_root, "out")), Is.False, "nothing was begun");
    }

    [TestCase(MpiJob.OpenMpi, "libmpich.so.12", "mpirun of Open MPI started 2 processes")]
    [LongTestCase(MpiJob.Mpich, "libmpi.so.40", "mpirun of MPICH started 2 processes")]
    public void A_library_of_the_other_family(string mpirun, string library, string sentence)
    {
        Shell.Require(MpiJob.OpenMpi, MpiJob.Mpich);
        CommandResult result = MpiJob.Run(mpirun, $"-n 2 $program {Train(2)}", _root, $"BOOSTING_TICKET_MPI={library}");
        Assert.That(result.Code, Is.EqualTo(2), result.Error);
        Once(result, sentence);
        Assert.That(result.Error, Does.Contain("launcher and library are not of one MPI"));
    }

    [TestCase(MpiJob.OpenMpi)]
    public void No_library(string mpirun)
    {
        CommandResult result = MpiJob.Run(mpirun, $"-n 2 $program {Train(2)}", _root, "BOOSTING_TICKET_MPI=libnone.so");
        Assert.That(result.Code, Is.EqualTo(2), result.Error);
        Once(result, "No MPI library of the launcher was found (libnone.so)");
    }

    [Test, Long]
    public void Other_instructions()
    {
        string job = $"-n 1 $program {Train(2)} : -n 1 -x DOTNET_EnableAVX512=0 -x DOTNET_EnableAVX512F=0 -x DOTNET_EnableAVX2=0 "
            + $"$program {Train(2)}";
        if (!System.Runtime.Intrinsics.X86.Avx2.IsSupported)
            Assert.Ignore("needs a processor with two sets of instructions");
        CommandResult result = MpiJob.Run(MpiJob.OpenMpi, job, _root);
        Assert.That(result.Code, Is.EqualTo(2), result.Error);
        Once(result, "Rank 1 on ");
        Assert.That(result.Error, Does.Contain("results would depend on who computes what"));
    }

    [Test, Long]
    public void Out_of_memory_on_one_rank()
    {
        string train =
            "train --model resnet18-w32 --dataset synthetic-32 --train-samples 100 --validation-samples 20 --test-samples 20 "
            + "--epochs 1 --steps 1 --batch 8 --replicas 2 --threads 1 --device cpu --quiet --out out";
        CommandResult result = MpiJob.Run(
            MpiJob.OpenMpi, $"-n 1 $program {train} : -n 1 -x DOTNET_GCHeapHardLimit=0x1000000 $program {train}", _root);
        Assert.That(result.Code, Is.Not.Zero, result.Error);
        Once(result, "Rank 1 on ");
        // The runtime may be too short of memory to say so itself.
        Assert.That(result.Error, Does.Contain("There is not enough memory").Or.Contain("ran out of memory"));
    }

    [TestCase(MpiJob.OpenMpi)]
    [LongTestCase(MpiJob.Mpich)]
    public void A_rank_is_killed(string mpirun)
    {
        (CommandResult result, double seconds) = MpiJob.Disturb(mpirun, 2, Train(4), _root, "KILL", 1);
        Assert.That(result.Code, Is.Not.Zero);
        Assert.That(seconds, Is.LessThan(20));
        // Hydra may end rank 0 before it can speak.
        if (mpirun == MpiJob.OpenMpi)
        {
            Once(result, "Rank 1 on ");
            Assert.That(
                result.Error, Does.Contain("ended: it was killed, or ran out of memory; to continue from the last checkpoint, "
                + "by any number of processes: ").And.Contain("train --resume --out out"));
        }
    }

    [LongTestCase(MpiJob.OpenMpi)]
    [LongTestCase(MpiJob.Mpich)]
    public void A_rank_hangs(string mpirun)
    {
        (CommandResult result, double seconds) = MpiJob.Disturb(
            mpirun, 2, Train(4), _root, "STOP", 1, "BOOSTING_TICKET_RANK_SECONDS=4");
        Assert.That(result.Code, Is.EqualTo(8), result.Error);
        Assert.That(seconds, Is.LessThan(30));
        Once(result, "Rank 1 on ");
        Assert.That(result.Error, Does.Contain("has given no sign of life for 4 s"));
    }

    [Test, Long]
    public void A_disk_that_is_full()
    {
        Shell.Require("unshare", "mount", MpiJob.OpenMpi);
        Directory.CreateDirectory(Path.Combine(_root, "small"));
        if (Shell.Run("unshare -m mount -t tmpfs -o size=160k none small", _root) is { Code: not 0 } refused)
            Assert.Ignore($"needs the right to mount a small disk: {refused.Error}");
        string job = Train(2).Replace("--out out", "--out small/out", StringComparison.Ordinal);
        CommandResult result = MpiJob.Run(
            $"unshare -m bash -c 'mount -t tmpfs -o size=160k none small && {MpiJob.OpenMpi} -n 2 $program {job}'", "", _root);
        Assert.That(result.Code, Is.EqualTo(2), result.Error);
        // Files that can wait cost a warning; the checkpoint ends the work, and one process says so.
        string[] lines = result.Error.Split('\n');
        Assert.That(lines.Count(line => line.StartsWith("Cannot write ", StringComparison.Ordinal)), Is.EqualTo(1), result.Error);
        Assert.That(result.Error, Does.Contain("the disk is full or the quota is used up"));
    }

    [Test]
    public void Ranks_that_may_use_one_processor_of_several_are_warned_of()
    {
        Shell.Require("unshare", "taskset", MpiJob.OpenMpi);
        if (Environment.ProcessorCount < 2)
            Assert.Ignore("needs two processors");
        if (Shell.Run("unshare -u true", _root) is { Code: not 0 } refused)
            Assert.Ignore($"needs the right to rename a machine: {refused.Error}");
        // Two machines by their names, of which each has all processors for its one rank.
        string train = $"train {MpiJob.Settings} --epochs 1 --replicas 2 --out out".Replace(
            "--quiet ", "", StringComparison.Ordinal);
        string Bound(string host) => $"-n 1 unshare -u sh -c 'hostname {host} && exec taskset -c 0 $program {train}'";
        CommandResult result = MpiJob.Run(MpiJob.OpenMpi, $"{Bound("one")} : {Bound("two")}", _root);
        Assert.That(result.Code, Is.Zero, result.Error);
        Once(result, "Rank 0 on one may use 1 of ");
        Assert.That(result.Error, Does.Contain("give Open MPI's mpirun '--bind-to none' or '--map-by slot:PE="));
    }

    [Test]
    public void NCCL_without_GPUs()
    {
        CommandResult result = MpiJob.Run(MpiJob.OpenMpi, $"-n 2 $program {Train(2)} --ranks nccl", _root);
        Assert.That(result.Code, Is.EqualTo(2), result.Error);
        Once(result, "--ranks nccl joins GPUs, and the device is cpu; give --device cuda, or --ranks mpi.");
    }

    [TestCase("SLURM_PROCID=0 SLURM_STEP_NUM_TASKS=2", "srun started 2 processes, but without MPI")]
    [TestCase("RANK=0 WORLD_SIZE=2 LOCAL_RANK=0", "torchrun started 2 processes, but without MPI")]
    public void A_launcher_without_MPI(string variables, string sentence)
    {
        CommandResult result = Shell.Run($"env {variables} $program {Train(2)}", _root);
        Assert.That(result.Code, Is.EqualTo(2));
        Once(result, sentence);
        string other = variables.Replace("PROCID=0", "PROCID=1", StringComparison.Ordinal).Replace(
            "RANK=0", "RANK=1", StringComparison.Ordinal);
        CommandResult silent = Shell.Run($"env {other} $program {Train(2)}", _root);
        Assert.That((silent.Code, silent.Out, silent.Error), Is.EqualTo((2, "", "")), "rank 0 alone speaks");
        Assert.That(Shell.Run($"env {variables} $program models --quiet --ranks none", _root).Code, Is.Zero);
    }

    [Test]
    public void Words_of_the_option()
    {
        Assert.That(Shell.Run("$program models --ranks mpi", _root).Error, Does.StartWith("--ranks mpi needs a launcher"));
        Assert.That(Shell.Run("$program models --ranks nccl", _root).Error, Does.StartWith("--ranks nccl needs a launcher"));
        Assert.That(Shell.Run("$program models --ranks many", _root).Code, Is.EqualTo(2));
    }

    private static void Once(CommandResult result, string sentence) => Assert.That(
        result.Error.Split('\n').Count(line => line.Contains(sentence, StringComparison.Ordinal)), Is.EqualTo(1), result.Error);
}
