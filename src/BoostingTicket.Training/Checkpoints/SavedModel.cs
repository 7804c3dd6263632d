using BoostingTicket.Engine.Graph;
using BoostingTicket.Training.Data;
using BoostingTicket.Training.Models;

namespace BoostingTicket.Training.Checkpoints;

/// <summary>A network as a weights file alone describes it: the file's metadata name the model, its images, its classes and its
/// normalisation, so that networks of several runs can be used side by side.</summary>
/// <param name="Path">The file.</param>
/// <param name="Graph">The model, built as the file says.</param>
/// <param name="State">Weights and statistics.</param>
/// <param name="Metadata">Where they come from.</param>
internal sealed record SavedModel(string Path, NetworkGraph Graph, ModelState State, ModelFileMetadata Metadata)
{
    /// <summary>Reads a weights file of this program.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="ConfigurationException">There is no such file, it is another kind, or does not say of which model it
    /// is.</exception>
    /// <exception cref="DamagedFileException">It is damaged.</exception>
    public static SavedModel Load(string path)
    {
        ModelFileMetadata metadata = WeightFile.ReadMetadata(path) ?? throw new ConfigurationException(
            $"{path} does not name its model, since another program wrote it; import it first.");
        NetworkGraph graph = Build(path, metadata);
        return new SavedModel(path, graph, WeightFile.Load(path, graph).State, metadata);
    }

    // The file's own words are to blame, not an option.
    internal static NetworkGraph Build(string path, ModelFileMetadata metadata)
    {
        try
        {
            return ModelCatalog.Build(
                metadata.Model, new ModelOptions(metadata.Input, metadata.Classes, metadata.Normalization)
                {
                    Channels = metadata.Channels,
                });
        }
        catch (ConfigurationException error)
        {
            throw new DamagedFileException(
                $"{path} names a network that cannot be built ({error.Wording.TrimEnd('.')}); restore it from a copy or give "
                + "another file.", error);
        }
    }

    /// <summary>Makes sure that the network takes a data set's images and tells its classes apart.</summary>
    /// <param name="images">Images of the data set.</param>
    /// <exception cref="ConfigurationException">It does not.</exception>
    public void RequireFits(ImageSet images)
    {
        ArgumentNullException.ThrowIfNull(images);
        Metadata.RequireFits(Path, DeviceImages.Shape(images), images.Classes.Count);
    }
}
