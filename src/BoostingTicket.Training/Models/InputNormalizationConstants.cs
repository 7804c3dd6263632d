namespace BoostingTicket.Training.Models;

/// <summary>Mean and standard deviation of each colour channel of a data set's training images, in pixel units of [0, 1]. A
/// model applies them as its first layer, so that images and attacks stay in pixel units.</summary>
public sealed class InputNormalizationConstants
{
    private const float Bytes = 255;

    /// <summary>Constants for as many channels as there are values.</summary>
    /// <param name="mean">Mean of each channel, finite.</param>
    /// <param name="deviation">Standard deviation of each channel, positive and finite.</param>
    /// <exception cref="ArgumentException">The numbers of values differ, or one is out of range.</exception>
    public InputNormalizationConstants(IReadOnlyList<float> mean, IReadOnlyList<float> deviation)
    {
        ArgumentNullException.ThrowIfNull(mean);
        ArgumentNullException.ThrowIfNull(deviation);
        if (mean.Count == 0 || mean.Count != deviation.Count)
            throw new ArgumentException("mean and deviation need one value a channel");
        if (!mean.All(float.IsFinite) || !deviation.All(value => float.IsFinite(value) && value > 0))
            throw new ArgumentException("means need to be finite, deviations positive");
        Mean = [.. mean];
        Deviation = [.. deviation];
    }

    /// <summary>CIFAR-10's constants, the ones in common use.</summary>
    public static InputNormalizationConstants Cifar10 { get; } = new([0.4914f, 0.4822f, 0.4465f], [0.2471f, 0.2435f, 0.2616f]);

    /// <summary>MNIST's constants, the ones in common use.</summary>
    public static InputNormalizationConstants Mnist { get; } = new([0.1307f], [0.3081f]);

    /// <summary>Whether the constants can be those of images in [0, 1], whose means and deviations are at most 1.</summary>
    public bool AreForUnitPixels => Mean.Concat(Deviation).All(value => value <= 1);

    /// <summary>The same for images in [0, 1] where these are for images of 0 to 255, such as 125.3 and 63: both divided by 255.
    /// Null where they are not, or where mean and deviation are of different scales.</summary>
    public InputNormalizationConstants? FromBytePixels =>
        !AreForUnitPixels && Deviation.All(value => value is > 1 and <= Bytes)
        && Mean.All(value => value is 0 or (> 1 and <= Bytes))
            ? new([.. Mean.Select(Scaled)], [.. Deviation.Select(Scaled)])
            : null;

    /// <summary>Mean of each channel.</summary>
    public IReadOnlyList<float> Mean { get; }

    /// <summary>Standard deviation of each channel.</summary>
    public IReadOnlyList<float> Deviation { get; }

    private static float Scaled(float value) => (float)(value / (double)Bytes);

    /// <summary>Whether the values are the same.</summary>
    public bool ContentEquals(InputNormalizationConstants? other) =>
        other is not null && Mean.SequenceEqual(other.Mean) && Deviation.SequenceEqual(other.Deviation);
}
