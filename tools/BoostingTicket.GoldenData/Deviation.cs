using static TorchSharp.torch;

namespace BoostingTicket.GoldenData;

/// <summary>
/// How far results computed with other roundings depart from the golden values: the floor under every tolerance of a consumer.
/// </summary>
/// <param name="Kind">Kind of result: a name, or a prefix for all tensors of a group.</param>
/// <param name="Value">
/// Relative error in the Euclidean norm, the largest of the group's tensors; for adversarial images the share of pixels that
/// differ.
/// </param>
internal sealed record Deviation(string Kind, double Value)
{
    private const double PixelTolerance = 1e-4;

    // A bias in front of a normalisation has no gradient but rounding: it is measured against its group.
    private const double NormFloor = 1e-3;

    /// <summary>Compares two recordings of one case.</summary>
    public static IReadOnlyList<Deviation> Between(
        IReadOnlyDictionary<string, Tensor> truth, IReadOnlyDictionary<string, Tensor> other) =>
        [.. truth.Keys.GroupBy(KindOf).Select(kind => new Deviation(kind.Key, Worst(kind.Key, [.. kind], truth, other)))];

    /// <summary>What <see cref="Value"/> counts.</summary>
    public string Unit => IsImage(Kind) ? "of the pixels" : "of the norm";

    private static double Worst(
        string kind, string[] names, IReadOnlyDictionary<string, Tensor> truth, IReadOnlyDictionary<string, Tensor> other)
    {
        if (IsImage(kind))
            return names.Max(n => ((other[n].to(float64) - truth[n]).abs() > PixelTolerance).to(float64).mean().item<double>());
        double floor = NormFloor * names.Max(n => Norm(truth[n]));
        return names.Max(n => Norm(other[n].to(float64) - truth[n]) / Math.Max(Norm(truth[n]), floor));
    }

    /// <summary>Whether <paramref name="kind"/> is an adversarial image, of which pixels are counted.</summary>
    public static bool IsImage(string kind) =>
        kind.StartsWith("attack.", StringComparison.Ordinal) && !kind.EndsWith("logits", StringComparison.Ordinal);

    private static double Norm(Tensor tensor) => tensor.norm().item<double>();

    private static string KindOf(string name)
    {
        if (name.Contains(".grad.", StringComparison.Ordinal))
            return "train.grad.*";
        if (name.Split(".after.") is not [string prefix, string parameter])
            return name;
        return $"{prefix}.after.{(parameter.Contains("running", StringComparison.Ordinal) ? "running_*" : "*")}";
    }
}
