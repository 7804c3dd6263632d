using BoostingTicket.Engine.Tensors;
using BoostingTicket.Training.Models;

namespace BoostingTicket.Training.Data;

/// <summary>A data set that a run can name.</summary>
internal interface IDataSet
{
    /// <summary>The name, as settings spell it.</summary>
    string Name { get; }

    /// <summary>What it is, in one line for people.</summary>
    string Description { get; }

    /// <summary>Shape of one image.</summary>
    FeatureShape Shape { get; }

    /// <summary>The names of the classes, by label.</summary>
    IReadOnlyList<string> Classes { get; }

    /// <summary>The files that <c>data fetch</c> downloads; empty for a generated set.</summary>
    IReadOnlyList<PublishedFile> Files { get; }

    /// <summary>Its training images; of a generated set, those that are made where no number is asked for.</summary>
    int TrainSamples { get; }

    /// <summary>Its test images, likewise.</summary>
    int TestSamples { get; }

    /// <summary>Whether the images are generated, any number of them.</summary>
    bool IsGenerated => Files.Count == 0;

    /// <summary>The constants of normalisation in common use for the set; null where there are none, so that they are measured on
    /// its training images.</summary>
    InputNormalizationConstants? Normalization => null;

    /// <summary>Whether the set's files are under a data folder, by their names alone; always of a generated set.</summary>
    /// <param name="root">The data folder.</param>
    bool IsThere(string root) => true;

    /// <summary>What holds for the set where nothing else is said.</summary>
    DataSetConventions Conventions { get; }

    /// <summary>Reads or generates the set.</summary>
    /// <param name="options">Where to look and how much of it.</param>
    /// <exception cref="DataException">The set is missing or damaged.</exception>
    /// <exception cref="ConfigurationException">More samples are asked for than there are.</exception>
    DataSplit Load(DataSetOptions options);
}

/// <summary>Where to look for a data set and how much of it to take.</summary>
/// <param name="Root">The data folder; null for <see cref="DataRoot.Resolve"/>.</param>
/// <param name="TrainSamples">
/// How many training samples: the first of a published set, as many as asked of a generated one; null for the set's own number.
/// </param>
/// <param name="TestSamples">How many test samples, likewise.</param>
/// <param name="Seed">Seed of a generated set; published sets do not depend on it.</param>
public sealed record DataSetOptions(string? Root = null, int? TrainSamples = null, int? TestSamples = null, ulong Seed = 0);
