using BoostingTicket.Training.Data;
using BoostingTicket.Training.Models;

namespace BoostingTicket.Runs.Configuration;

/// <summary>The constants that a run's network normalises images with: those in common use for the data sets that have
/// them, else the training images' own mean and deviation.</summary>
public static class RunNormalization
{
    private const string Cifar10 = "cifar10";
    private const string Mnist = "mnist";

    /// <summary>The constants in common use for a data set; null where they are measured.</summary>
    /// <param name="name">Registered name of the data set.</param>
    public static InputNormalizationConstants? Usual(string name) => name switch
    {
        Cifar10 => InputNormalizationConstants.Cifar10,
        Mnist => InputNormalizationConstants.Mnist,
        _ => null,
    };

    /// <summary>How many training images have to be loaded so that the constants do not depend on the share in use.</summary>
    /// <param name="name">Registered name of the data set.</param>
    /// <param name="wanted">Training images in use; 0 for all.</param>
    /// <returns>What to load; null for all.</returns>
    public static int? SamplesToLoad(string name, int wanted) => name switch
    {
        _ when wanted == 0 => null,
        _ when Usual(name) is not null => wanted,
        _ when IsGenerated(name) => Math.Max(wanted, SyntheticDataSet.DefaultTrainSamples),
        _ => null,
    };

    /// <summary>The constants of a data set.</summary>
    /// <param name="train">Its training images, all of them (of a generated set that has no end, at least its usual number, and no
    /// others count), so that the constants do not depend on the share in use.</param>
    public static InputNormalizationConstants For(ImageSet train)
    {
        ArgumentNullException.ThrowIfNull(train);
        return Usual(train.Name) ?? Measure(train);
    }

    private static bool IsGenerated(string name) => DataSetCatalog.All.Any(set => set.Name == name && set is SyntheticDataSet);

    private static InputNormalizationConstants Measure(ImageSet train)
    {
        int samples = IsGenerated(train.Name) ? Math.Min(train.Count, SyntheticDataSet.DefaultTrainSamples) : train.Count;
        int plane = train.Height * train.Width;
        float[] means = new float[train.Channels], deviations = new float[train.Channels];
        for (int channel = 0; channel < train.Channels; channel++)
        {
            long sum = 0, squares = 0;
            for (int sample = 0; sample < samples; sample++)
            {
                ReadOnlySpan<byte> pixels = train.Pixels.AsSpan((sample * train.Channels + channel) * plane, plane);
                foreach (byte pixel in pixels)
                {
                    sum += pixel;
                    squares += pixel * pixel;
                }
            }
            double count = (double)samples * plane, mean = sum / count;
            means[channel] = (float)(mean / 255);
            deviations[channel] = (float)(Math.Sqrt(Math.Max(squares / count - mean * mean, 1)) / 255);
        }
        return new InputNormalizationConstants(means, deviations);
    }
}
