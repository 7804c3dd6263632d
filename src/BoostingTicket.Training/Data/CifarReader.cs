using BoostingTicket.Training.Files;

namespace BoostingTicket.Training.Data;

/// <summary>
/// Reads the binary version of CIFAR-10: records of one label and 3 x 32 x 32 pixels, in five training batches and a test
/// batch, from their folder or from the published archive.
/// </summary>
internal static class CifarReader
{
    /// <summary>The folder of the batches.</summary>
    public const string FolderName = "cifar-10-batches-bin";

    /// <summary>The published archive.</summary>
    public const string ArchiveName = "cifar-10-binary.tar.gz";

    /// <summary>The file with the names of the classes, one a line; optional.</summary>
    public const string ClassesFileName = "batches.meta.txt";

    internal const int Channels = 3;
    internal const int Side = 32;
    internal const int RecordLength = 1 + Channels * Side * Side;
    internal const int PublishedRecords = 10_000;
    private const int LongestClassesFile = 4096;

    /// <summary>The batches: five of training samples, then the test batch.</summary>
    public static IReadOnlyList<string> BatchNames { get; } =
        ["data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin", "test_batch.bin"];

    /// <summary>The names of the classes, by label.</summary>
    public static IReadOnlyList<string> Classes { get; } =
        ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];

    /// <summary>Reads the set from the folder <see cref="FolderName"/>, else from the archive <see cref="ArchiveName"/>, in the
    /// data folder or in a folder <c>cifar10</c> or <c>CIFAR10</c> of it.</summary>
    /// <param name="root">The folder that has one of them.</param>
    /// <param name="name">The name of the data set.</param>
    /// <param name="checksums">Checksums of the batches by <see cref="BatchNames"/>; batches not listed are not checked against
    /// one.</param>
    /// <exception cref="DataException">The set is missing or damaged.</exception>
    public static DataSplit Read(string root, string name, IReadOnlyDictionary<string, FileChecksum>? checksums = null) =>
        Read(root, name, checksums, PublishedRecords);

    /// <summary>Reads batches of another number of records than the published 10,000.</summary>
    internal static DataSplit Read(
        string root, string name, IReadOnlyDictionary<string, FileChecksum>? checksums, int recordsPerBatch)
    {
        string folder = CifarLayout.Folder(root);
        string archive = CifarLayout.Archive(root);
        var batches = new Batches(name, checksums ?? new Dictionary<string, FileChecksum>(), recordsPerBatch);
        string? missing = BatchNames.Select(batch => Path.Combine(folder, batch)).FirstOrDefault(path => !File.Exists(path));
        if (missing is null)
            batches.ReadFolder(folder);
        else if (File.Exists(archive))
            batches.ReadArchive(archive);
        else
            throw MissingData.Error(name, [missing, archive], CifarLayout.PythonVersion(root));
        return batches.ToSplit();
    }

    private sealed class Batches(string name, IReadOnlyDictionary<string, FileChecksum> checksums, int recordsPerBatch)
    {
        private readonly byte[]?[] _batches = new byte[BatchNames.Count][];

        private int BatchLength => recordsPerBatch * RecordLength;

        private string Remedy => $"run 'data fetch {name}' to download it again";

        public void ReadFolder(string folder)
        {
            string[] paths = [.. BatchNames.Select(batch => Path.Combine(folder, batch))];
            for (int i = 0; i < paths.Length; i++)
            {
                Guard(paths[i], path =>
                {
                    using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 1);
                    _batches[i] = ReadBatch(stream, stream.Length, BatchNames[i]);
                });
            }

            string classesPath = Path.Combine(folder, ClassesFileName);
            if (File.Exists(classesPath))
            {
                Guard(classesPath, path =>
                {
                    using FileStream stream = File.OpenRead(path);
                    CheckClasses(stream);
                });
            }
        }

        public void ReadArchive(string archive)
        {
            Guard(archive, path =>
            {
                using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16);
                using Stream content = PackedFile.Open(file);
                var tar = new TarArchive(content);
                while (tar.MoveNext())
                {
                    CifarLayout.RequireBinary(tar.Name, path);
                    ReadEntry(tar);
                }
                // Past the archive's end mark, for the check of the whole that comes with the last byte.
                tar.ReadToEnd();
            });
            int missing = Array.IndexOf(_batches, null);
            if (missing >= 0)
                throw new DataException($"{archive} is damaged: it has no {BatchNames[missing]}; {Remedy}.");
        }

        public DataSplit ToSplit() => new(Split(0, BatchNames.Count - 1), Split(BatchNames.Count - 1, BatchNames.Count));

        private void ReadEntry(TarArchive entry)
        {
            string fileName = entry.Name[(entry.Name.LastIndexOf('/') + 1)..];
            int batch = BatchNames.ToList().IndexOf(fileName);
            if (batch >= 0 && _batches[batch] is not null)
                throw new FormatException($"it has {fileName} twice");
            if (batch >= 0)
                _batches[batch] = ReadBatch(entry.Content, entry.Length, fileName);
            else if (fileName == ClassesFileName)
                CheckClasses(entry.Content);
        }

        private byte[] ReadBatch(Stream stream, long length, string batchName)
        {
            if (length != BatchLength)
            {
                throw new FormatException(
                    $"{batchName} is {(length < BatchLength ? "cut off" : "too long")}: it has {length} bytes and not the "
                    + $"{BatchLength} of {recordsPerBatch} images");
            }

            byte[] batch = BoundedRead.Bytes(stream, BatchLength);
            if (batch.Length < BatchLength)
                throw new FormatException($"{batchName} is cut off after {batch.Length} bytes");
            for (int i = 0; i < recordsPerBatch; i++)
            {
                if (batch[i * RecordLength] >= Classes.Count)
                    throw new FormatException(
                        $"label {batch[i * RecordLength]} of sample {i} of {batchName} is not below {Classes.Count}");
            }

            if (checksums.GetValueOrDefault(batchName) is { } checksum && !checksum.Matches(batch))
                throw new FormatException($"the content of {batchName} is not the published one");
            return batch;
        }

        private static void CheckClasses(Stream stream)
        {
            using var reader = new StreamReader(stream, leaveOpen: true);
            char[] text = new char[LongestClassesFile];
            int length = reader.ReadBlock(text);
            string[] names = new string(text, 0, length).Split(
                '\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
            if (!names.SequenceEqual(Classes))
                throw new FormatException($"{ClassesFileName} does not name the ten classes of CIFAR-10");
        }

        private ImageSet Split(int first, int end)
        {
            const int SampleLength = RecordLength - 1;
            byte[] pixels = GC.AllocateUninitializedArray<byte>((end - first) * recordsPerBatch * SampleLength);
            byte[] labels = new byte[(end - first) * recordsPerBatch];
            for (int i = 0; i < labels.Length; i++)
            {
                ReadOnlySpan<byte> record = _batches[first + i / recordsPerBatch].AsSpan(
                    i % recordsPerBatch * RecordLength, RecordLength);
                labels[i] = record[0];
                record[1..].CopyTo(pixels.AsSpan(i * SampleLength));
            }

            return new ImageSet(name, Channels, Side, Side, Classes, pixels, labels);
        }

        private void Guard(string path, Action<string> read)
        {
            try
            {
                read(path);
            }
            catch (Exception error) when (error is FormatException or InvalidDataException or EndOfStreamException)
            {
                throw new DataException($"{path} is damaged: {StorageErrors.Reason(error)}; {Remedy}.", error);
            }
            catch (Exception error) when (StorageErrors.IsStorage(error))
            {
                throw new DataException(
                    $"Cannot read {path}: {StorageErrors.Reason(error)}; make it readable or {Remedy}.", error);
            }
        }
    }
}
