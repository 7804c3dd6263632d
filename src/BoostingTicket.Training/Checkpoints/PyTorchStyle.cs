namespace BoostingTicket.Training.Checkpoints;

/// <summary>How the tensors of an exported network are named, after public code whose models have them.</summary>
/// <param name="Name">Name.</param>
/// <param name="Models">How the names of the models begin that it is for; empty for all.</param>
/// <param name="Description">Whose code it fits, in one line.</param>
/// <param name="Rename">The name of a parameter there.</param>
/// <param name="HoldsNormalization">Whether it has tensors for a normalisation of images, behind which the network then stands as
/// <c>model</c>.</param>
/// <param name="HoldsUnusedBlock">Whether it has a second <c>block1</c> that it never uses.</param>
public sealed record PyTorchStyle(
    string Name, string Models, string Description, Func<string, string> Rename, bool HoldsNormalization = false, bool HoldsUnusedBlock = false)
{
    /// <summary>The style of whoever names none: the names of this program.</summary>
    public const string Usual = "pytorch";

    /// <summary>Every style.</summary>
    public static IReadOnlyList<PyTorchStyle> All { get; } =
    [
        new(Usual, "", "any model under the names that this program gives its tensors", name => name),
        new("kuangliu", "resnet18", "ResNet-18 of kuangliu/pytorch-cifar: linear, shortcut", name => name),
        new("torchvision", "resnet18", "ResNet-18 with the names of torchvision: fc, downsample; its convolutions keep the shapes for small images",
            name => ReplaceStart(name, "linear.", "fc.").Replace(".shortcut.", ".downsample.", StringComparison.Ordinal)),
        new("fast-adversarial", "preact-resnet18",
            "PreActResNet-18 of locuslab/fast_adversarial, and -v2 of locuslab/robust_overfitting", name => name),
        new("trades", "wrn-", "WideResNets of yaodongyu/TRADES, with the sub_block1 that it loads and never uses", name => name, HoldsUnusedBlock: true),
        new("robustbench", "wrn-", "WideResNets of RobustBench, behind its normalisation if the network has one", name => name, HoldsNormalization: true),
        new("rethinking", "vgg16", "VGG-16 of Eric-mingjie/rethinking-network-pruning: feature", name => name),
        new("features", "vgg16", "VGG-16 with torchvision's name of the convolutions: features", name => ReplaceStart(name, "feature.", "features.")),
    ];

    /// <summary>The style of a name.</summary>
    /// <param name="name">The name.</param>
    /// <param name="model">Name of the model to export.</param>
    /// <exception cref="ConfigurationException">There is no such style, or not for the model.</exception>
    public static PyTorchStyle Find(string name, string model)
    {
        ArgumentNullException.ThrowIfNull(model);
        PyTorchStyle style = All.FirstOrDefault(style => style.Name == name)
            ?? throw NearestName.Unknown("style", name, [.. All.Select(style => style.Name)]);
        if (style.Fits(model))
            return style;
        IEnumerable<string> fitting = All.Where(other => other.Fits(model)).Select(other => other.Name);
        throw new ConfigurationException($"The style {name} is not for the model {model}; choose one of: {string.Join(", ", fitting)}.");
    }

    // The public WideResNets of these names have ReLUs: they would load the weights of one with SiLU and compute something else.
    private bool Fits(string model) =>
        model.StartsWith(Models, StringComparison.Ordinal)
        && (Models.Length == 0 || !model.EndsWith("-silu", StringComparison.Ordinal));

    private static string ReplaceStart(string name, string ours, string theirs) =>
        name.StartsWith(ours, StringComparison.Ordinal) ? theirs + name[ours.Length..] : name;
}
