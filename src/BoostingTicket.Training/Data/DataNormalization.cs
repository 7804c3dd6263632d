using BoostingTicket.Training.Models;

namespace BoostingTicket.Training.Data;

/// <summary>The constants that networks normalise a data set's images with: those in common use for the data sets that have
/// them (<see cref="IDataSet.Normalization"/>), else the training images' own mean and deviation.</summary>
internal static class DataNormalization
{
    /// <summary>How many training images have to be loaded so that the constants do not depend on the share in use.</summary>
    /// <param name="name">Registered name of the data set.</param>
    /// <param name="wanted">Training images in use; 0 for all.</param>
    /// <returns>What to load; null for all.</returns>
    public static int? SamplesToLoad(string name, int wanted) => DataSetCatalog.Find(name) switch
    {
        _ when wanted == 0 => null,
        { Normalization: not null } => wanted,
        { IsGenerated: true } set => Math.Max(wanted, set.TrainSamples),
        _ => null,
    };

    /// <summary>The constants of a data set.</summary>
    /// <param name="train">Its training images, all of them (of a generated set that has no end, at least its usual number, and
    /// no others count), so that the constants do not depend on the share in use.</param>
    public static InputNormalizationConstants For(ImageSet train)
    {
        ArgumentNullException.ThrowIfNull(train);
        IDataSet? set = DataSetCatalog.All.FirstOrDefault(known => known.Name == train.Name);
        return set?.Normalization
            ?? Measure(train, set is { IsGenerated: true } ? Math.Min(train.Count, set.TrainSamples) : train.Count);
    }

    private static InputNormalizationConstants Measure(ImageSet train, int samples)
    {
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
