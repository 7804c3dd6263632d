using BoostingTicket.Training.Data;
using BoostingTicket.Training.Models;

namespace BoostingTicket.Training.Tickets;

/// <summary>The constants that a run's network normalises images with: those in common use for the data sets that have
/// them, else the training images' own mean and deviation.</summary>
public static class RunNormalization
{
    /// <summary>The constants of a data set.</summary>
    /// <param name="train">Its training images, all of them, so that the constants do not depend on the share in use.</param>
    public static InputNormalizationConstants For(ImageSet train)
    {
        ArgumentNullException.ThrowIfNull(train);
        return train.Name switch
        {
            "cifar10" => InputNormalizationConstants.Cifar10,
            "mnist" => InputNormalizationConstants.Mnist,
            _ => Measure(train),
        };
    }

    private static InputNormalizationConstants Measure(ImageSet train)
    {
        int plane = train.Height * train.Width;
        float[] means = new float[train.Channels], deviations = new float[train.Channels];
        for (int channel = 0; channel < train.Channels; channel++)
        {
            long sum = 0, squares = 0;
            for (int sample = 0; sample < train.Count; sample++)
            {
                ReadOnlySpan<byte> pixels = train.Pixels.AsSpan((sample * train.Channels + channel) * plane, plane);
                foreach (byte pixel in pixels)
                {
                    sum += pixel;
                    squares += pixel * pixel;
                }
            }
            double count = (double)train.Count * plane, mean = sum / count;
            means[channel] = (float)(mean / 255);
            deviations[channel] = (float)(Math.Sqrt(Math.Max(squares / count - mean * mean, 1)) / 255);
        }
        return new InputNormalizationConstants(means, deviations);
    }
}
