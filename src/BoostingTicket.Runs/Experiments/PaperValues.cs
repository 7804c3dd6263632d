namespace BoostingTicket.Runs.Experiments;

/// <summary>Every number of the paper's tables and, for figures, of its text; what a figure's curves show without a number in the
/// text is not read off the picture. Table 4 is with the models: <see cref="Training.Models.ModelInfo"/>.</summary>
internal static class PaperValues
{
    /// <summary>Numbers of epochs in Tables 1 and 2 and Figures 2, 3 and 8.</summary>
    public static IReadOnlyList<int> Epochs { get; } = [20, 40, 60, 80, 100];

    /// <summary>Table 1: final test accuracy of winning tickets on VGG-16, by <see cref="Epochs"/>.</summary>
    public static IReadOnlyList<PaperValue> Table1Winning { get; } = Of("Table 1", 88.10, 90.03, 90.96, 91.79, 92.00);

    /// <summary>Table 1: final test accuracy of boosting tickets on VGG-16.</summary>
    public static IReadOnlyList<PaperValue> Table1Boosting { get; } = Of("Table 1", 91.25, 91.84, 92.13, 92.14, 92.05);

    /// <summary>Table 2: best robust test accuracy of boosting tickets on VGG-16, by <see cref="Epochs"/>.</summary>
    public static IReadOnlyList<PaperValue> Table2Robust { get; } = Of("Table 2", 44.49, 45.27, 45.73, 45.20, 44.53);

    /// <summary>Table 2: best clean test accuracy.</summary>
    public static IReadOnlyList<PaperValue> Table2Clean { get; } = Of("Table 2", 75.15, 76.28, 76.48, 77.60, 78.07);

    /// <summary>Table 2: the same of the baseline, the full network after 100 epochs.</summary>
    public static (PaperValue Robust, PaperValue Clean) Table2Baseline { get; } = (new(44.78, "Table 2"), new(77.21, "Table 2"));

    /// <summary>Table 3, and Table 6 where it repeats it: Madry's, Ours-40, Ours-70, Ours-100.</summary>
    public static IReadOnlyList<WideResNetRow> WideResNet { get; } =
    [
        new("Madry's", 100, 86.21, 50.07, 49.32, 50.46, null, 134_764, 134_764, null),
        new("Ours-40", 40, 87.72, 50.37, 49.28, 50.92, 15_462, 54_090, 69_552, 0.51),
        new("Ours-70", 70, 87.85, 50.48, 49.58, 50.82, 15_462, 94_796, 110_258, 0.82),
        new("Ours-100", 100, 87.35, 49.92, 49.11, 50.37, 15_462, 137_105, 152_567, 1.13),
    ];

    /// <summary>Table 6: accuracy of a network (column) on adversarial images made on another (row), in the order of
    /// <see cref="WideResNet"/>; null on the diagonal.</summary>
    public static IReadOnlyList<IReadOnlyList<double?>> Table6Transfer { get; } =
    [
        [null, 58.16, 57.39, 57.63],
        [58.69, null, 54.04, 56.11],
        [58.77, 54.60, null, 55.23],
        [58.61, 56.62, 55.20, null],
    ];

    /// <summary>Table 5: epoch of early stopping of full, winning, boosting and randomly initialised LeNet.</summary>
    public static IReadOnlyList<PaperValue> Table5Stopping { get; } = Of("Table 5", 20, 18, 11, 16);

    /// <summary>Table 5: their test accuracy.</summary>
    public static IReadOnlyList<PaperValue> Table5Accuracy { get; } = Of("Table 5", 99.18, 99.24, 99.23, 98.97);

    /// <summary>Section 3.3, on Figure 4: validation accuracy of VGG-16 after the first and fifth epoch at 60 % to 90
    /// %.</summary>
    public static (PaperValue First, PaperValue Fifth) Figure4Vgg { get; } = (Around(80), Around(83));

    /// <summary>Section 3.3, on Figure 4: the same of ResNet-18.</summary>
    public static (PaperValue First, PaperValue Fifth) Figure4ResNet { get; } = (Around(76), Around(85));

    /// <summary>Sections 1 and 3.4: WideResNet-34-10 after one epoch.</summary>
    public static (PaperValue Validation, PaperValue Test) Figure5FirstEpoch { get; } =
        (new(90.88, "section 1"), new(90.28, "section 1"));

    /// <summary>Section 4.1: the FGSM-trained donor under FGSM and under PGD-20.</summary>
    public static (PaperValue Fgsm, PaperValue Pgd) Figure6Donor { get; } =
        (new(89, "section 4.1", IsRounded: true), new(0.4, "section 4.1", IsRounded: true));

    /// <summary>Section 4.1: validation and test accuracy of the pruned LeNet, which puts everything into one class.</summary>
    public static PaperValue Figure7LeNet { get; } = new(11.42, "section 4.1");

    private static IReadOnlyList<PaperValue> Of(string source, params double[] values) =>
        [.. values.Select(value => new PaperValue(value, source))];

    private static PaperValue Around(double value) => new(value, "section 3.3", IsRounded: true);
}

/// <summary>A model of Tables 3 and 6; accuracies in percent, times in seconds on two V100.</summary>
/// <param name="Name">The paper's name.</param>
/// <param name="Epochs">Epochs of retraining; about 100 for the baseline, by its time.</param>
/// <param name="Clean">Clean test accuracy.</param>
/// <param name="Pgd20">Accuracy under PGD-20.</param>
/// <param name="Pgd100">Accuracy under PGD-100.</param>
/// <param name="CarliniWagner">Accuracy under C&amp;W.</param>
/// <param name="Pruning">Seconds of finding the ticket; null for the full network.</param>
/// <param name="Training">Seconds of training.</param>
/// <param name="Total">Sum of both.</param>
/// <param name="Ratio">Total over the baseline's.</param>
internal sealed record WideResNetRow(
    string Name, int Epochs, double Clean, double Pgd20, double Pgd100, double CarliniWagner, double? Pruning, double Training,
    double Total,
    double? Ratio);
