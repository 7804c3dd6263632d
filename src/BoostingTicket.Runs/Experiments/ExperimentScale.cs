using System.Globalization;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Training.Data;
using BoostingTicket.Training.Models;

namespace BoostingTicket.Runs.Experiments;

/// <summary>How an experiment becomes smaller: samples, epochs and width are each multiplied by the scale, so that the cost falls by
/// about its fourth power. Nothing falls below what can still be measured.</summary>
public static class ExperimentScale
{
    private const int LeastTrainSamples = 500, LeastOtherSamples = 50, LeastWidth = 4, LeastLeNetWidth = 2;

    // The paper's networks: channels of the first stage of VGG-16 and ResNet-18, and the factor of the widest WideResNet.
    private const int PaperWidth = 64, PaperFactor = 10;

    /// <summary>Samples of a data set at a scale.</summary>
    /// <param name="data">Data settings; those at full scale.</param>
    /// <param name="scale">The scale, in (0, 1].</param>
    public static DataSettings Apply(DataSettings data, double scale)
    {
        ArgumentNullException.ThrowIfNull(data);
        if (scale == 1)
            return data;
        (int train, int test) = Size(data.Name);
        return data with
        {
            TrainSamples = Scaled(train, scale, Math.Min(LeastTrainSamples, train)),
            TestSamples = Scaled(test, scale, Math.Min(LeastOtherSamples, test)),
            ValidationSamples = Scaled(data.ValidationSamples, scale, LeastOtherSamples),
        };
    }

    /// <summary>Whether images of a data set are cropped and flipped: those of things are, drawn digits and letters are not.</summary>
    /// <param name="dataSet">Registered name.</param>
    public static bool CropsAndFlips(string dataSet) => DataSetCatalog.Find(dataSet).Shape.Channels == 3;

    /// <summary>Epochs of a training.</summary>
    /// <param name="configuration">The experiment's configuration.</param>
    /// <param name="paper">Epochs in the paper.</param>
    /// <param name="longest">Epochs of its longest training.</param>
    public static int Epochs(ExperimentConfiguration configuration, int paper, int longest)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        return Scaled(paper, configuration.Epochs is { } epochs ? (double)epochs / longest : configuration.Scale, 1);
    }

    /// <summary>A model in the width that is asked for.</summary>
    /// <param name="configuration">The experiment's configuration.</param>
    /// <param name="paper">The paper's model.</param>
    public static string Model(ExperimentConfiguration configuration, string paper)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        ArgumentNullException.ThrowIfNull(paper);
        if (configuration.Model is { } other)
            return other;
        double factor = configuration.Scale;
        string[] parts = paper.Split('-');
        if (parts is ["wrn", var depth, var widening])
        {
            int widest = int.Parse(widening, CultureInfo.InvariantCulture);
            int width = Scaled(widest, configuration.Width is { } given ? (double)given / PaperFactor : factor, 1);
            return string.Create(CultureInfo.InvariantCulture, $"wrn-{depth}-{width}");
        }
        if (parts[0] == "lenet")
            return factor == 1 ? paper : LeNet(paper, factor);
        int channels = configuration.Width ?? Scaled(PaperWidth, factor, LeastWidth);
        return channels == PaperWidth ? paper : ModelWidth.Change(paper, channels.ToString(CultureInfo.InvariantCulture));
    }

    /// <summary>Whether a model of the paper has a width to change.</summary>
    public static bool HasWidth(string paper) => !paper.StartsWith("lenet", StringComparison.Ordinal);

    private static string LeNet(string paper, double factor)
    {
        (int first, int second, int hidden, string padding) = paper == "lenet" ? (20, 50, 500, "") : (32, 64, 1024, "-p2");
        return string.Create(
            CultureInfo.InvariantCulture,
            $"lenet-{Scaled(first, factor, LeastLeNetWidth)}-{Scaled(second, factor, LeastLeNetWidth)}-{Scaled(hidden, factor, LeastLeNetWidth)}{padding}");
    }

    internal static (int Train, int Test) Size(string dataSet) => DataSetCatalog.Find(dataSet) switch
    {
        SyntheticDataSet => (SyntheticDataSet.DefaultTrainSamples, SyntheticDataSet.DefaultTestSamples),
        { Name: "cifar10" } => (50_000, 10_000),
        _ => (60_000, 10_000),
    };

    private static int Scaled(int value, double factor, int least) =>
        Math.Max(least, (int)Math.Round(value * factor, MidpointRounding.AwayFromZero));
}
