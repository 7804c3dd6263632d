using BoostingTicket.Training;
using BoostingTicket.Training.Data;
using BoostingTicket.Training.Data.Own;

namespace BoostingTicket.Runs.Configuration;

/// <summary>What settings say of data of one's own: a path, which tells where they lie, and a fingerprint of their content, which
/// tells what they are and which alone counts in hashes.</summary>
internal static class OwnData
{
    /// <summary>What records call images: their registered name, or that they are one's own, wherever they lie.</summary>
    public static string NameOf(ImageSet images) => DataSetCatalog.Names.Contains(images.Name) ? images.Name : "own";

    /// <summary>Settings that record the content of the data that they name.</summary>
    /// <param name="data">The settings.</param>
    /// <exception cref="DataException">The data cannot be used, or are others than those that are recorded.</exception>
    public static DataSettings Record(DataSettings data)
    {
        if (DataSetCatalog.Find(data.Name) is not OwnDataSet set)
        {
            return data.Fingerprint is null ? data : throw new ConfigurationException(
                $"{Setting.Named("data.fingerprint")} is for data of one's own, and {data.Name} is none; leave it out.");
        }

        if (data.Fingerprint is { } recorded && recorded != set.Fingerprint)
        {
            throw new DataException(
                $"The images of {data.Name} are not those that {Setting.Named("data.fingerprint")} records ({recorded}; now "
                + $"{set.Fingerprint}); bring back the old data, or name others with {Setting.Named("data.name")}.");
        }

        return data with { Fingerprint = set.Fingerprint };
    }
}
