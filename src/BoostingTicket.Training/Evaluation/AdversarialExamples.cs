using System.Globalization;
using BoostingTicket.Training.Files;

namespace BoostingTicket.Training.Evaluation;

/// <summary>A few test images before and after an attack, to be looked at.</summary>
/// <param name="Channels">Channels of an image.</param>
/// <param name="Height">Its rows.</param>
/// <param name="Width">Its columns.</param>
/// <param name="Epsilon">The ball's radius, in pixel units.</param>
/// <param name="Classes">Names of the classes.</param>
/// <param name="Images">The images.</param>
internal sealed record AdversarialExamples(
    int Channels, int Height, int Width, double Epsilon, IReadOnlyList<string> Classes, IReadOnlyList<AdversarialExample> Images)
{
    private const string EpsilonKey = "epsilon", ClassesKey = "classes";
    private const int Facts = 4;
    private const int MostImages = 64;

    /// <summary>Writes them as safetensors: <c>clean</c> and <c>adversarial</c> [images, channels, height, width] float32 in [0,
    /// 1],
    /// <c>facts</c> [images, 4] int32: sample, label, prediction before and after.</summary>
    /// <param name="path">The file, written whole or not at all.</param>
    /// <exception cref="ConfigurationException">The file cannot be written there.</exception>
    public void Save(string path)
    {
        long[] shape = [Images.Count, Channels, Height, Width];
        new SafetensorsWriter()
            .WithMetadata(EpsilonKey, Epsilon.ToString("R", CultureInfo.InvariantCulture))
            .WithMetadata(ClassesKey, string.Join('\n', Classes))
            .Add("adversarial", (float[])[.. Images.SelectMany(image => image.Adversarial)], shape)
            .Add("clean", (float[])[.. Images.SelectMany(image => image.Clean)], shape)
            .Add("facts", (int[])[.. Images.SelectMany(
                image => (int[])[image.Sample, image.Label, image.CleanClass, image.AdversarialClass])],
                Images.Count, Facts)
            .Save(path);
    }

    /// <summary>Reads what <see cref="Save"/> wrote.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="ConfigurationException">There is no such file, or it is another kind.</exception>
    /// <exception cref="DamagedFileException">It is damaged.</exception>
    public static AdversarialExamples Load(string path)
    {
        using SafetensorsFile file = SafetensorsFile.Open(path);
        if (!file.TryFind("clean", out SafetensorsEntry? clean) || clean.Shape.Count != 4
            || !file.Metadata.TryGetValue(EpsilonKey, out string? epsilon)
                || !file.Metadata.TryGetValue(ClassesKey, out string? classes)
            || !double.TryParse(epsilon, CultureInfo.InvariantCulture, out double radius))
            throw new DamagedFileException(
                $"The file '{path}' does not hold adversarial examples; delete it to get the report without images.");
        // Every size is at least 1, so that none is larger than the file has bytes for.
        if (clean.Shape.Any(size => size is < 1 or > int.MaxValue) || clean.Shape[0] > MostImages
            || clean.Length > Array.MaxLength / sizeof(float) || !(radius is >= 0 and <= 1))
            throw new DamagedFileException(
                $"The file '{path}' holds examples of impossible sizes; delete it, and the report comes without them.");
        int count = (int)clean.Shape[0], length = (int)(clean.Shape[1] * clean.Shape[2] * clean.Shape[3]);
        SafetensorsEntry[] entries =
        [
            file.Require("clean", SafetensorsType.F32, [.. clean.Shape]),
                file.Require("adversarial", SafetensorsType.F32, [.. clean.Shape]),
            file.Require("facts", SafetensorsType.I32, count, Facts),
        ];
        float[] before = new float[count * length], after = new float[count * length];
        int[] facts = new int[count * Facts];
        file.ReadSingles(entries[0], before);
        file.ReadSingles(entries[1], after);
        file.Read<int>(entries[2], facts);
        if (before.Concat(after).Any(pixel => !float.IsFinite(pixel)) || clean.Shape[1] is not (1 or 3))
            throw new DamagedFileException(
                $"The file '{path}' holds something that is not an image; delete it to get the report without images.");
        string[] names = classes.Split('\n');
        if (Enumerable.Range(0, count).Any(i => facts.AsSpan((i * Facts) + 1, 3).ContainsAnyExceptInRange(0, names.Length - 1)))
            throw new DamagedFileException(
                $"The file '{path}' names classes that it does not have; delete it, and the report comes without them.");
        return new AdversarialExamples(
            (int)clean.Shape[1], (int)clean.Shape[2], (int)clean.Shape[3], radius, names,
            [
                .. Enumerable.Range(0, count).Select(i => new AdversarialExample(
                    facts[i * Facts], facts[(i * Facts) + 1], before[(i * length)..((i + 1) * length)], facts[(i * Facts) + 2],
                    after[(i * length)..((i + 1) * length)], facts[(i * Facts) + 3])),
            ]);
    }
}

/// <summary>An image before and after an attack.</summary>
/// <param name="Sample">Number of the sample in its set.</param>
/// <param name="Label">Its class.</param>
/// <param name="Clean">The image [channels, height, width] in [0, 1].</param>
/// <param name="CleanClass">What the network takes it for.</param>
/// <param name="Adversarial">The image that the attack left.</param>
/// <param name="AdversarialClass">What the network takes that for.</param>
internal sealed record AdversarialExample(
    int Sample, int Label, float[] Clean, int CleanClass, float[] Adversarial, int AdversarialClass);
