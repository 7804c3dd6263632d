using BoostingTicket.Engine.Graph;
using BoostingTicket.Training.Models;

namespace BoostingTicket.Training.Pruning;

/// <summary>How important the channels of a group are, and what they cost.</summary>
internal static class ChannelImportance
{
    /// <summary>A number for each channel; the smaller, the sooner it goes.</summary>
    /// <exception cref="ConfigurationException">γ is asked for, and the group passes through no normalisation.</exception>
    public static double[] Of(ChannelGroup group, ModelState trained, ChannelCriterion criterion) => Mean(
        group.Channels,
        criterion == ChannelCriterion.Norm
            ? group.Producers.Select(node => RelativeNorms(trained[$"{node.Name}.weight"], group.Channels))
            : Scales(group, trained));

    /// <summary>The channels, the least important first; of equally important ones, those of smaller numbers.</summary>
    public static int[] Ascending(double[] importance) =>
        [.. Enumerable.Range(0, importance.Length).OrderBy(channel => importance[channel])];

    /// <summary>Multiply-adds of one sample's forward pass that a channel accounts for: those that make it and those that read
    /// it.</summary>
    public static double MultiplyAdds(ChannelGroup group) =>
        (double)group.Producers.Concat(group.Consumers).Sum(node => node.Layer!.MultiplyAdds(node.Inputs[0].Shape))
        / group.Channels;

    private static IEnumerable<double[]> Scales(ChannelGroup group, ModelState trained)
    {
        if (group.Normalizations.Count == 0)
        {
            throw new ConfigurationException(
                $"The channels of {group.Name} pass through no normalisation, whose γ could tell which to keep; choose "
                + $"{Setting.Named("pruning.channelCriterion")} norm, or another model ({Setting.Named("model")}).");
        }

        foreach (Node node in group.Normalizations)
        {
            if (trained[$"{node.Name}.weight"].ContainsAnyExceptInRange(float.MinValue, float.MaxValue))
                throw new DivergedException(
                    $"A scale of {node.Name} is not a finite number, so the smallest cannot be found; training diverged: lower "
                    + $"the "
                    + "learning rate and train again.");
        }

        return group.Normalizations.Select(node => Magnitudes(trained[$"{node.Name}.weight"]));
    }

    private static double[] Magnitudes(ReadOnlySpan<float> values)
    {
        double[] magnitudes = new double[values.Length];
        for (int i = 0; i < values.Length; i++)
            magnitudes[i] = Math.Abs((double)values[i]);
        return magnitudes;
    }

    private static double[] RelativeNorms(ReadOnlySpan<float> weights, int channels)
    {
        double[] norms = new double[channels];
        int length = weights.Length / channels;
        for (int channel = 0; channel < channels; channel++)
        {
            double sum = 0;
            foreach (float weight in weights.Slice(channel * length, length))
                sum += (double)weight * weight;
            norms[channel] = Math.Sqrt(sum);
        }

        double mean = norms.Average();
        return mean == 0 ? norms : [.. norms.Select(norm => norm / mean)];
    }

    private static double[] Mean(int channels, IEnumerable<double[]> rows)
    {
        double[][] all = [.. rows];
        return [.. Enumerable.Range(0, channels).Select(channel => all.Average(row => row[channel]))];
    }
}
