using TorchSharp;
using static TorchSharp.torch;

namespace BoostingTicket.GoldenData.Attacks;

/// <summary>Targeted FAB (Croce and Hein, "Minimally distorted adversarial examples with a fast adaptive boundary attack", ICML
/// 2020) on L∞, one class a round: steps onto the linearised boundary between the label and that class, drawn a little towards
/// the clean image, and a step back where the image fools.</summary>
/// <remarks>Where a step back does not leave the wrong class, the next step ends on the boundary itself: its two overshoots
/// cancel, and rounding decides the class. No sample with such a step is worth recording. Entries: the margin of the label after
/// each iteration's step, and the images, a step back included; the least distance of an image that fooled so far, 1e10
/// before there is one; the iteration whose image is the first to fool within the ball, from 0 on and -1 for none, and that
/// image, the clean one where there is none.</remarks>
internal sealed class PublishedFab(string name, int iterations, IReadOnlyList<long> kept) : PublishedAttack(name)
{
    private const double LargestBias = 0.1;
    private const double Overshoot = 1.05;
    private const double BackwardShare = 0.9;
    private const double LeastDistance = 1e-8;
    private const double Unfooled = 1e10;
    private const double LeastMargin = 1e-5;

    /// <inheritdoc/>
    public override IReadOnlyList<long> KeptImages => kept;

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, double> Constants { get; } = new Dictionary<string, double>
    {
        ["iterations"] = iterations,
    };

    /// <inheritdoc/>
    public override Recording Run(Victim victim, Scene scene, bool asProgram)
    {
        var recording = new Recording();
        for (int round = 0; round < SmallNetwork.Classes - 1; round++)
        {
            using DisposeScope scope = NewDisposeScope();
            recording.BeginRound();
            Approach(victim, scene, victim.Logits(scene.Images).argsort(1, descending: true).select(1, round + 1), recording);
        }
        return recording.Finish();
    }

    /// <inheritdoc/>
    public override string? Kind(Recording recording, int sample)
    {
        if (recording["margins"].select(2, sample).abs().amin([0, 1]).item<double>() < LeastMargin)
            return null;
        int found = Enumerable.Range(0, SmallNetwork.Classes - 1).Count(round => recording.At("fooled", round, 0, sample) >= 0);
        return found switch { 0 => "robust", < 4 => "fooled by few targets", _ => "fooled by many targets" };
    }

    private void Approach(Victim victim, Scene scene, Tensor targets, Recording recording)
    {
        Tensor clean = victim.In(scene.Images), x = clean, result = clean;
        Tensor distances = full(scene.Count, Unfooled, dtype: clean.dtype), firstAt = full_like(distances, -1);
        for (int i = 0; i < iterations; i++)
        {
            (_, Tensor above, Tensor normal) = victim.Look(x, logits => AttackLoss.Difference(logits, scene.Labels, targets));
            // The boundary: points p with normal·p = level.
            Tensor level = (normal * x).sum([1, 2, 3]) - above;
            Tensor here = Nearest(x, normal, level), there = Nearest(clean, normal, level);
            Tensor a = Length(here), b = Length(there);
            Tensor bias = (a / (a + b)).clamp_max(LargestBias).reshape(-1, 1, 1, 1);
            x = ((1 - bias) * (x + Overshoot * here) + bias * (clean + Overshoot * there)).clamp(0, 1);

            Tensor logits = victim.Logits(x), fools = IsFooled(logits, scene.Labels);
            recording.Add("margins", AttackLoss.Margins(logits, scene.Labels));
            Tensor distance = (x - clean).abs().amax([1, 2, 3]);
            Tensor first = fools & (distance <= Scene.Epsilon) & (distances > Scene.Epsilon);
            result = Choose(first, x, result);
            firstAt = where(first, full_like(firstAt, i), firstAt);
            distances = where(fools, minimum(distances, distance), distances);
            x = Choose(fools, clean + BackwardShare * (x - clean), x);
            recording.Add("images", x);
            recording.Add("distances", distances);
        }
        recording.Add("fooled", firstAt);
        recording.Add("result", result);
    }

    private static Tensor Length(Tensor change) => change.abs().amax([1, 2, 3]).clamp_min(LeastDistance);

    // The change of least largest coordinate that leads from a point of the box onto normal·p = level within the box. All
    // coordinates go λ towards it, or as far as the box lets them. How far that leads is known where λ is one of those rooms;
    // between two of them it is a line.
    private static Tensor Nearest(Tensor point, Tensor normal, Tensor level)
    {
        Tensor t = point.flatten(1), w = normal.flatten(1);
        Tensor way = level - (w * t).sum(1);
        Tensor sense = where(way >= 0, ones_like(way), -ones_like(way)).unsqueeze(1) * w.sign();
        Tensor room = where(sense > 0, 1 - t, where(sense < 0, t, zeros_like(t))), weight = w.abs();
        (Tensor sorted, Tensor order) = room.sort(1);
        Tensor weights = weight.gather(1, order), spent = (weights * sorted).cumsum(1),
        left = weights.sum(1, keepdim: true) - weights.cumsum(1);
        Tensor reached = spent + sorted * left >= way.abs().unsqueeze(1);
        Tensor at = reached.to(int64).argmax(1, keepdim: true);
        Tensor spentBefore = (spent - weights * sorted).gather(1, at), leftBefore = (left + weights).gather(1, at);
        Tensor lambda = (way.abs().unsqueeze(1) - spentBefore) / leftBefore;
        lambda = where(reached.any(1, keepdim: true), lambda, full_like(lambda, 2));
        return (sense * minimum(lambda, room)).reshape(point.shape);
    }
}
