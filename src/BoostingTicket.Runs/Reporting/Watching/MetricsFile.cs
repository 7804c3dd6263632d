using System.Text;
using BoostingTicket.Training.Files;

namespace BoostingTicket.Runs.Reporting.Watching;

/// <summary><c>metrics.csv</c> while a run goes: a line is appended as an epoch ends. A file that does not hold exactly the lines
/// before it, such as one that a killed process left half a line in, is written anew, so that no epoch is there twice or not at
/// all.</summary>
/// <param name="path">The file.</param>
internal sealed class MetricsFile(string path)
{
    private bool _isWhole;

    /// <summary>Makes the file hold the epochs of trainings, and nothing else.</summary>
    /// <exception cref="Training.ConfigurationException">It cannot be written.</exception>
    public void Hold(IReadOnlyList<StageHistory> trainings)
    {
        _isWhole = false;
        string text = MetricsCsv.Write(trainings);
        if (!File.Exists(path) || StoredFiles.ReadText(path) != text)
            AtomicFile.WriteAllText(path, text);
        _isWhole = true;
    }

    /// <summary>Adds the last epoch of trainings.</summary>
    /// <param name="line">Its line.</param>
    /// <param name="trainings">All trainings, that epoch among them: what the file holds afterwards.</param>
    /// <exception cref="Training.ConfigurationException">It cannot be written.</exception>
    public void Add(string line, IReadOnlyList<StageHistory> trainings)
    {
        if (!_isWhole)
        {
            Hold(trainings);
            return;
        }
        _isWhole = false;
        try
        {
            // Opened for each line: readers find it whole, and a file that was moved away is noticed.
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete, 1);
            stream.Seek(0, SeekOrigin.End);
            stream.Write(Encoding.UTF8.GetBytes(line));
        }
        catch (Exception error) when (StorageErrors.IsStorage(error))
        {
            throw StorageErrors.CannotWrite(path, error);
        }
        _isWhole = true;
    }
}
