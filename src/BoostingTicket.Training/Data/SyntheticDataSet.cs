using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Training.Data;

/// <summary>A form of the generated data set; see <see cref="SyntheticImages"/>.</summary>
/// <param name="name">The name.</param>
/// <param name="description">What it is, in one line.</param>
/// <param name="shape">Shape of one image; square.</param>
internal sealed class SyntheticDataSet(string name, string description, FeatureShape shape) : IDataSet
{
    /// <summary>Training samples where none are asked for.</summary>
    public const int DefaultTrainSamples = 6000;

    /// <summary>Test samples where none are asked for.</summary>
    public const int DefaultTestSamples = 1000;

    /// <inheritdoc/>
    public string Name => name;

    /// <inheritdoc/>
    public string Description => description;

    /// <inheritdoc/>
    public FeatureShape Shape => shape;

    /// <inheritdoc/>
    public IReadOnlyList<string> Classes => SyntheticImages.Classes;

    /// <inheritdoc/>
    public IReadOnlyList<PublishedFile> Files => [];

    /// <inheritdoc/>
    public int TrainSamples => DefaultTrainSamples;

    /// <inheritdoc/>
    public int TestSamples => DefaultTestSamples;

    /// <inheritdoc/>
    public DataSetConventions Conventions => DataSetConventions.Synthetic;

    /// <inheritdoc/>
    public DataSplit Load(DataSetOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return SyntheticImages.Generate(
            name, shape.Channels, shape.Height, Count(options.TrainSamples, DefaultTrainSamples, "training"),
            Count(options.TestSamples, DefaultTestSamples, "test"), options.Seed);
    }

    private int Count(int? wanted, int byDefault, string what)
    {
        int count = wanted ?? byDefault;
        int most = Array.MaxLength / shape.Length;
        return count >= 1 && count <= most
            ? count
            : throw new ConfigurationException(
                $"{count} {what} samples of {name} were asked for; choose a number from 1 to {most}.");
    }
}
