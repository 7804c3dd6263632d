namespace BoostingTicket.Training.Data;

/// <summary>
/// Draws anti-aliased strokes: keeps for every pixel the distance to the nearest stroke. Only operations that every platform
/// rounds alike are used.
/// </summary>
/// <param name="side">Rows and columns.</param>
internal sealed class GlyphCanvas(int side)
{
    private const float Far = 1e6f;

    private readonly float[] _squaredDistance = new float[side * side];

    /// <summary>Removes all strokes.</summary>
    public void Clear() => Array.Fill(_squaredDistance, Far);

    /// <summary>Adds a stroke.</summary>
    /// <param name="segment">The stroke, in pixels; pixel centres are at whole numbers.</param>
    /// <param name="reach">How far from it distances are needed, in pixels.</param>
    public void Add(Segment segment, float reach)
    {
        float dx = segment.X1 - segment.X0, dy = segment.Y1 - segment.Y0;
        float inverse = 1 / Math.Max(dx * dx + dy * dy, 1e-12f);
        int top = Math.Max(0, (int)MathF.Ceiling(Math.Min(segment.Y0, segment.Y1) - reach));
        int bottom = Math.Min(side - 1, (int)MathF.Floor(Math.Max(segment.Y0, segment.Y1) + reach));
        int left = Math.Max(0, (int)MathF.Ceiling(Math.Min(segment.X0, segment.X1) - reach));
        int right = Math.Min(side - 1, (int)MathF.Floor(Math.Max(segment.X0, segment.X1) + reach));
        for (int y = top; y <= bottom; y++)
        {
            for (int x = left; x <= right; x++)
            {
                float px = x - segment.X0, py = y - segment.Y0;
                float along = Math.Clamp((px * dx + py * dy) * inverse, 0, 1);
                float ex = px - along * dx, ey = py - along * dy;
                ref float nearest = ref _squaredDistance[y * side + x];
                nearest = Math.Min(nearest, ex * ex + ey * ey);
            }
        }
    }

    /// <summary>How much of a pixel the strokes cover, 0 to 1.</summary>
    /// <param name="pixel">Row times side plus column.</param>
    /// <param name="halfWidth">Half the width of the strokes, in pixels.</param>
    public float Coverage(int pixel, float halfWidth) =>
        Math.Clamp(halfWidth + 0.5f - MathF.Sqrt(_squaredDistance[pixel]), 0, 1);
}
