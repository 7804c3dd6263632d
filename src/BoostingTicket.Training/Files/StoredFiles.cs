using System.Text;

namespace BoostingTicket.Training.Files;

/// <summary>Reads and removes files of a run's folder; what the file system refuses becomes one sentence.</summary>
internal static class StoredFiles
{
    /// <summary>The whole text of a file in UTF-8.</summary>
    /// <exception cref="ConfigurationException">It cannot be read.</exception>
    public static string ReadText(string path)
    {
        try
        {
            return File.ReadAllText(path, Encoding.UTF8);
        }
        catch (Exception error) when (StorageErrors.IsStorage(error))
        {
            throw StorageErrors.CannotRead(path, error);
        }
    }

    /// <summary>Deletes a file if it is there.</summary>
    /// <exception cref="ConfigurationException">It is and cannot be deleted.</exception>
    public static void Delete(string path)
    {
        try
        {
            if (File.Exists(path))
                File.Delete(path);
        }
        catch (Exception error) when (StorageErrors.IsStorage(error))
        {
            throw StorageErrors.CannotWrite(path, error);
        }
    }

    /// <summary>Creates a folder, and those around it, if missing.</summary>
    /// <exception cref="ConfigurationException">It cannot be created.</exception>
    public static void CreateFolder(string path)
    {
        try
        {
            Directory.CreateDirectory(path);
        }
        catch (Exception error) when (StorageErrors.IsStorage(error))
        {
            throw StorageErrors.CannotWrite(path, error);
        }
    }
}
