using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using BoostingTicket.Engine.Testing;

namespace BoostingTicket.Cli.Tests.Ranks;

/// <summary>Real processes under a real mpirun, of both families, give the bytes of one process. Skipped where it is not
/// installed.</summary>
[Parallelizable]
internal sealed class MpiRunTests
{
    private string _root = "";

    [SetUp]
    public void CreateFolder() => _root = Directory.CreateTempSubdirectory("mpi-").FullName;

    [TearDown]
    public void DeleteFolder() => Directory.Delete(_root, recursive: true);

    [TestCase(MpiJob.OpenMpi, 3, 4)]
    [TestCase(MpiJob.Mpich, 2, 2)]
    public void A_run_by_several_processes_leaves_the_files_of_one(string mpirun, int ranks, int replicas)
    {
        Shell.Require(mpirun);
        string run = string.Create(
            CultureInfo.InvariantCulture,
            $"run --arms dense,ticket {MpiJob.Settings} --epochs 2 --ema 0.9 --replicas {replicas} --out");
        CommandResult alone = Shell.Run($"$program {run} one", _root);
        CommandResult shared = MpiJob.Run(mpirun, $"-n {ranks} $program {run} shared", _root);
        Assert.That(alone.Code, Is.Zero, alone.Error);
        Assert.That(shared.Code, Is.Zero, shared.Error);
        Assert.That(KeptFiles.Of(Path.Combine(_root, "shared")), Is.EqualTo(KeptFiles.Of(Path.Combine(_root, "one"))));
        Assert.That(
            shared.Out.Split('\n').Count(line => line.StartsWith("Report:", StringComparison.Ordinal)), Is.EqualTo(1),
            "rank 0 alone prints");
    }

    // Every number of replicas by every number of processes that may share it, dense and ticket, by both families.
    [Test]
    [Long]
    public void A_sweep_over_replicas_leaves_the_same_files_by_any_number_of_processes()
    {
        Shell.Require(MpiJob.OpenMpi, MpiJob.Mpich);
        string settings = $"{MpiJob.Settings} --arms dense,ticket --epochs 1 --donor-epochs 1";
        CommandResult alone = Shell.Run($"$program sweep replicas=1,2,4,6 {settings} --out alone", _root);
        Assert.That(alone.Code, Is.Zero, alone.Error);
        string[] whole = KeptFiles.Of(Path.Combine(_root, "alone", "store"));
        foreach (string mpirun in (string[])[MpiJob.OpenMpi, MpiJob.Mpich])
        {
            foreach ((int ranks, string replicas) in ((int, string)[])[(2, "2,4,6"), (3, "4,6"), (4, "4,6")])
            {
                string folder = string.Create(CultureInfo.InvariantCulture, $"{mpirun}-{ranks}");
                CommandResult shared = MpiJob.Run(
                    mpirun,
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"-n {ranks} $program sweep replicas={replicas} {settings} --out {folder}"), _root);
                Assert.That(shared.Code, Is.Zero, shared.Error);
                string[] files = KeptFiles.Of(Path.Combine(_root, folder, "store"));
                Assert.That(files, Has.Length.GreaterThanOrEqualTo(5 * replicas.Split(',').Length));
                Assert.That(files, Is.SubsetOf(whole), folder);
            }
        }
    }

    // The one signal for which launchers do not kill, to the launcher; another one to a process; and deaths.
    [LongTestCase(MpiJob.OpenMpi, "USR1", null, "KILL", 1)]
    [LongTestCase(MpiJob.Mpich, "USR1", null, "TERM", 1)]
    [TestCase(MpiJob.OpenMpi, "KILL", 3, "TERM", 0)]
    [LongTestCase(MpiJob.Mpich, "KILL", 0, "KILL", 1)]
    public void Four_are_ended_then_two_and_one_ends_with_the_same_bytes(
        string mpirun, string first, int? firstRank, string second, int? secondRank)
    {
        string train = $"train {MpiJob.Settings} --epochs 40 --replicas 4 --out";
        CommandResult whole = Shell.Run($"$program {train} whole", _root);
        Assert.That(whole.Code, Is.Zero, whole.Error);
        Check(first, MpiJob.Disturb(mpirun, 4, $"{train} elastic", _root, first, firstRank));
        Check(second, MpiJob.Disturb(
            mpirun, 2, "train --resume --quiet --threads 1 --out elastic", _root, second, secondRank));
        CommandResult one = Shell.Run("$program train --resume --quiet --threads 1 --out elastic", _root);
        Assert.That(one.Code, Is.Zero, one.Error);
        Assert.That(KeptFiles.Of(Path.Combine(_root, "elastic")), Is.EqualTo(KeptFiles.Of(Path.Combine(_root, "whole"))));

        static void Check(string signal, (CommandResult Result, double) ended)
        {
            Assert.That(ended.Result.Code, signal == "KILL" ? Is.Not.Zero : Is.EqualTo(130), ended.Result.Error);
            if (signal != "KILL")
                Assert.That(ended.Result.Error, Does.Contain("Interrupted and saved; to continue"));
        }
    }

    [Test, Long]
    public void Evaluation_and_transfer_say_what_one_process_says()
    {
        Shell.Require(MpiJob.OpenMpi);
        Assert.That(Shell.Run($"$program train {MpiJob.Settings} --epochs 2 --out trained", _root).Code, Is.Zero);
        foreach (string command in (string[])
        [
            "evaluate trained/seed-0/train.last.safetensors --attack pgd,fab-t --test-samples 60 --batch 8",
            "transfer trained/seed-0/train.last.safetensors trained/seed-0/initial.safetensors --test-samples 40 --batch 8",
        ])
        {
            CommandResult alone = Shell.Run($"$program {command} --device cpu --threads 1 --json", _root);
            CommandResult shared = MpiJob.Run(MpiJob.OpenMpi, $"-n 2 $program {command} --device cpu --threads 1 --json", _root);
            Assert.That(alone.Code, Is.Zero, alone.Error);
            Assert.That(shared.Code, Is.Zero, shared.Error);
            Assert.That(WithoutTimes(shared.Out), Is.EqualTo(WithoutTimes(alone.Out)));
        }
    }

    [TestCase(MpiJob.OpenMpi)]
    [TestCase(MpiJob.Mpich)]
    public void A_command_that_computes_nothing_is_answered_once(string mpirun)
    {
        CommandResult result = MpiJob.Run(mpirun, "-n 2 $program models --json", _root);
        Assert.That(result.Code, Is.Zero, result.Error);
        Assert.That(() => JsonDocument.Parse(result.Out), Throws.Nothing, result.Out);
    }

    private static string WithoutTimes(string document)
    {
        JsonNode root = JsonNode.Parse(document)!;
        Forget(root);
        return root.ToJsonString();

        static void Forget(JsonNode? node)
        {
            if (node is JsonObject members)
            {
                foreach (string name in members.Select(member => member.Key).ToArray())
                {
                    if (name.Contains("second", StringComparison.OrdinalIgnoreCase))
                        members.Remove(name);
                    else
                        Forget(members[name]);
                }
            }
            else if (node is JsonArray items)
            {
                foreach (JsonNode? item in items)
                    Forget(item);
            }
        }
    }
}
