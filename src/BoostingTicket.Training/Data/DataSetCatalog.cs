using BoostingTicket.Engine.Tensors;
using BoostingTicket.Training.Data.Own;
using BoostingTicket.Training.Models;

namespace BoostingTicket.Training.Data;

/// <summary>The data sets there are, by name. Adding one is one line in <see cref="All"/> and what it refers to.</summary>
public static class DataSetCatalog
{
    private static readonly string[] Digits = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];

    private static readonly string[] Garments =
        ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"];

    /// <summary>Every data set, generated ones first.</summary>
    internal static IReadOnlyList<IDataSet> All { get; } =
    [
        new SyntheticDataSet("synthetic-28", "generated stroke shapes, grey images of 28x28", new FeatureShape(1, 28, 28)),
        new SyntheticDataSet("synthetic-32", "generated stroke shapes, colour images of 32x32", new FeatureShape(3, 32, 32)),
        new PublishedDataSet(
            "mnist", "handwritten digits, 60,000 + 10,000 grey images of 28x28", new FeatureShape(1, 28, 28), Digits,
            PublishedFiles.Mnist,
            (root, checksums) => MnistReader.Read(MnistLayout.Choose(root, MnistLayout.Mnist), "mnist", Digits, checksums))
        {
            TrainSamples = 60_000,
            TestSamples = 10_000,
            Conventions = DataSetConventions.Mnist,
            Normalization = InputNormalizationConstants.Mnist,
            IsElsewhere = root => MnistLayout.IsThere(root, MnistLayout.Mnist),
        },
        new PublishedDataSet(
            "fashion-mnist", "garments, 60,000 + 10,000 grey images of 28x28", new FeatureShape(1, 28, 28), Garments,
            PublishedFiles.FashionMnist,
            (root, checksums) => MnistReader.Read(
                MnistLayout.Choose(root, MnistLayout.FashionMnist), "fashion-mnist", Garments, checksums))
        {
            TrainSamples = 60_000,
            TestSamples = 10_000,
            Conventions = DataSetConventions.Mnist,
            IsElsewhere = root => MnistLayout.IsThere(root, MnistLayout.FashionMnist),
        },
        new PublishedDataSet(
            "cifar10", "photographs of ten things, 50,000 + 10,000 colour images of 32x32", new FeatureShape(3, 32, 32),
            CifarReader.Classes, PublishedFiles.Cifar10, (root, checksums) => CifarReader.Read(root, "cifar10", checksums))
        {
            TrainSamples = 50_000,
            TestSamples = 10_000,
            Conventions = DataSetConventions.Cifar,
            Normalization = InputNormalizationConstants.Cifar10,
            IsElsewhere = CifarLayout.IsThere,
        },
        new PublishedDataSet(
            "cifar100", "photographs of a hundred things, 50,000 + 10,000 colour images of 32x32", new FeatureShape(3, 32, 32),
            Cifar100Reader.Classes, PublishedFiles.Cifar100, (root, _) => Cifar100Reader.Read(root, "cifar100"))
        {
            TrainSamples = 50_000,
            TestSamples = 10_000,
            Conventions = DataSetConventions.Cifar,
            IsElsewhere = Cifar100Reader.IsThere,
        },
        new PublishedDataSet(
            "svhn", "digits of house numbers, 73,257 + 26,032 colour images of 32x32", new FeatureShape(3, 32, 32), Digits,
            PublishedFiles.Svhn, (root, _) => SvhnReader.Read(root, "svhn", Digits))
        {
            TrainSamples = 73_257,
            TestSamples = 26_032,
            // Mirrored digits are none.
            Conventions = DataSetConventions.Cifar with { CropFlip = false },
            IsElsewhere = SvhnReader.IsThere,
        },
    ];

    /// <summary>The names of all sets.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. All.Select(set => set.Name)];

    /// <summary>The set of the given name, or one's own of a path.</summary>
    /// <param name="name">The name, or the path of a <c>.npz</c> file or of a folder of images.</param>
    /// <exception cref="ConfigurationException">There is no such set; the message names the nearest.</exception>
    internal static IDataSet Find(string name) =>
        All.FirstOrDefault(set => set.Name == name) ?? (OwnDataSets.IsPath(name)
            ? OwnDataSets.Find(name)
            : throw NearestName.Unknown("data set", name, Names));

    /// <summary>Reads or generates the set of the given name.</summary>
    /// <param name="name">The name.</param>
    /// <param name="options">Where to look and how much of it; null for the defaults.</param>
    /// <exception cref="ConfigurationException">There is no such set, or it has fewer samples than asked for.</exception>
    /// <exception cref="DataException">The set is missing or damaged.</exception>
    public static DataSplit Load(string name, DataSetOptions? options = null) => Find(name).Load(options ?? new DataSetOptions());
}
