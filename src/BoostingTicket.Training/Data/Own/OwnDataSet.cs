using System.Security.Cryptography;
using System.Text;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Training.Files;

namespace BoostingTicket.Training.Data.Own;

/// <summary>A data set of one's own: a <c>.npz</c> file, or a folder of images by class. Its size, classes and numbers are those
/// of its images, which are read when they are first needed.</summary>
internal sealed class OwnDataSet : IDataSet
{
    private readonly Lazy<(DataSplit Split, IReadOnlyList<string> Notes)> _content;

    /// <summary>Names the data; nothing is read yet.</summary>
    /// <param name="path">The file or folder.</param>
    public OwnDataSet(string path)
    {
        Name = path;
        _content = new Lazy<(DataSplit, IReadOnlyList<string>)>(Read);
    }

    /// <summary>The path, as it was given.</summary>
    public string Name { get; }

    /// <inheritdoc/>
    public string Description => Directory.Exists(Name) ? "a folder of images by class" : "images and labels of NumPy";

    /// <inheritdoc/>
    public FeatureShape Shape => DeviceImages.Shape(Split.Train);

    /// <inheritdoc/>
    public IReadOnlyList<string> Classes => Split.Train.Classes;

    /// <inheritdoc/>
    public IReadOnlyList<PublishedFile> Files => [];

    /// <inheritdoc/>
    public int TrainSamples => Split.Train.Count;

    /// <inheritdoc/>
    public int TestSamples => Split.Test.Count;

    /// <inheritdoc/>
    public bool IsGenerated => false;

    /// <inheritdoc/>
    public DataSetConventions Conventions => DataSetConventions.Own(Shape.Channels, TrainSamples);

    /// <summary>SHA-256 of all images, labels and class names, lower-case hexadecimal: the same wherever they lie.</summary>
    /// <exception cref="DataException">They cannot be used.</exception>
    public string Fingerprint => Convert.ToHexStringLower(
        SHA256.HashData(Encoding.ASCII.GetBytes($"{Split.Train.ContentHash} {Split.Test.ContentHash}")));

    /// <summary>What was done besides reading, and what is unusual about the images; a sentence each.</summary>
    /// <exception cref="DataException">They cannot be used.</exception>
    public IReadOnlyList<string> Notes => [.. _content.Value.Notes, .. OwnChecks.Warnings(Split)];

    private DataSplit Split => _content.Value.Split;

    /// <inheritdoc/>
    public bool IsThere(string root) => File.Exists(Name) || Directory.Exists(Name);

    /// <inheritdoc/>
    public DataSplit Load(DataSetOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return new DataSplit(
            PublishedDataSet.First(Name, Split.Train, options.TrainSamples, "training"),
            PublishedDataSet.First(Name, Split.Test, options.TestSamples, "test"));
    }

    private (DataSplit Split, IReadOnlyList<string> Notes) Read()
    {
        bool isFolder = Directory.Exists(Name);
        if (!isFolder && !File.Exists(Name))
            throw new DataException(
                $"There is no file or folder {Name}; name a .npz file, a folder of images by class, or one of the data sets "
                + $"{string.Join(", ", DataSetCatalog.Names)}.");
        try
        {
            OwnParts parts = isFolder ? OwnFolder.Read(Name, Decoder) : OwnNpz.Read(Name);
            DataSplit split = parts.Split();
            return (split, parts.Notes);
        }
        catch (Exception error) when (error is FormatException or InvalidDataException or EndOfStreamException)
        {
            throw new DataException($"{Name} cannot be used: {StorageErrors.Reason(error)}.", error);
        }
        catch (Exception error) when (StorageErrors.IsStorage(error))
        {
            throw new DataException($"Cannot read {Name}: {StorageErrors.Reason(error)}; make it readable.", error);
        }
    }

    private IImageDecoder Decoder => OwnDataSets.Decoder ?? throw new DataException(
        $"{Name} is a folder of images, and this program has no decoder of images; set OwnDataSets.Decoder, or give a .npz "
        + "file.");
}
