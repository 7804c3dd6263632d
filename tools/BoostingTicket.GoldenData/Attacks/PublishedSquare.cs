using TorchSharp;
using static TorchSharp.torch;

namespace BoostingTicket.GoldenData.Attacks;

/// <summary>Square (Andriushchenko et al., "Square attack: a query-efficient black-box adversarial attack via random search",
/// ECCV 2020) on L∞ with AutoAttack's schedule of sides, drawing places and colours for every sample by itself.</summary>
/// <remarks>Entries, the stripes' first and then one a query: the image asked about, for a sample that is fooled already the one
/// that fools, and the margin of the true class there; last, the image left.</remarks>
internal sealed class PublishedSquare(string name, int queries, IReadOnlyList<long> kept) : PublishedAttack(name)
{
    private const double Share = 0.8;
    private const uint Stripes = 3;
    private const uint Squares = 4;

    /// <inheritdoc/>
    public override IReadOnlyList<long> KeptImages => kept;

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, double> Constants { get; } = new Dictionary<string, double>
    {
        ["queries"] = queries,
    };

    /// <inheritdoc/>
    public override Recording Run(Victim victim, Scene scene, bool asProgram)
    {
        var recording = new Recording();
        recording.BeginRound();
        using DisposeScope scope = NewDisposeScope();
        Tensor clean = victim.In(scene.Images);
        Tensor best = Project(clean + victim.In(DrawStripes(scene.Count)), clean);
        Tensor margins = AttackLoss.Margins(victim.Logits(best), scene.Labels);
        recording.Add("images", best);
        recording.Add("margins", margins);
        for (int query = 0; query < queries; query++)
        {
            using DisposeScope inner = NewDisposeScope();
            Tensor searching = margins > 0;
            Tensor trial = Choose(searching, Project(best + victim.In(DrawSquares(scene.Count, query)), clean), best);
            Tensor found = AttackLoss.Margins(victim.Logits(trial), scene.Labels);
            recording.Add("images", trial);
            recording.Add("margins", found);
            Tensor better = found < margins;
            best = Choose(better, trial, best).MoveToOuterDisposeScope();
            margins = where(better, found, margins).MoveToOuterDisposeScope();
        }
        recording.Add("result", best);
        return recording.Finish();
    }

    /// <inheritdoc/>
    public override string? Kind(Recording recording, int sample)
    {
        if (recording.At("margins", 0, 0, sample) <= 0)
            return null;
        return recording["margins"].select(2, sample).amin([0, 1]).item<double>() > 0 ? "robust" : "fooled";
    }

    /// <summary>Share of an image's pixels that a query recolours.</summary>
    private static double ShareOf(int query) => Share / (query switch
    {
        <= 10 => 1,
        <= 50 => 2,
        <= 200 => 4,
        <= 500 => 8,
        <= 1000 => 16,
        <= 2000 => 32,
        <= 4000 => 64,
        _ => throw new ArgumentOutOfRangeException(nameof(query)),
    });

    // A colour a channel and column.
    private static Tensor DrawStripes(int samples)
    {
        const int count = SmallNetwork.Channels * SmallNetwork.Side;
        double[] signs = [.. Enumerable.Range(0, samples).SelectMany(s => RandomWords.Of(s, count, Stripes, 0)).Select(
            RandomWords.Sign)];
        return Scene.Epsilon * tensor(signs, [samples, SmallNetwork.Channels, 1, SmallNetwork.Side]);
    }

    // Row, column, and a colour a channel; the square is twice ε strong, and cut off at the ball.
    private static Tensor DrawSquares(int samples, int query)
    {
        const int side = SmallNetwork.Side;
        int length = Math.Clamp((int)Math.Round(Math.Sqrt(ShareOf(query) * side * side), MidpointRounding.ToEven), 1, side);
        uint[][] words = [.. Enumerable.Range(0, samples).Select(
            s => RandomWords.Of(s, 2 + SmallNetwork.Channels, Squares, query).ToArray())];
        Tensor Within(int word, long[] shape)
        {
            Tensor first = tensor(
                words.Select(w => (long)RandomWords.Integer(w[word], side - length + 1)).ToArray(), [samples, 1, 1, 1]);
            Tensor place = arange(side, int64).reshape(shape);
            return (place >= first) & (place < first + length);
        }
        double[] signs = [.. words.SelectMany(w => w.Skip(2)).Select(RandomWords.Sign)];
        Tensor colours = 2 * Scene.Epsilon * tensor(signs, [samples, SmallNetwork.Channels, 1, 1]);
        return colours * (Within(0, [1, 1, side, 1]) & Within(1, [1, 1, 1, side]));
    }
}
