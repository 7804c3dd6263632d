using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Training.Attacks;

/// <summary>The Square attack of Andriushchenko et al., "Square attack: a query-efficient black-box adversarial attack via random
/// search" (ECCV 2020), on L∞: from vertical stripes of ±ε, recolours random squares and keeps what lowers the margin. Uses
/// logits alone, so that it does not care whether gradients mean anything.</summary>
/// <remarks>Every sample draws places and colours of its own; the published program draws them once for a batch, and never
/// places a square at the last row or column, where the paper does.</remarks>
internal sealed class SquareAttack : IAttack
{
    /// <summary>Share of an image that the first squares recolour, in AutoAttack.</summary>
    public const double UsualShare = 0.8;

    private static readonly int[] Halvings = [10, 50, 200, 500, 1_000, 2_000, 4_000, 6_000, 8_000];

    private readonly IAttackModel _model;
    private readonly float _epsilon;
    private readonly ulong _stream;
    private readonly double _share;
    private readonly float[] _trial;
    private readonly float[] _logits;
    private readonly double[] _margins;

    /// <summary>Prepares the attack.</summary>
    /// <param name="model">What is attacked.</param>
    /// <param name="epsilon">Radius in pixel units.</param>
    /// <param name="stream">Key of the random numbers.</param>
    /// <param name="queries">Queries after the stripes.</param>
    /// <param name="share">Share of an image that the first squares recolour, in (0, 1].</param>
    public SquareAttack(IAttackModel model, float epsilon, ulong stream, int queries = 5_000, double share = UsualShare)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentOutOfRangeException.ThrowIfNegative(queries);
        Radius.Require(epsilon);
        _model = model;
        _epsilon = epsilon;
        _stream = stream;
        _share = share;
        Iterations = queries;
        _trial = new float[model.Batch * model.Shape.Length];
        _logits = new float[model.Batch * model.Classes];
        _margins = new double[model.Batch];
    }

    /// <inheritdoc/>
    public int Rounds => 1;

    /// <inheritdoc/>
    public int Iterations { get; }

    /// <inheritdoc/>
    public bool UsesGradients => false;

    /// <summary>Side of the square of a query: that of a share of the image which is halved after 10, 50, 200, 500, 1,000, 2,000,
    /// 4,000, 6,000 and 8,000 queries.</summary>
    /// <param name="query">Number of the query, from 0 on.</param>
    /// <param name="share">Share of the first squares.</param>
    /// <param name="height">Rows of an image.</param>
    /// <param name="width">Columns of an image.</param>
    public static int Side(int query, double share, int height, int width)
    {
        foreach (int halving in Halvings)
        {
            if (query > halving)
                share /= 2;
        }
        return Math.Clamp((int)Math.Round(Math.Sqrt(share * height * width)), 1, Math.Min(height, width));
    }

    /// <inheritdoc/>
    public void Run(AttackBatch batch, int round)
    {
        ArgumentNullException.ThrowIfNull(batch);
        for (int s = 0; s < batch.Count; s++)
            DrawStripes(batch, s, round);
        batch.Adversarial.CopyTo(_trial, 0);
        _model.Logits(_trial, _logits);
        for (int s = 0; s < batch.Count; s++)
            _margins[s] = Margin(batch, s);
        for (int query = 0; query < Iterations
            && _margins.AsSpan().ContainsAnyInRange(double.Epsilon, double.PositiveInfinity); query++)
        {
            int side = Side(query, _share, _model.Shape.Height, _model.Shape.Width);
            for (int s = 0; s < batch.Count; s++)
            {
                if (_margins[s] > 0)
                    DrawSquare(batch, s, query, side);
            }
            _model.Logits(_trial, _logits);
            for (int s = 0; s < batch.Count; s++)
            {
                if (_margins[s] > 0)
                    Keep(batch, s);
            }
            batch.Advance(query + 1);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
    }

    private void DrawStripes(AttackBatch batch, int s, int round)
    {
        FeatureShape shape = _model.Shape;
        AttackRandom random = new(_stream, AttackPurpose.SquareStripes, round);
        ReadOnlySpan<float> clean = Of(batch.Clean, s);
        Span<float> adversarial = Of(batch.Adversarial, s);
        for (int channel = 0; channel < shape.Channels; channel++)
        {
            for (int column = 0; column < shape.Width; column++)
            {
                float colour = Sign(random.Word(batch.Samples[s], channel * shape.Width + column)) * _epsilon;
                for (int row = 0; row < shape.Height; row++)
                {
                    int e = (channel * shape.Height + row) * shape.Width + column;
                    adversarial[e] = PixelBall.Project(clean[e] + colour, clean[e], _epsilon);
                }
            }
        }
    }

    // A square of 2ε one way or the other, cut off at the ball, is a square of ±ε wherever the image had ±ε before.
    private void DrawSquare(AttackBatch batch, int s, int query, int side)
    {
        FeatureShape shape = _model.Shape;
        AttackRandom random = new(_stream, AttackPurpose.Squares, query);
        int sample = batch.Samples[s];
        int top = Below(random.Word(sample, 0), shape.Height - side + 1),
        left = Below(random.Word(sample, 1), shape.Width - side + 1);
        ReadOnlySpan<float> clean = Of(batch.Clean, s), best = Of(batch.Adversarial, s);
        Span<float> trial = Of(_trial, s);
        for (int channel = 0; channel < shape.Channels; channel++)
        {
            float colour = 2 * _epsilon * Sign(random.Word(sample, 2 + channel));
            for (int row = top; row < top + side; row++)
            {
                int start = (channel * shape.Height + row) * shape.Width + left;
                for (int e = start; e < start + side; e++)
                    trial[e] = PixelBall.Project(best[e] + colour, clean[e], _epsilon);
            }
        }
    }

    private void Keep(AttackBatch batch, int s)
    {
        double margin = Margin(batch, s);
        if (margin < _margins[s])
        {
            _margins[s] = margin;
            Of(_trial, s).CopyTo(Of(batch.Adversarial, s));
        }
        else
        {
            Of(batch.Adversarial, s).CopyTo(Of(_trial, s));
        }
    }

    // An image on the boundary may still count as its label's; it is fooled when the evaluation says so.
    private double Margin(AttackBatch batch, int s)
    {
        ReadOnlySpan<float> logits = _logits.AsSpan(s * _model.Classes, _model.Classes);
        double margin = LogitLoss.Margin(logits, batch.Labels[s]);
        return margin > 0 ? margin : AttackBatch.IsCorrect(logits, batch.Labels[s]) ? double.Epsilon : margin;
    }

    private Span<float> Of(float[] images, int sample) => images.AsSpan(sample * _model.Shape.Length, _model.Shape.Length);

    private static float Sign(uint word) => word >> 31 == 0 ? 1 : -1;

    private static int Below(uint word, int count) => (int)((ulong)word * (ulong)count >> 32);
}
