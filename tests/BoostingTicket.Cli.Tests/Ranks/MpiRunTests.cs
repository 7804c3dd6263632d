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

    [LongTestCase(MpiJob.OpenMpi, 2, 4)]
    [TestCase(MpiJob.OpenMpi, 3, 4)]
    [TestCase(MpiJob.Mpich, 2, 2)]
    [LongTestCase(MpiJob.Mpich, 4, 6)]
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

    [LongTestCase(MpiJob.OpenMpi)]
    [LongTestCase(MpiJob.Mpich)]
    public void Four_are_asked_to_stop_two_are_killed_and_one_ends_with_the_same_bytes(string mpirun)
    {
        // The signal for which launchers do not kill: what they do after others is their own affair.
        string train = $"train {MpiJob.Settings} --epochs 40 --replicas 4 --out";
        CommandResult whole = Shell.Run($"$program {train} whole", _root);
        Assert.That(whole.Code, Is.Zero, whole.Error);
        (CommandResult four, _) = MpiJob.Disturb(mpirun, 4, $"{train} elastic", _root, "USR1", null);
        Assert.That(four.Code, Is.EqualTo(130), four.Error);
        Assert.That(four.Error, Does.Contain("Interrupted and saved; to continue"));
        (CommandResult two, _) = MpiJob.Disturb(mpirun, 2, "train --resume --quiet --threads 1 --out elastic", _root, "KILL", 1);
        Assert.That(two.Code, Is.Not.Zero, two.Error);
        CommandResult one = Shell.Run("$program train --resume --quiet --threads 1 --out elastic", _root);
        Assert.That(one.Code, Is.Zero, one.Error);
        Assert.That(KeptFiles.Of(Path.Combine(_root, "elastic")), Is.EqualTo(KeptFiles.Of(Path.Combine(_root, "whole"))));
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
