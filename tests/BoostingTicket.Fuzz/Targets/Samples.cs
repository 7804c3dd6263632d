using System.Text;
using BoostingTicket.Engine.Graph;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Fuzz.Mutation;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Runs.Stages;
using BoostingTicket.Training.Attacks;
using BoostingTicket.Training.Checkpoints;
using BoostingTicket.Training.Evaluation;
using BoostingTicket.Training.Files;
using BoostingTicket.Training.Models;
using BoostingTicket.Training.Progress;
using BoostingTicket.Training.Pruning;

namespace BoostingTicket.Fuzz.Targets;

/// <summary>Good files and results, as small as they can be, from which corpora are made.</summary>
internal static class Samples
{
    /// <summary>A network of a few weights.</summary>
    public static NetworkGraph Graph { get; } = ModelCatalog.Build("lenet-1-2-3", new ModelOptions(new FeatureShape(1, 16, 16)));

    /// <summary>Its weights.</summary>
    public static ModelState State { get; } = Initialization.Draw(Graph.Table, seed: 4);

    /// <summary>A mask of it.</summary>
    public static Mask Mask { get; } = new GlobalMagnitude().Prune(State, new PruningOptions(0.5)).Mask;

    /// <summary>Some of its channels.</summary>
    public static ChannelSelection Narrow { get; } = new(Graph, [[0], [1], [0, 2]]);

    /// <summary>Where its files come from.</summary>
    public static ModelFileMetadata Metadata { get; } = ModelFileMetadata.Of(Graph) with
    {
        Preset = "quick",
        Seed = 3,
        ConfigurationHash = "0123abcd",
        PruningRatio = 0.5,
        PruningScope = "global",
    };

    /// <summary>A short training.</summary>
    public static IReadOnlyList<EpochRecord> History { get; } =
        [new EpochRecord(1, 0.01, 2.1, 0.4, 0.5, 0.2, new PhaseTimes(0.1, 0.5, 0.4, 0.2)),
            new EpochRecord(2, 0.001, 1.1, 0.6, 0.7, null, default)];

    private static readonly TestResult Test = new(100, 0.9, 0.5, 0.1, 1.5);

    /// <summary>A configuration of two arms.</summary>
    public static RunConfiguration Configuration { get; } =
        Presets.Find("quick").Configuration with { Arms = [Arm.Dense, Arm.Ticket] };

    /// <summary>An arm's result.</summary>
    public static ArmResult ArmOf(Arm arm) => new(arm, arm == Arm.Dense ? 0 : 0.8, Test, Test, 1, 2, 3, 4,
        History)
    { Warnings = ["a | <warning>"] };

    /// <summary>A seed's result.</summary>
    public static SeedResult Seed { get; } = new(
        0, History, Test, [new LayerSparsity("conv1.weight", 40, 26)], ["a warning"], [ArmOf(Arm.Dense), ArmOf(Arm.Ticket)],
            new string('a', 64));

    /// <summary>A donor's.</summary>
    public static DonorRecord Donor { get; } = new(History, Test, [new LayerSparsity("fc1.weight", 4, 2)], [],
        2.5)
    { EarlyBirdEpoch = 2 };

    /// <summary>An evaluation's.</summary>
    public static RobustnessResult Robustness { get; } = new(
        60, 0.9, new WilsonInterval(0.8, 0.95),
        [new AttackResult("pgd", 60, 54, 0.5, new WilsonInterval(0.4, 0.6), 0.1, 1.5, 36, 0)], 0.5, new WilsonInterval(0.4, 0.6),
            ["be | careful <b>"]);

    /// <summary>The same, as it is kept beside weights.</summary>
    public static WeightsEvaluation Evaluation { get; } = new(
        new RobustnessSettings(["pgd"], new AttackSettings(), "synthetic-28", new string('c', 64), 60, 3, "auto"), Robustness);

    /// <summary>The bytes of a safetensors file.</summary>
    public static byte[] Bytes(SafetensorsWriter writer)
    {
        using var file = new MemoryStream();
        writer.Write(file);
        return file.ToArray();
    }

    /// <summary>A file from a header as text and its data.</summary>
    public static byte[] File(string header, params byte[] data) =>
        [.. BitConverter.GetBytes((ulong)Encoding.UTF8.GetByteCount(header)), .. Encoding.UTF8.GetBytes(header), .. data];

    /// <summary>A file with one tensor of a name, and a pair of metadata, as JSON spells them.</summary>
    public static byte[] Named(string name, string key = "k", string value = "v") =>
        File(
            $"{{\"__metadata__\":{{\"{key}\":\"{value}\"}},\"{name}\":"
            + "{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 0, 0, 128, 63);

    /// <summary>A tar archive of files.</summary>
    public static byte[] Tar(params (string Name, byte[] Content)[] files)
    {
        using var archive = new MemoryStream();
        foreach ((string name, byte[] content) in files)
        {
            archive.Write(TarMutations.Header(name, Convert.ToString(content.Length, 8), '0'));
            archive.Write(content);
            archive.Write(new byte[-content.Length & 511]);
        }

        archive.Write(new byte[1024]);
        return archive.ToArray();
    }

    /// <summary>An archive whose only header gives a size as octal digits or, from a number below zero on, in base 256.</summary>
    public static byte[] TarOfSize(string name, string octal, char type = '0') =>
        [.. TarMutations.Header(name, octal, type), .. new byte[512]];
}
