using BoostingTicket.Engine.Devices;
using BoostingTicket.Engine.Plans;
using BoostingTicket.Training.Optimization;
using BoostingTicket.Training.Optimization.Methods;
using BoostingTicket.Training.Pruning;
using LossKind = BoostingTicket.Engine.Backends.LossKind;

namespace BoostingTicket.Runs.Configuration;

/// <summary>What the words mean that a setting takes. Methods and pruners describe themselves.</summary>
internal static class SettingWords
{
    private static readonly Dictionary<string, IReadOnlyList<(string Word, string Description)>> ByPath = new()
    {
        ["method"] = [.. Enum.GetValues<TrainingMethod>().Select(method => (
            SettingNames.Of(method), TrainingMethodCatalog.Find(method).Description))],
        ["scope"] = [.. PrunerCatalog.All.Select(pruner => (pruner.Name, pruner.Description))],
        ["structure"] = [.. TicketStructure.All.Select(structure => (structure.Name, structure.Description))],
        ["channelCriterion"] =
        [
            (SettingNames.Of(ChannelCriterion.Norm), "L2 norm of their filters, in units of the layer's mean"),
            (SettingNames.Of(ChannelCriterion.Gamma), "|γ| of their normalisation"),
        ],
        ["arms"] =
        [
            (SettingNames.Of(Arm.Dense), "the full network from its initial weights: the baseline"),
            (SettingNames.Of(Arm.Ticket), "the boosting ticket: its donor trains at a small learning rate"),
            (SettingNames.Of(Arm.Winning), "the winning ticket: its donor trains at the learning rate of retraining"),
            (SettingNames.Of(Arm.Reinit), "the boosting ticket's mask on new random weights: a control"),
            (SettingNames.Of(
                Arm.Shuffle), "the boosting ticket's mask, shuffled within each layer, or as many channels at random: a control"),
        ],
        ["loss"] =
        [
            (SettingNames.Of(LossKind.CrossEntropy), "softmax cross-entropy"),
            (SettingNames.Of(LossKind.CarliniWagner), "margin loss of Carlini and Wagner, confidence 50"),
        ],
        ["statistics"] =
        [
            (SettingNames.Of(AttackStatistics.Running), "running statistics, as in evaluation"),
            (SettingNames.Of(AttackStatistics.Batch), "statistics of the attacked batch, as Madry et al. do"),
        ],
        ["replicaStatistics"] =
        [
            (SettingNames.Of(ReplicaStatistics.Mean), "the mean of all replicas'"),
            (SettingNames.Of(ReplicaStatistics.First), "the first replica's, as PyTorch's DistributedDataParallel keeps them"),
        ],
        ["learningRateDecay"] =
        [
            (SettingNames.Of(LearningRateDecay.Drops), "by a factor at certain shares of the training"),
            (SettingNames.Of(LearningRateDecay.Linear), "in a straight line to 0 at the end, as short trainings do"),
        ],
        ["initialization"] =
        [
            ("he", "He's normal distribution by fan-out; linear layers as in PyTorch"),
            ("glorot", "Glorot's normal distribution, as Frankle and Carbin use it"),
        ],
        ["reset"] =
        [
            (ResetPoint.Initial, "the weights that the donor began from"),
            (ResetPoint.None, "the donor's last weights: pruning without a reset"),
        ],
        ["precision"] =
        [
            (DeviceCatalog.Auto, "float32 on the CPU; on a GPU tf32 from compute capability 8.0 on, else float32"),
            ("float32", "32-bit floating point"),
            ("tf32", "TensorFloat-32: products in 10-bit mantissas, sums in float32; GPU only"),
            ("bf16", "bfloat16 feature maps and products, float32 weights; on the CPU products of attacks alone"),
        ],
        ["device"] =
        [
            (DeviceCatalog.Auto, "a GPU if there is a usable one, else the CPU"),
            (DeviceCatalog.Cpu, "the processor"),
            (DeviceCatalog.Cuda, "an NVIDIA GPU; an error says why where it cannot be used"),
            ("cuda:N", "the GPU of that number, as 'devices' lists them; numbered from 0"),
        ],
    };

    /// <summary>The words of a setting with what they mean; empty where it takes no words.</summary>
    /// <param name="path">Such as <c>donor.method</c>; the last name decides.</param>
    public static IReadOnlyList<(string Word, string Description)> Of(string path) =>
        ByPath.GetValueOrDefault(path[(path.LastIndexOf('.') + 1)..]) ?? [];

    /// <summary>The words of a setting with bars between, in the order in which they are explained.</summary>
    /// <param name="path">The setting.</param>
    public static string Hint(string path) => string.Join('|', Of(path).Select(entry => entry.Word));
}
