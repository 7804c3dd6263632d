namespace BoostingTicket.Training.Data;

/// <summary>Paints one image of the generated data set at a time; for one thread.</summary>
/// <param name="channels">1 (grey) or 3 (colour).</param>
/// <param name="side">Rows and columns.</param>
internal sealed class GlyphPainter(int channels, int side)
{
    // Geometry. Lengths are fractions of the image's side, angles are given by the tangent of their half.
    private const float LargestShift = 0.14f;
    private const float SmallestScale = 0.22f, LargestScale = 0.36f;
    private const float LargestStretch = 0.15f;
    private const float LargestHalfAngleTangent = 0.22f;
    private const float LargestBend = 0.24f;
    private const float ThinnestHalfWidth = 0.035f, ThickestHalfWidth = 0.055f;
    private const int FewestDistractors = 1, MostDistractors = 5;
    private const float ShortestDistractor = 0.1f, LongestDistractor = 0.4f;

    // Light, as fractions of the full scale. In colour all but the ground is reduced by ColourScale, since the usual budget there
    // is smaller. Less contrast than this and adversarial training from small networks stays at chance for epochs.
    private const float ColourScale = 0.6f;
    private const float DarkestGround = 0, LightestGround = 0.1f;
    private const float LeastContrast = 0.65f, MostContrast = 0.85f;
    private const float LeastDistraction = 0.2f, MostDistraction = 0.45f;
    private const float LargestGradient = 0.05f;
    private const float LargestTint = 0.15f;
    private const float LeastNoise = 0.01f, MostNoise = 0.03f;

    private readonly float _scale = channels == 1 ? 1 : ColourScale;
    private readonly GlyphCanvas _glyph = new(side);
    private readonly GlyphCanvas _distractors = new(side);
    private readonly float[] _ground = new float[channels];
    private readonly float[] _ink = new float[channels];
    private readonly float[] _distraction = new float[channels];

    /// <summary>Paints an image.</summary>
    /// <param name="label">The class.</param>
    /// <param name="random">The image's own numbers, from their beginning.</param>
    /// <param name="pixels">Receives the image, CHW.</param>
    public void Paint(int label, RandomSequence random, Span<byte> pixels)
    {
        float halfWidth = side * random.NextSingle(ThinnestHalfWidth, ThickestHalfWidth);
        float distractorHalfWidth = side * random.NextSingle(ThinnestHalfWidth, ThickestHalfWidth);
        DrawGlyph(label, halfWidth + 1, ref random);
        DrawDistractors(distractorHalfWidth + 1, ref random);
        ChooseColours(ref random);
        float gradientX = _scale * random.NextSingle(-LargestGradient, LargestGradient);
        float gradientY = _scale * random.NextSingle(-LargestGradient, LargestGradient);
        float noise = _scale * random.NextSingle(LeastNoise, MostNoise);
        float unit = 2f / (side - 1);
        for (int pixel = 0; pixel < side * side; pixel++)
        {
            float light = gradientX * (pixel % side * unit - 1) + gradientY * (pixel / side * unit - 1);
            float ink = _glyph.Coverage(pixel, halfWidth);
            float distraction = _distractors.Coverage(pixel, distractorHalfWidth);
            for (int channel = 0; channel < channels; channel++)
            {
                float value = _ground[channel] + light;
                value += distraction * _distraction[channel];
                value += ink * (_ground[channel] + light + _ink[channel] - value);
                value += noise * Noise(ref random);
                pixels[channel * side * side + pixel] = (byte)(Math.Clamp(value, 0, 1) * 255 + 0.5f);
            }
        }
    }

    private void DrawGlyph(int label, float reach, ref RandomSequence random)
    {
        float centreX = (side - 1) * 0.5f + side * random.NextSingle(-LargestShift, LargestShift);
        float centreY = (side - 1) * 0.5f + side * random.NextSingle(-LargestShift, LargestShift);
        float scale = side * random.NextSingle(SmallestScale, LargestScale);
        float scaleX = scale * (1 + random.NextSingle(-LargestStretch, LargestStretch));
        float scaleY = scale * (1 + random.NextSingle(-LargestStretch, LargestStretch));
        float tangent = random.NextSingle(-LargestHalfAngleTangent, LargestHalfAngleTangent);
        float square = tangent * tangent;
        float cosine = (1 - square) / (1 + square), sine = 2 * tangent / (1 + square);
        float bendX = random.NextSingle(-LargestBend, LargestBend), bendY = random.NextSingle(-LargestBend, LargestBend);
        float skewX = random.NextSingle(-LargestBend, LargestBend), skewY = random.NextSingle(-LargestBend, LargestBend);

        (float X, float Y) Place(float x, float y)
        {
            float bentX = (x + bendX * y * y + skewX * x * y) * scaleX, bentY = (y + bendY * x * x + skewY * x * y) * scaleY;
            return (centreX + cosine * bentX - sine * bentY, centreY + sine * bentX + cosine * bentY);
        }

        _glyph.Clear();
        foreach (Segment stroke in Glyphs.Strokes[label])
        {
            (float x0, float y0) = Place(stroke.X0, stroke.Y0);
            (float x1, float y1) = Place(stroke.X1, stroke.Y1);
            _glyph.Add(new Segment(x0, y0, x1, y1), reach);
        }
    }

    private void DrawDistractors(float reach, ref RandomSequence random)
    {
        _distractors.Clear();
        int count = FewestDistractors + random.NextBelow(MostDistractors - FewestDistractors + 1);
        for (int i = 0; i < count; i++)
        {
            float x = side * random.NextSingle(), y = side * random.NextSingle();
            float length = side * random.NextSingle(ShortestDistractor, LongestDistractor);
            // A direction of the whole circle: a half angle in (-45, 45) degrees, then turned by a random quarter.
            float tangent = random.NextSingle(-1, 1);
            float square = tangent * tangent;
            float dx = length * (1 - square) / (1 + square), dy = length * 2 * tangent / (1 + square);
            if (random.NextBelow(2) == 1)
                (dx, dy) = (-dx, -dy);
            _distractors.Add(new Segment(x, y, x + dx, y + dy), reach);
        }
    }

    private void ChooseColours(ref RandomSequence random)
    {
        float ground = random.NextSingle(DarkestGround, LightestGround);
        float ink = random.NextSingle(LeastContrast, MostContrast);
        float distraction = random.NextSingle(LeastDistraction, MostDistraction);
        float tint = channels == 1 ? 0 : LargestTint;
        for (int channel = 0; channel < channels; channel++)
        {
            // What the contrast leaves of the scale is free for colours of the ground.
            float groundTint = channels == 1 ? 0 : random.NextSingle(0, 1 - LightestGround - ColourScale);
            _ground[channel] = ground + groundTint;
            _ink[channel] = _scale * (ink + random.NextSingle(-tint, tint));
            _distraction[channel] = _scale * (distraction + random.NextSingle(-tint, tint));
        }
    }

    // Nearly normal, of mean 0 and variance 1: the sum of a word's four bytes, standardised.
    private static float Noise(ref RandomSequence random)
    {
        const float Mean = 4 * 127.5f;
        const float Deviation = 147.8017f; // sqrt(4 * (256^2 - 1) / 12)
        uint word = random.NextWord();
        uint sum = (word & 0xFF) + (word >> 8 & 0xFF) + (word >> 16 & 0xFF) + (word >> 24);
        return (sum - Mean) / Deviation;
    }
}
