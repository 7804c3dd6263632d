using System.Text;

namespace BoostingTicket.Training.Files;

/// <summary>
/// Writes files whole or not at all: into a temporary file beside the target (<see cref="TemporaryName"/>), flushed to the disk,
/// then renamed over the target. A process killed at any instant, or a power cut, leaves either the old file or the new one; of
/// several processes that write a file at once, the last leaves its own whole. A left-over temporary file is removed by the next
/// write of the same target.
/// </summary>
internal static class AtomicFile
{
    private const int BufferSize = 1 << 16;

    /// <summary>Writes a file through a stream; its folder is created if missing.</summary>
    /// <param name="path">The file to create or to replace.</param>
    /// <param name="write">Writes the content, and does nothing else that touches files. The stream can seek.</param>
    /// <exception cref="ConfigurationException">
    /// The disk is full, or the file cannot be written there; the old file, if there was one, is still there.
    /// </exception>
    public static void Write(string path, Action<Stream> write)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(write);
        string target = Path.GetFullPath(path);
        string temporary = TemporaryName.For(target);
        bool created = false;
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(target) ?? target);
            using (var stream = new FileStream(temporary, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, BufferSize))
            {
                created = true;
                TemporaryName.RemoveLeftOvers(target, temporary);
                write(stream);
                stream.Flush(flushToDisk: true);
            }

            File.Move(temporary, target, overwrite: true);
        }
        catch (Exception error)
        {
            if (created)
                DeleteIfPossible(temporary);
            if (StorageErrors.IsStorage(error))
                throw StorageErrors.CannotWrite(path, error);
            throw;
        }
    }

    /// <summary>Writes a file of the given bytes; see <see cref="Write"/>.</summary>
    /// <param name="path">The file to create or to replace.</param>
    /// <param name="bytes">Its whole content.</param>
    /// <exception cref="ConfigurationException">The file cannot be written there.</exception>
    public static void WriteAllBytes(string path, ReadOnlyMemory<byte> bytes) => Write(path, stream => stream.Write(bytes.Span));

    /// <summary>Writes a file of the given text in UTF-8 without a byte-order mark; see <see cref="Write"/>.</summary>
    /// <param name="path">The file to create or to replace.</param>
    /// <param name="text">Its whole content.</param>
    /// <exception cref="ConfigurationException">The file cannot be written there.</exception>
    public static void WriteAllText(string path, string text) => WriteAllBytes(path, Encoding.UTF8.GetBytes(text));

    private static void DeleteIfPossible(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception error) when (StorageErrors.IsStorage(error))
        {
            // The failure that led here is the one to report; the next write removes what is left.
        }
    }
}
