using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Training.Data;

/// <summary>
/// Generates the built-in data set: ten stroke shapes under nuisances that a classifier has to see through (position, scale,
/// rotation, bending, width, contrast, colour, distracting strokes, a background gradient, noise). The shapes contrast with
/// the background by several times the usual attack budgets (0.1 for 28x28, 8/255 for 32x32), so robustness can be learned.
/// </summary>
/// <remarks>
/// Sample i of a part is a pure function of the seed, the part and i: a smaller set is the beginning of a larger one, and the
/// pixels are the same on every platform and for any number of threads.
/// </remarks>
internal static class SyntheticImages
{
    /// <summary>The names of the classes, by label. Labels go round, so every ten consecutive samples have each class
    /// once.</summary>
    public static IReadOnlyList<string> Classes => Glyphs.Names;

    /// <summary>Generates a data set.</summary>
    /// <param name="name">The name of the set.</param>
    /// <param name="channels">1 (grey) or 3 (colour).</param>
    /// <param name="side">Rows and columns of an image, at least 16.</param>
    /// <param name="trainSamples">Number of training samples, at least 1.</param>
    /// <param name="testSamples">Number of test samples, at least 1; they share no nuisance with training samples.</param>
    /// <param name="seed">The seed.</param>
    public static DataSplit Generate(string name, int channels, int side, int trainSamples, int testSamples, ulong seed) => new(
        GeneratePart(name, channels, side, trainSamples, seed, part: 0),
        GeneratePart(name, channels, side, testSamples, seed, part: 1));

    private static ImageSet GeneratePart(string name, int channels, int side, int count, ulong seed, uint part)
    {
        if (channels is not (1 or 3))
            throw new ArgumentOutOfRangeException(nameof(channels), channels, "1 or 3");
        ArgumentOutOfRangeException.ThrowIfLessThan(side, 16);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        ulong key = Philox.Key(seed, RandomStream.SyntheticImages);
        int sampleLength = channels * side * side;
        byte[] pixels = GC.AllocateUninitializedArray<byte>(checked(count * sampleLength));
        byte[] labels = new byte[count];
        Parallel.For(
            0, count, () => new GlyphPainter(channels, side),
            (i, _, painter) =>
            {
                labels[i] = (byte)(i % Classes.Count);
                painter.Paint(labels[i], new RandomSequence(key, part, (uint)i), pixels.AsSpan(i * sampleLength, sampleLength));
                return painter;
            },
            _ => { });
        return new ImageSet(name, channels, side, side, Classes, pixels, labels);
    }
}
