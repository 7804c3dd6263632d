using TorchSharp;
using static TorchSharp.torch;

namespace BoostingTicket.GoldenData.Attacks;

/// <summary>Projected gradient descent (Madry et al., "Towards deep learning models resistant to adversarial attacks", 2017):
/// steps along the gradient's sign from uniform random points of the ball. Of several restarts, the first that fools counts, else
/// the one with the largest loss.</summary>
/// <remarks>Entries of a restart: its start, then the image after each step; the loss at each of them and whether it fools; the
/// image that counts after this restart.</remarks>
internal sealed class PublishedPgd(string name, Func<Tensor, Func<Tensor, Tensor>> loss, int steps, int restarts)
    : PublishedAttack(name)
{
    private const double StepSize = 1.0 / 64;
    private const uint Purpose = 0;

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, double> Constants { get; } = new Dictionary<string, double>
    {
        ["step_size"] = StepSize,
        ["steps"] = steps,
        ["restarts"] = restarts,
    };

    /// <inheritdoc/>
    public override Recording Run(Victim victim, Scene scene, bool asProgram)
    {
        var recording = new Recording();
        Tensor clean = victim.In(scene.Images), result = clean,
        best = full(scene.Count, double.NegativeInfinity, dtype: clean.dtype);
        for (int restart = 0; restart < restarts; restart++)
        {
            recording.BeginRound();
            using DisposeScope scope = NewDisposeScope();
            Tensor offset = RandomWords.Uniform(scene.Count, [.. scene.Images.shape.Skip(1)], Purpose, restart);
            Tensor x = victim.In(Rounded((scene.Images + Scene.Epsilon * offset).clamp(0, 1)));
            for (int step = 0; ; step++)
            {
                (Tensor logits, Tensor losses, Tensor gradient) = victim.Look(x, loss(scene.Labels));
                Tensor fooled = IsFooled(logits, scene.Labels);
                recording.Add("images", x);
                recording.Add("losses", losses);
                recording.Add("fooled", fooled);
                if (step == steps)
                {
                    Tensor worth = where(fooled, full_like(losses, double.PositiveInfinity), losses), better = worth > best;
                    best = where(better, worth, best).MoveToOuterDisposeScope();
                    result = Choose(better, x, result).MoveToOuterDisposeScope();
                    recording.Add("result", result);
                    break;
                }
                x = Project(x + StepSize * gradient.sign(), clean);
            }
        }
        return recording.Finish();
    }

    /// <inheritdoc/>
    public override string? Kind(Recording recording, int sample)
    {
        int[] fools = [.. Enumerable.Range(0, restarts).Where(restart => recording.At("fooled", restart, steps, sample) == 1)];
        return fools.Length > 0 ? $"fooled by restart {fools[0]}"
            : $"robust, best {Enumerable.Range(0, restarts).MaxBy(restart => recording.At("losses", restart, steps, sample))}";
    }
}
