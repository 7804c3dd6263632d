using BoostingTicket.Engine.Tensors;
using BoostingTicket.Training.Models;

namespace BoostingTicket.Training.Data;

/// <summary>A data set read from files that a publisher offers.</summary>
/// <param name="name">The name.</param>
/// <param name="description">What it is, in one line.</param>
/// <param name="shape">Shape of one image.</param>
/// <param name="classes">The names of the classes.</param>
/// <param name="files">What to download.</param>
/// <param name="read">Reads the set, given the data folder and the checksums of unpacked files by file name.</param>
internal sealed class PublishedDataSet(
    string name, string description, FeatureShape shape, IReadOnlyList<string> classes, IReadOnlyList<PublishedFile> files,
    Func<string, IReadOnlyDictionary<string, FileChecksum>, DataSplit> read) : IDataSet
{
    /// <inheritdoc/>
    public string Name => name;

    /// <inheritdoc/>
    public string Description => description;

    /// <inheritdoc/>
    public FeatureShape Shape => shape;

    /// <inheritdoc/>
    public IReadOnlyList<string> Classes => classes;

    /// <inheritdoc/>
    public IReadOnlyList<PublishedFile> Files => files;

    /// <inheritdoc/>
    public required int TrainSamples { get; init; }

    /// <inheritdoc/>
    public required int TestSamples { get; init; }

    /// <inheritdoc/>
    public required DataSetConventions Conventions { get; init; }

    /// <inheritdoc/>
    public InputNormalizationConstants? Normalization { get; init; }

    /// <summary>Whether the set lies under a data folder in another layout than the published one.</summary>
    public Func<string, bool> IsElsewhere { get; init; } = _ => false;

    /// <inheritdoc/>
    public bool IsThere(string root) => files.All(file => Exists(root, file)) || IsElsewhere(root);

    /// <inheritdoc/>
    public DataSplit Load(DataSetOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var checksums = files.SelectMany(file => file.Members).ToDictionary(
            member => Path.GetFileName(member.Path), member => member.Checksum);
        DataSplit split = read(DataRoot.Resolve(options.Root), checksums);
        if (new FeatureShape(split.Train.Channels, split.Train.Height, split.Train.Width) != shape)
        {
            throw new DataException(
                $"The images of {name} are {split.Train.Channels}x{split.Train.Height}x{split.Train.Width} and not "
                + $"{shape.Channels}x{shape.Height}x{shape.Width}; run 'data fetch {name}' to download it again.");
        }

        return new DataSplit(
            First(name, split.Train, options.TrainSamples, "training"), First(name, split.Test, options.TestSamples, "test"));
    }

    /// <summary>The first images of a set.</summary>
    /// <param name="name">Name of the data set.</param>
    /// <param name="set">The images.</param>
    /// <param name="count">How many; null for all.</param>
    /// <param name="what">What they are for.</param>
    /// <exception cref="ConfigurationException">There are fewer.</exception>
    internal static ImageSet First(string name, ImageSet set, int? count, string what)
    {
        if (count is not { } wanted || wanted == set.Count)
            return set;
        if (wanted < 1 || wanted > set.Count)
            throw new ConfigurationException(
                $"{wanted} {what} samples of {name} were asked for; choose a number from 1 to {set.Count}.");
        return set.Subset([.. Enumerable.Range(0, wanted)]);
    }

    private static bool Exists(string root, PublishedFile file)
    {
        string packed = DataRoot.PathOf(root, file.Path);
        return File.Exists(packed) || File.Exists(Path.ChangeExtension(packed, null))
            || (file.Members.Count > 0 && file.Members.All(member => File.Exists(DataRoot.PathOf(root, member.Path))));
    }
}
