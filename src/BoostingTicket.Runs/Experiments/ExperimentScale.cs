using BoostingTicket.Runs.Configuration;
using BoostingTicket.Training.Data;
using BoostingTicket.Training.Models;

namespace BoostingTicket.Runs.Experiments;

/// <summary>How an experiment becomes smaller: samples, epochs and width are each multiplied by the scale, so that the cost falls
/// by about its fourth power. Nothing falls below what can still be measured.</summary>
internal static class ExperimentScale
{
    private const int LeastTrainSamples = 500, LeastOtherSamples = 50;

    /// <summary>Samples of a data set at a scale.</summary>
    /// <param name="data">Data settings; those at full scale.</param>
    /// <param name="scale">The scale, in (0, 1].</param>
    public static DataSettings Apply(DataSettings data, double scale)
    {
        ArgumentNullException.ThrowIfNull(data);
        if (scale == 1)
            return data;
        IDataSet set = DataSetCatalog.Find(data.Name);
        return data with
        {
            TrainSamples = Scaled(set.TrainSamples, scale, Math.Min(LeastTrainSamples, set.TrainSamples)),
            TestSamples = Scaled(set.TestSamples, scale, Math.Min(LeastOtherSamples, set.TestSamples)),
            ValidationSamples = Scaled(data.ValidationSamples, scale, LeastOtherSamples),
        };
    }

    /// <summary>Whether images of a data set are cropped and flipped: those of things are, drawn digits and letters are
    /// not.</summary>
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
        IModelFamily family = ModelCatalog.FamilyOf(paper);
        if (family.Width(paper) is not { } width)
            return family.Scaled(paper, configuration.Scale);
        int value = configuration.Width is { } given
            ? Scaled(width.Value, (double)given / width.Widest, 1)
            : Scaled(width.Value, configuration.Scale, width.Least);
        return value == width.Value ? paper : width.Name(value);
    }

    /// <summary>Whether a model of the paper has a width to change.</summary>
    public static bool HasWidth(string paper) => ModelCatalog.FamilyOf(paper).Width(paper) is not null;

    private static int Scaled(int value, double factor, int least) =>
        Math.Max(least, (int)Math.Round(value * factor, MidpointRounding.AwayFromZero));
}
