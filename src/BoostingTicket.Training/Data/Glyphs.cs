namespace BoostingTicket.Training.Data;

/// <summary>A line between two points of the glyph plane.</summary>
/// <param name="X0">Begin, to the right.</param>
/// <param name="Y0">Begin, downwards.</param>
/// <param name="X1">End, to the right.</param>
/// <param name="Y1">End, downwards.</param>
internal readonly record struct Segment(float X0, float Y0, float X1, float Y1);

/// <summary>
/// The ten shapes of the generated data set, as strokes in the square from -1 to 1, y downwards. They differ in how strokes
/// run and meet, not in how much ink they have or where it lies, which is what a linear classifier would go by.
/// </summary>
internal static class Glyphs
{
    private const int ArcSegments = 6;

    /// <summary>The names of the classes, by label.</summary>
    public static IReadOnlyList<string> Names { get; } =
        ["ring", "bar", "plus", "saltire", "zed", "ess", "arch", "triangle", "tee", "hook"];

    /// <summary>The strokes of each class, by label.</summary>
    public static Segment[][] Strokes { get; } =
    [
        Arc(0, 0, 0.75f, 0.9f, 0, 4),
        Lines(0, -1, 0, 1),
        [.. Lines(0, -0.95f, 0, 0.95f), .. Lines(-0.9f, 0, 0.9f, 0)],
        [.. Lines(-0.75f, -0.8f, 0.75f, 0.8f), .. Lines(0.75f, -0.8f, -0.75f, 0.8f)],
        Lines(-0.75f, -0.85f, 0.75f, -0.85f, -0.75f, 0.85f, 0.75f, 0.85f),
        [.. Arc(0, -0.45f, 0.65f, 0.45f, 1, 3), .. Arc(0, 0.45f, 0.65f, 0.45f, 3, 5), .. Lines(0, -0.9f, 0.6f, -0.8f), .. Lines(
            0, 0.9f, -0.6f, 0.8f)],
        [.. Arc(0, -0.1f, 0.75f, 0.8f, 2, 4), .. Lines(-0.75f, -0.1f, -0.75f, 0.9f), .. Lines(0.75f, -0.1f, 0.75f, 0.9f)],
        Lines(0, -0.9f, 0.85f, 0.75f, -0.85f, 0.75f, 0, -0.9f),
        [.. Lines(-0.85f, -0.8f, 0.85f, -0.8f), .. Lines(0, -0.8f, 0, 0.95f)],
        Lines(-0.6f, -0.9f, -0.6f, 0.8f, 0.75f, 0.8f),
    ];

    private static Segment[] Lines(params ReadOnlySpan<float> points)
    {
        var segments = new Segment[points.Length / 2 - 1];
        for (int i = 0; i < segments.Length; i++)
            segments[i] = new Segment(points[2 * i], points[2 * i + 1], points[2 * i + 2], points[2 * i + 3]);
        return segments;
    }

    // From and to in quarter turns, clockwise from the right (y points down).
    private static Segment[] Arc(float x, float y, float radiusX, float radiusY, int from, int to)
    {
        int count = (to - from) * ArcSegments;
        float[] points = new float[2 * (count + 1)];
        for (int i = 0; i <= count; i++)
        {
            (double cosine, double sine) = Circle(from + i / ArcSegments, (double)(i % ArcSegments) / ArcSegments);
            points[2 * i] = (float)(x + radiusX * cosine);
            points[2 * i + 1] = (float)(y + radiusY * sine);
        }

        return Lines(points);
    }

    // A point of the unit circle by its rational parametrisation: the libraries of different platforms disagree in the last bit
    // of a sine, and images must not.
    private static (double Cosine, double Sine) Circle(int quarter, double t)
    {
        // Maps the quarter onto t in [0, tan(pi/8 * 2)] = [0, 1], nearly evenly spaced.
        double square = t * t;
        double cosine = (1 - square) / (1 + square), sine = 2 * t / (1 + square);
        return (quarter % 4) switch
        {
            0 => (cosine, sine),
            1 => (-sine, cosine),
            2 => (-cosine, -sine),
            _ => (sine, -cosine),
        };
    }
}
