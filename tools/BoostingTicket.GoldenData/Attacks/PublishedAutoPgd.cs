using TorchSharp;
using static TorchSharp.torch;

namespace BoostingTicket.GoldenData.Attacks;

/// <summary>Auto-PGD (Croce and Hein, "Reliable evaluation of adversarial robustness with an ensemble of diverse parameter-free
/// attacks", ICML 2020), algorithm 1, on the cross-entropy or, a class a round, on the targeted ratio of logit
/// differences.</summary>
/// <remarks>
/// <para>Entries: images, losses, best losses so far and steps taken, after each of the 100 iterations; the start; the iteration
/// whose image is the first to fool, 0 for the start and -1 for none; and that image, or the one of the largest loss.</para>
/// <para>The paper counts the first step as one from the loss at the start and halves below 75 % of rising steps; the authors'
/// program compares the first step's loss with 0 and halves at 75 % too.</para>
/// </remarks>
internal sealed class PublishedAutoPgd(string name, bool targeted, uint purpose, IReadOnlyList<long> kept) : PublishedAttack(name)
{
    private const int Iterations = 100;
    private const double Momentum = 0.75;
    private const double RisingShare = 0.75;

    /// <inheritdoc/>
    public override IReadOnlyList<long> KeptImages => kept;

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, double> Constants { get; } = new Dictionary<string, double>
    {
        ["iterations"] = Iterations,
    };

    private int Rounds => targeted ? SmallNetwork.Classes - 1 : 1;

    /// <inheritdoc/>
    public override Recording Run(Victim victim, Scene scene, bool asProgram)
    {
        var recording = new Recording();
        for (int round = 0; round < Rounds; round++)
        {
            using DisposeScope scope = NewDisposeScope();
            recording.BeginRound();
            Tensor ranked = victim.Logits(scene.Images).argsort(1, descending: true);
            Func<Tensor, Tensor> loss = targeted
                ? AttackLoss.TargetedRatio(scene.Labels, ranked.select(1, round + 1))
                : AttackLoss.CrossEntropy(scene.Labels);
            Ascend(victim, scene, loss, round, asProgram, recording);
        }
        return recording.Finish();
    }

    /// <inheritdoc/>
    public override string? Kind(Recording recording, int sample)
    {
        int[] fooled = [.. Enumerable.Range(0, Rounds).Select(round => Math.Sign(recording.At("fooled", round, 0, sample)))];
        double least = Enumerable.Range(0, Rounds).Min(round => recording.At("steps", round, Iterations - 1, sample));
        // A sample that is fooled at once, or whose step is never halved twice, shows little.
        if (fooled.Contains(0) || least > Scene.Epsilon / 2)
            return null;
        return fooled.All(sign => sign < 0) ? "robust" : "fooled";
    }

    // In hundredths of the iterations: 22, then 3 less each time but never less than 6 from one to the next.
    private static List<int> Checkpoints()
    {
        List<int> hundredths = [0, 22];
        while (hundredths[^1] < 100)
            hundredths.Add(hundredths[^1] + Math.Max(hundredths[^1] - hundredths[^2] - 3, 6));
        return [.. hundredths.Skip(1).Select(p => (p * Iterations + 99) / 100)];
    }

    private void Ascend(Victim victim, Scene scene, Func<Tensor, Tensor> loss, int round, bool asProgram, Recording recording)
    {
        Tensor clean = victim.In(scene.Images);
        Tensor direction = RandomWords.Uniform(scene.Count, [.. scene.Images.shape.Skip(1)], purpose, round);
        Tensor longest = direction.abs().amax([1, 2, 3], keepdim: true);
        Tensor x = victim.In(Rounded((scene.Images + Scene.Epsilon * direction / longest).clamp(0, 1)));
        recording.Add("start", x);

        (Tensor logits, Tensor losses, Tensor gradient) = victim.Look(x, loss);
        Tensor previous = x, bestX = x, bestGradient = gradient, best = losses, bestAtCheck = losses;
        Tensor step = full_like(losses, 2 * Scene.Epsilon), halvedAtCheck = ones_like(losses).to(@bool);
        Tensor fooled = IsFooled(logits, scene.Labels), firstX = x;
        Tensor firstAt = where(fooled, zeros_like(losses), full_like(losses, -1));
        List<Tensor> history = [losses];
        List<int> checkpoints = Checkpoints();
        int lastCheck = 0;
        for (int k = 1; k <= Iterations; k++)
        {
            Tensor z = Project(x + step.reshape(-1, 1, 1, 1) * gradient.sign(), clean);
            Tensor next = k == 1 ? z : Project(x + Momentum * (z - x) + (1 - Momentum) * (x - previous), clean);
            (previous, x) = (x, next);
            (logits, losses, gradient) = victim.Look(x, loss);
            history.Add(losses);

            Tensor now = IsFooled(logits, scene.Labels), first = now & ~fooled;
            firstX = Choose(first, x, firstX);
            firstAt = where(first, full_like(firstAt, k), firstAt);
            fooled = fooled | now;

            Tensor rose = losses > best;
            best = maximum(losses, best);
            bestX = Choose(rose, x, bestX);
            bestGradient = Choose(rose, gradient, bestGradient);
            recording.Add("images", x);
            recording.Add("losses", losses);
            recording.Add("best", best);
            recording.Add("steps", step);
            if (!checkpoints.Contains(k))
                continue;

            Tensor rising = zeros_like(losses);
            for (int i = lastCheck + 1; i <= k; i++)
                rising += history[i] > (i == 1 && asProgram ? zeros_like(losses) : history[i - 1]);
            double share = RisingShare * (k - lastCheck);
            Tensor halve = (asProgram ? rising <= share : rising < share) | (~halvedAtCheck & (bestAtCheck >= best));
            step = where(halve, step / 2, step);
            x = Choose(halve, bestX, x);
            gradient = Choose(halve, bestGradient, gradient);
            (halvedAtCheck, bestAtCheck, lastCheck) = (halve, best, k);
        }
        recording.Add("fooled", firstAt);
        recording.Add("result", Choose(fooled, firstX, bestX));
    }
}
