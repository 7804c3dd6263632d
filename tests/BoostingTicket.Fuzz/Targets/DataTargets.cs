using BoostingTicket.Fuzz.Mutation;
using BoostingTicket.Training;
using BoostingTicket.Training.Data;
using BoostingTicket.Training.Data.Own;
using BoostingTicket.Training.Files;

namespace BoostingTicket.Fuzz.Targets;

/// <summary>Files of data sets: IDX, CIFAR's batches, archives, and the streams below them.</summary>
internal static class DataTargets
{
    private const string Remedy = "run 'data fetch mnist' to download it again";
    private static readonly byte[] Idx = [0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 2, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
    private static readonly byte[] HugeIdx = [0, 0, 8, 3, 0, 0, 0x7F, 0xFF, 0, 0, 0, 0xFF, 0, 0, 0, 0xFF, 1];

    /// <summary>The targets.</summary>
    public static IEnumerable<FuzzTarget> Create()
    {
        yield return new FileTarget("idx", InputForm.Binary, 800, () => [Idx, HugeIdx], path =>
            IdxFile.Read(path, 3, null, Remedy));
        yield return new FileTarget(
            "idx-gz", InputForm.Gzip, 300, () => [GzipMutations.Pack(Idx), GzipMutations.Pack(HugeIdx),
                GzipMutations.Pack(new byte[60_000])],
            path => IdxFile.Read(path, 3, null, Remedy));
        yield return new StreamTarget("gzip", InputForm.Gzip, 300,
            [GzipMutations.Pack(Idx), GzipMutations.Pack(new byte[3_000])], stream =>
        {
            using var content = new CheckedGzipStream(stream);
            content.CopyTo(Stream.Null);
        });
        yield return new StreamTarget("tar", InputForm.Tar, 900, [.. Archives()], stream =>
        {
            var tar = new TarArchive(stream);
            while (tar.MoveNext())
                BoundedRead.Bytes(tar.Content, Math.Min(tar.Length, Array.MaxLength));
            tar.ReadToEnd();
        });
        yield return new FileTarget("npz", InputForm.Binary, 300, NumPyFiles, path =>
            new OwnDataSet(path).Load(new DataSetOptions()));
        yield return new StreamTarget("npy", InputForm.Binary, 600, [.. NumPyArrays()], stream =>
            Refusing(() => NpyArray.Read(stream)));
        yield return new StreamTarget("mat", InputForm.Binary, 600, [.. MatFiles()], stream =>
            Refusing(() => SvhnReader.Convert(stream, "svhn", DataSetCatalog.Find("svhn").Classes)));
        yield return new StreamTarget("cifar100", InputForm.Binary, 100, [new byte[3074], new byte[6148]], stream =>
            Refusing(() => Cifar100Reader.Part(stream, stream.Length, "train.bin", "cifar100")));
        yield return new CifarTarget();
        yield return new CifarArchiveTarget();
        yield return new UnpackTarget();
    }

    // Readers inside a reader say what is wrong by these; whoever calls them says it in the program's own words.
    private static void Refusing(Action read)
    {
        try
        {
            read();
        }
        catch (Exception error) when (error is FormatException or InvalidDataException or EndOfStreamException)
        {
            throw new DataException(error.Message, error);
        }
    }

    private static IEnumerable<byte[]> NumPyFiles() =>
        Directory.GetFiles(Path.Combine(AppContext.BaseDirectory, "golden", "data"), "*.npz").Order(StringComparer.Ordinal)
            .Select(File.ReadAllBytes);

    private static IEnumerable<byte[]> NumPyArrays()
    {
        foreach (string header in (string[])
        [
            "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }",
            "{'descr': '|u1', 'fortran_order': False, 'shape': (), }",
            "{'descr': '<U3', 'fortran_order': False, 'shape': (2,), }",
            "{'descr': '<f8', 'fortran_order': False, 'shape': (99999, 99999, 99999), }",
            "{'descr': '|O', 'fortran_order': True, 'shape': (1,), }",
        ])
        {
            yield return [0x93, .. "NUMPY"u8, 1, 0, (byte)header.Length, 0, .. System.Text.Encoding.ASCII.GetBytes(header),
                .. new byte[24]];
        }
    }

    // Arrays X and y of one image: plain, and a short element that is longer than its tag has room for.
    private static IEnumerable<byte[]> MatFiles()
    {
        byte[] header = [.. new byte[124], 0, 1, (byte)'I', (byte)'M'];
        byte[] flags = [6, 0, 0, 0, 8, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0];
        byte[] images =
        [
            .. flags, 5, 0, 0, 0, 16, 0, 0, 0, 32, 0, 0, 0, 32, 0, 0, 0, 3, 0, 0, 0, 1, 0, 0, 0,
            1, 0, 1, 0, (byte)'X', 0, 0, 0, 2, 0, 0, 0, 0, 12, 0, 0, .. new byte[3072],
        ];
        byte[] labels =
        [
            .. flags, 5, 0, 0, 0, 8, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 1, 0, (byte)'y', 0, 0, 0, 2, 0, 1, 0, 10, 0, 0, 0,
        ];
        yield return [.. header, 14, 0, 0, 0, .. BitConverter.GetBytes(images.Length), .. images,
            14, 0, 0, 0, .. BitConverter.GetBytes(labels.Length), .. labels];
        yield return [.. header, 14, 0, 9, 0, 1, 2, 3, 4];
        yield return [.. header, 15, 0, 0, 0, 4, 0, 0, 0, 1, 2, 3, 4];
    }

    private static IEnumerable<byte[]> Archives() =>
    [
        Samples.Tar(("a/b.txt", "hello"u8.ToArray()), ("c", new byte[600])), Samples.TarOfSize("big", "77777777777"),
            Samples.TarOfSize("pax", "77777777777", 'x'),
        Samples.TarOfSize("pax", "200000000", 'L'), Samples.TarOfSize("../../../etc/passwd", "5"),
        [.. TarMutations.Header("pax", "23", 'x'), .. "19 size=8589934592\n"u8, .. new byte[493],
            .. TarMutations.Header("a", "5", '0'), .. new byte[512]],
        [.. TarMutations.Header("pax", "36", 'x'), .. "30 mtime=99999999999999999999\n"u8, .. new byte[482],
            .. TarMutations.Header("a", "0", '0')],
    ];

    private sealed class StreamTarget(string name, InputForm form, int weight, IReadOnlyList<byte[]> seeds, Action<Stream> read)
        : FuzzTarget
    {
        public override string Name => name;

        public override InputForm Form => form;

        public override int Weight => weight;

        public override void Execute(byte[] input)
        {
            try
            {
                read(new MemoryStream(input));
            }
            catch (Exception error) when (error is FormatException or InvalidDataException)
            {
                // The documented refusals of a stream, which its callers make sentences of.
                throw new DataException(error.Message, error);
            }
        }

        protected override IEnumerable<byte[]> Seeds() => seeds;
    }

    private sealed class CifarTarget : FuzzTarget
    {

        public CifarTarget()
        {
            Directory.CreateDirectory(Scratch[CifarReader.FolderName]);
            foreach (string batch in CifarReader.BatchNames)
                Scratch.Write(Path.Combine(CifarReader.FolderName, batch), new byte[CifarReader.RecordLength]);
        }

        public override string Name => "cifar";

        public override InputForm Form => InputForm.Binary;

        public override int Weight => 60;

        // The other five batches, and the set of all.
        public override long FixedBytes => 1 << 20;

        public override void Execute(byte[] input)
        {
            Scratch.Write(Path.Combine(CifarReader.FolderName, CifarReader.BatchNames[2]), input);
            CifarReader.Read(Scratch.Folder, "cifar10", null, recordsPerBatch: 1);
        }

        protected override IEnumerable<byte[]> Seeds() => [new byte[CifarReader.RecordLength],
            [9, .. new byte[CifarReader.RecordLength - 1]]];
    }

    private sealed class CifarArchiveTarget : FuzzTarget
    {
        public override string Name => "cifar-tar-gz";

        public override InputForm Form => InputForm.TarGzip;

        public override int Weight => 100;

        public override void Execute(byte[] input)
        {
            Scratch.Write(CifarReader.ArchiveName, input);
            CifarReader.Read(Scratch.Folder, "cifar10", null, recordsPerBatch: 1);
        }

        protected override IEnumerable<byte[]> Seeds()
        {
            (string, byte[])[] batches = [.. CifarReader.BatchNames.Select(name =>
                ($"{CifarReader.FolderName}/{name}", new byte[CifarReader.RecordLength]))];
            byte[] classes = System.Text.Encoding.UTF8.GetBytes(string.Join('\n', CifarReader.Classes));
            return
            [
                GzipMutations.Pack(Samples.Tar([.. batches, ($"{CifarReader.FolderName}/{CifarReader.ClassesFileName}",
                    classes)])),
                .. Archives().Select(GzipMutations.Pack), GzipMutations.Pack(
                    Samples.TarOfSize("data_batch_1.bin", "77777777777")),
            ];
        }
    }

    private sealed class UnpackTarget : FuzzTarget
    {
        private static readonly byte[] Content = "the content of a member"u8.ToArray();
        private readonly PublishedFile _file = new(
            "set.tar.gz", [], FileChecksum.Md5(""),
            [new PublishedMember("set/a.bin", Sum(Content)), new PublishedMember("set/b.bin", Sum(Content))], Unpack: true);

        public override string Name => "unpack";

        public override InputForm Form => InputForm.TarGzip;

        public override int Weight => 60;

        public override void Execute(byte[] input)
        {
            Scratch.Write("set.tar.gz", input);
            ArchiveUnpacker.Unpack("set", _file, Scratch.Folder);
            if (Directory.EnumerateFileSystemEntries(Scratch.Folder)
                .Any(entry => Path.GetFileName(entry) is not ("set" or "set.tar.gz")))
                throw new InvalidOperationException("an archive wrote beside its members");
        }

        protected override IEnumerable<byte[]> Seeds() =>
        [
            GzipMutations.Pack(Samples.Tar(("x/a.bin", Content), ("../../b.bin", Content))), .. Archives()
                .Select(GzipMutations.Pack),
            GzipMutations.Pack(Samples.TarOfSize("a.bin", "77777777777")),
        ];

        private static FileChecksum Sum(byte[] content) => FileChecksum.Sha256(
            Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(content)));
    }
}
