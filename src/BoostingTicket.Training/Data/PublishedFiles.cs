namespace BoostingTicket.Training.Data;

/// <summary>
/// Addresses and checksums of the published data sets. The MD5s are those that the publishers give for what they offer; the
/// SHA-256s are of the files that these unpack to.
/// </summary>
internal static class PublishedFiles
{
    public static IReadOnlyList<PublishedFile> Mnist { get; } =
    [
        Idx("mnist", 0, "https://ossci-datasets.s3.amazonaws.com/mnist/", "f68b3c2dcbeaaa9fbdd348bbdeb94873",
            "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"),
        Idx("mnist", 1, "https://ossci-datasets.s3.amazonaws.com/mnist/", "d53e105ee54ea40749a09fcbcd1e9432",
            "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"),
        Idx("mnist", 2, "https://ossci-datasets.s3.amazonaws.com/mnist/", "9fb629c4189551a2d022fa330f9573f3",
            "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"),
        Idx("mnist", 3, "https://ossci-datasets.s3.amazonaws.com/mnist/", "ec29112dd5afa0611ce80d1b7f02629c",
            "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"),
    ];

    public static IReadOnlyList<PublishedFile> FashionMnist { get; } =
    [
        Idx("fashion-mnist", 0, "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
            "8d4fb7e6c68d591d4c3dfef9ec88bf0d"),
        Idx("fashion-mnist", 1, "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
            "25c81989df183df01b3e8a0aad5dffbe"),
        Idx("fashion-mnist", 2, "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
            "bef4ecab320f06d8554ea6380940ec79"),
        Idx("fashion-mnist", 3, "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
            "bb300cfdad3c16e7a12a480ee83cd310"),
    ];

    public static IReadOnlyList<PublishedFile> Cifar10 { get; } =
    [
        new PublishedFile(
            CifarReader.ArchiveName,
            [new Uri("https://www.cs.toronto.edu/~kriz/" + CifarReader.ArchiveName)],
            FileChecksum.Md5("c32a1d4ab5d03f1284b67883e8d87530"),
            [
                Batch(0, "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5"),
                Batch(1, "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed"),
                Batch(2, "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67"),
                Batch(3, "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48"),
                Batch(4, "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add"),
                Batch(5, "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b"),
            ],
            Unpack: true),
    ];

    public static IReadOnlyList<PublishedFile> Cifar100 { get; } =
    [
        new PublishedFile(
            Cifar100Reader.ArchiveName, [new Uri("https://www.cs.toronto.edu/~kriz/" + Cifar100Reader.ArchiveName)],
            FileChecksum.Md5("03b5dce01913d631647c71ecec9e9cb8"), []),
    ];

    public static IReadOnlyList<PublishedFile> Svhn { get; } =
    [
        Mat(0, "e26dedcc434d2e4c54c9b2d4a06d8373"),
        Mat(1, "eb5a983be6a315427106f1b164d9cef3"),
    ];

    private static PublishedFile Mat(int file, string md5) => new(
        "svhn/" + SvhnReader.FileNames[file],
        [new Uri("http://ufldl.stanford.edu/housenumbers/" + SvhnReader.FileNames[file])], FileChecksum.Md5(md5), []);

    private static PublishedFile Idx(string folder, int file, string address, string md5, string? unpackedSha256 = null)
    {
        string name = MnistReader.FileNames[file];
        return new PublishedFile(
            $"{folder}/{name}.gz", [new Uri($"{address}{name}.gz")], FileChecksum.Md5(md5),
            unpackedSha256 is null ? [] : [new PublishedMember($"{folder}/{name}", FileChecksum.Sha256(unpackedSha256))]);
    }

    private static PublishedMember Batch(int batch, string sha256) =>
        new($"{CifarReader.FolderName}/{CifarReader.BatchNames[batch]}", FileChecksum.Sha256(sha256));
}
