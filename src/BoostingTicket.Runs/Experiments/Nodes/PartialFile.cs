using BoostingTicket.Runs.Configuration;
using BoostingTicket.Training;
using BoostingTicket.Training.Files;

namespace BoostingTicket.Runs.Experiments.Nodes;

/// <summary>What a piece of work has measured so far, so that an interruption at any instant loses no more than the next part of
/// it.</summary>
/// <typeparam name="T">What is kept.</typeparam>
/// <param name="path">The file.</param>
internal sealed class PartialFile<T>(string path)
    where T : class
{
    /// <summary>What an interrupted process kept; null for nothing.</summary>
    /// <param name="fits">Whether it can be of this work.</param>
    /// <exception cref="DamagedFileException">The file is damaged, or of other work.</exception>
    public T? Read(Func<T, bool> fits)
    {
        ArgumentNullException.ThrowIfNull(fits);
        if (!File.Exists(path))
            return null;
        T kept = RunJson.Read<T>(StoredFiles.ReadText(path), path);
        return fits(kept) ? kept : throw new DamagedFileException(
            $"The file {path} is damaged (it is not of this measurement); delete it and run the command that wrote it again.");
    }

    /// <summary>Keeps what is measured.</summary>
    /// <exception cref="ConfigurationException">The file cannot be written.</exception>
    public void Keep(T measured) => AtomicFile.WriteAllText(path, RunJson.Write(measured));

    /// <summary>Removes the file, once the result is kept.</summary>
    /// <exception cref="ConfigurationException">The file cannot be deleted.</exception>
    public void Delete() => StoredFiles.Delete(path);
}
