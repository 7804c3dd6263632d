using System.Security.Cryptography;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Training.Data;
using BoostingTicket.Training.Testing;

namespace BoostingTicket.Training.Tests.Data;

[CancelAfter(60_000)]
internal class DataFetcherTests
{
    private static readonly string[] Digits = [.. Enumerable.Range(0, 10).Select(i => $"{i}")];
    private static readonly byte[] Content = SmallData.Noise(300_000, 1);

    private TemporaryFolder _root = null!;
    private LoopbackServer _server = null!;
    private HttpClient _client = null!;

    [SetUp]
    public void SetUp()
    {
        _root = new TemporaryFolder();
        _server = new LoopbackServer { Files = { ["file"] = Content } };
        // No proxy: what the machine is set up to use knows nothing of this server.
        _client = new HttpClient(new SocketsHttpHandler { UseProxy = false });
    }

    [TearDown]
    public void TearDown()
    {
        _client.Dispose();
        _server.Dispose();
        _root.Dispose();
    }

    private string Target => _root["set", "file.gz"];

    private string Part => Target + DataFetcher.PartSuffix;

    [Test]
    public async Task Downloads_a_file_once_and_tells_how_far_it_is(CancellationToken cancellation)
    {
        var progress = new Recorder();
        Assert.That(await Fetcher().FetchAsync(Set(), _root.Path, progress, cancellation), Is.EqualTo(new[] { Target }));
        Assert.That(await File.ReadAllBytesAsync(Target, cancellation), Is.EqualTo(Content));
        Assert.That(_root.Files, Is.EqualTo(new[] { "set/file.gz" }));
        Assert.That(
            progress.Reports[^1], Has.Property("Bytes").EqualTo(Content.Length).And.Property("Total").EqualTo(Content.Length));
        Assert.That(progress.Reports[^1].File, Is.EqualTo("set/file.gz"));
        Assert.That(progress.Reports[^1].BytesPerSecond, Is.Positive);
        Assert.That(progress.Reports.Select(report => report.Bytes), Is.Ordered);

        Assert.That(await Fetcher().FetchAsync(Set(), _root.Path, progress, cancellation), Is.Empty);
        Assert.That(_server.Requests, Is.EqualTo(new[] { "file" }));
    }

    [Test]
    public async Task Goes_on_where_an_earlier_download_stopped(CancellationToken cancellation)
    {
        SavePart(Content[..100_000]);
        var progress = new Recorder();
        await Fetcher().FetchAsync(Set(), _root.Path, progress, cancellation);
        Assert.That(await File.ReadAllBytesAsync(Target, cancellation), Is.EqualTo(Content));
        Assert.That(_server.Requests, Is.EqualTo(new[] { "file bytes=100000-" }));
        Assert.That(progress.Reports[0].Bytes, Is.GreaterThan(100_000));
        Assert.That(progress.Reports, Is.All.Property("Total").EqualTo(Content.Length));
        Assert.That(_root.Files, Is.EqualTo(new[] { "set/file.gz" }));
    }

    [Test]
    public async Task Goes_on_after_a_cut_connection(CancellationToken cancellation)
    {
        foreach (int cut in new[] { 70_000, 1, 0, 50_000 })
            _server.Cuts.Enqueue(cut);
        await Fetcher().FetchAsync(Set(), _root.Path, null, cancellation);
        Assert.That(await File.ReadAllBytesAsync(Target, cancellation), Is.EqualTo(Content));
        Assert.That(_server.Requests, Is.EqualTo(
            new[] { "file", "file bytes=70000-", "file bytes=70001-", "file bytes=70001-", "file bytes=120001-" }));
    }

    [Test]
    public async Task Keeps_what_has_arrived_when_the_server_gives_nothing_more(CancellationToken cancellation)
    {
        foreach (int cut in new[] { 70_000, 0, 0 })
            _server.Cuts.Enqueue(cut);
        DataException error = await FailAsync(Set(), cancellation);
        Assert.That(error.Message, Does.StartWith($"Cannot download set/file.gz ({_server.Address("file")}: ").And.Contains(
            "run 'data fetch set' again").And.EndsWith($"or put the file at {Target}."));
        Assert.That(_root.Files, Is.EqualTo(new[] { "set/file.gz.part" }));
        Assert.That(new FileInfo(Part), Has.Length.EqualTo(70_000));

        await Fetcher().FetchAsync(Set(), _root.Path, null, cancellation);
        Assert.That(await File.ReadAllBytesAsync(Target, cancellation), Is.EqualTo(Content));
        Assert.That(_server.Requests[^1], Is.EqualTo("file bytes=70000-"));
    }

    [Test]
    public async Task A_wrong_checksum_is_refused_and_leaves_nothing(CancellationToken cancellation)
    {
        _server.Files["file"] = [.. Content[..^1], (byte)(Content[^1] ^ 1)];
        Assert.That(
            (await FailAsync(Set(), cancellation)).Message, Does.Contain("what arrived does not have the published checksum"));
        Assert.That(_root.Files, Is.Empty);
        Assert.That(_server.Requests, Has.Count.EqualTo(1), "the same bytes again would be no better");
    }

    [Test]
    public async Task Starts_anew_when_the_part_was_of_another_file(CancellationToken cancellation)
    {
        SavePart(SmallData.Noise(100_000, 2));
        await Fetcher().FetchAsync(Set(), _root.Path, null, cancellation);
        Assert.That(await File.ReadAllBytesAsync(Target, cancellation), Is.EqualTo(Content));
        Assert.That(_server.Requests, Is.EqualTo(new[] { "file bytes=100000-", "file" }));
    }

    [Test]
    public async Task A_whole_or_over_long_part_needs_no_special_server(
        [Values(0, 5)] int surplus, CancellationToken cancellation)
    {
        SavePart([.. Content, .. new byte[surplus]]);
        await Fetcher().FetchAsync(Set(), _root.Path, null, cancellation);
        Assert.That(await File.ReadAllBytesAsync(Target, cancellation), Is.EqualTo(Content));
        Assert.That(_server.Requests, Has.Count.EqualTo(surplus == 0 ? 1 : 2));
    }

    [Test]
    public async Task A_server_without_ranges_is_read_from_the_beginning(CancellationToken cancellation)
    {
        _server.Ranges = false;
        SavePart(SmallData.Noise(100_000, 2));
        await Fetcher().FetchAsync(Set(), _root.Path, null, cancellation);
        Assert.That(await File.ReadAllBytesAsync(Target, cancellation), Is.EqualTo(Content));
        Assert.That(_server.Requests, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task A_server_that_sends_another_range_is_not_believed(CancellationToken cancellation)
    {
        _server.WrongRange = true;
        SavePart(Content[..100_000]);
        Assert.That(
            (await FailAsync(Set(), cancellation)).Message, Does.Contain("sends another part of the file than was asked for"));
        Assert.That(new FileInfo(Part), Has.Length.EqualTo(100_000));
    }

    [Test]
    public async Task A_file_that_is_not_there_is_not_asked_for_twice(CancellationToken cancellation)
    {
        Assert.That((await FailAsync(Set("gone"), cancellation)).Message, Does.Contain("the server answers 404 NotFound"));
        Assert.That(_server.Requests, Is.EqualTo(new[] { "gone" }));
        Assert.That(_root.Files, Is.Empty);
    }

    [Test]
    public async Task The_next_address_is_tried_when_one_fails(CancellationToken cancellation)
    {
        await Fetcher().FetchAsync(Set("gone", "file"), _root.Path, null, cancellation);
        Assert.That(await File.ReadAllBytesAsync(Target, cancellation), Is.EqualTo(Content));
        Assert.That(_server.Requests, Is.EqualTo(new[] { "gone", "file" }));
    }

    [Test]
    public async Task A_silent_server_is_given_up(CancellationToken cancellation)
    {
        _server.Stall = true;
        var fetcher = new DataFetcher(_client) { AttemptsPerAddress = 1, StallTimeout = TimeSpan.FromMilliseconds(300) };
        DataException error = await FailAsync(fetcher, Set(), cancellation);
        Assert.That(error.Message, Does.Contain("no data for 0.3 seconds"));
    }

    [Test]
    public async Task A_server_that_is_not_there_is_one_sentence(CancellationToken cancellation)
    {
        _server.Dispose();
        Assert.That((await FailAsync(Set(), cancellation)).Message, Does.StartWith("Cannot download set/file.gz (").And.Contains(
            "check the network"));
        _server = new LoopbackServer();
    }

    [Test]
    public void A_stopped_download_keeps_its_part(CancellationToken cancellation)
    {
        _server.Stall = true;
        SavePart(Content[..1000]);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        stop.CancelAfter(TimeSpan.FromMilliseconds(200));
        Assert.That(
            () => Fetcher().FetchAsync(Set(), _root.Path, null, stop.Token), Throws.InstanceOf<OperationCanceledException>());
        Assert.That(new FileInfo(Part), Has.Length.EqualTo(1000));
    }

    [Test]
    public void A_folder_that_cannot_be_written_is_a_configuration_error(CancellationToken cancellation)
    {
        File.WriteAllText(_root["set"], "in the way");
        Assert.That(
            () => Fetcher().FetchAsync(Set(), _root.Path, null, cancellation),
            Throws.TypeOf<ConfigurationException>().With.Message.StartsWith($"Cannot write {Target}"));
    }

    [Test]
    public void A_full_disk_is_one_sentence(CancellationToken cancellation)
    {
        const string FullDevice = "/dev/full";
        if (!File.Exists(FullDevice))
            Assert.Ignore($"there is no {FullDevice}, the device on which every write fails for want of space");
        Directory.CreateDirectory(Path.GetDirectoryName(Target)!);
        File.CreateSymbolicLink(Part, FullDevice);
        Assert.That(
            () => Fetcher().FetchAsync(Set(), _root.Path, null, cancellation),
            Throws.TypeOf<ConfigurationException>().With.Message.StartsWith($"Cannot write {Part}: the disk is full"));
    }

    [Test]
    public async Task A_changed_file_is_downloaded_again(CancellationToken cancellation)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Target)!);
        await File.WriteAllBytesAsync(Target, Content[..^1], cancellation);
        Assert.That(
            DataVerifier.Verify(Set(), _root.Path), Is.EqualTo(new[] { new DataFileReport(Target, DataFileState.Changed) }));
        Assert.That(() => DataVerifier.Require(Set(), _root.Path), Throws.TypeOf<DataException>().With.Message.EqualTo(
            $"{Target} does not have the published checksum; run 'data fetch set' to download it again."));
        await Fetcher().FetchAsync(Set(), _root.Path, null, cancellation);
        Assert.That(
            DataVerifier.Verify(Set(), _root.Path), Is.EqualTo(new[] { new DataFileReport(Target, DataFileState.Intact) }));
        DataVerifier.Require(Set(), _root.Path);
    }

    [Test]
    public async Task An_archive_is_unpacked_and_removed(CancellationToken cancellation)
    {
        Dictionary<string, byte[]> batches = SmallData.Cifar();
        _server.Files["cifar.tar.gz"] = SmallData.TarGz(
            CifarReader.FolderName, batches.Append(KeyValuePair.Create("readme.html", new byte[3])));
        PublishedDataSet set = Cifar(batches);
        Assert.That(() => DataVerifier.Require(set, _root.Path), Throws.TypeOf<DataException>().With.Message.Contains(
            "run 'data fetch set'"));
        await Fetcher().FetchAsync(set, _root.Path, null, cancellation);
        Assert.That(_root.Files, Is.EquivalentTo(CifarReader.BatchNames.Select(name => $"{CifarReader.FolderName}/{name}")));
        Assert.That(set.Load(new DataSetOptions(_root.Path)).Train.Count, Is.EqualTo(15));
        Assert.That(await Fetcher().FetchAsync(set, _root.Path, null, cancellation), Is.Empty);

        File.Delete(_root[CifarReader.FolderName, "data_batch_2.bin"]);
        Assert.That(DataVerifier.Verify(set, _root.Path).Count(report => report.State == DataFileState.Missing), Is.EqualTo(1));
        Assert.That(await Fetcher().FetchAsync(set, _root.Path, null, cancellation), Has.Count.EqualTo(1));
        DataVerifier.Require(set, _root.Path);
    }

    [Test]
    public async Task An_archive_of_other_content_is_refused([Values] bool lacking, CancellationToken cancellation)
    {
        Dictionary<string, byte[]> batches = SmallData.Cifar();
        var other = new Dictionary<string, byte[]>(batches) { ["data_batch_3.bin"] = new byte[9] };
        if (lacking)
            other.Remove("data_batch_3.bin");
        _server.Files["cifar.tar.gz"] = SmallData.TarGz(CifarReader.FolderName, other);
        string problem = lacking ? "has no data_batch_3.bin" : "data_batch_3.bin is not the published one";
        Assert.That((await FailAsync(Cifar(batches), cancellation)).Message, Does.Contain(problem).And.Contains(
            "delete it and run 'data fetch set'"));
    }

    [Test]
    public void An_archive_cannot_write_elsewhere(CancellationToken cancellation)
    {
        Dictionary<string, byte[]> batches = SmallData.Cifar();
        _server.Files["cifar.tar.gz"] = SmallData.TarGz("../../..", batches);
        Fetcher().FetchAsync(Cifar(batches), _root.Path, null, cancellation).GetAwaiter().GetResult();
        Assert.That(_root.Files, Is.EquivalentTo(CifarReader.BatchNames.Select(name => $"{CifarReader.FolderName}/{name}")));
    }

    [Test]
    public void A_generated_set_is_not_fetched(CancellationToken cancellation) => Assert.That(
        () => Fetcher().FetchAsync(DataSetCatalog.Find("synthetic-28"), _root.Path, null, cancellation),
        Throws.TypeOf<ConfigurationException>().With.Message.StartsWith("The data set synthetic-28 is generated"));

    private DataFetcher Fetcher() => new(_client)
    {
        AttemptsPerAddress = 2,
        RetryDelay = TimeSpan.FromMilliseconds(1),
        StallTimeout = TimeSpan.FromSeconds(20),
    };

    private Task<DataException> FailAsync(IDataSet set, CancellationToken cancellation) =>
        FailAsync(Fetcher(), set, cancellation);

    private async Task<DataException> FailAsync(DataFetcher fetcher, IDataSet set, CancellationToken cancellation) =>
        (await Assert.ThrowsAsync<DataException>(() => fetcher.FetchAsync(set, _root.Path, null, cancellation)))!;

    private PublishedDataSet Set(params string[] paths)
    {
        Uri[] addresses = [.. (paths.Length == 0 ? ["file"] : paths).Select(_server.Address)];
        var file = new PublishedFile("set/file.gz", addresses, FileChecksum.Md5(
            Convert.ToHexStringLower(CryptographicOperations.HashData(HashAlgorithmName.MD5, Content))), []);
        return new PublishedDataSet(
            "set", "", new FeatureShape(1, 28, 28), Digits, [file], (_, _) => throw new InvalidOperationException())
        {
            TrainSamples = 1,
            TestSamples = 1,
            Conventions = DataSetConventions.Mnist,
        };
    }

    private PublishedDataSet Cifar(Dictionary<string, byte[]> batches)
    {
        var file = new PublishedFile(
            "cifar.tar.gz", [_server.Address("cifar.tar.gz")], FileChecksum.Md5(Convert.ToHexStringLower(
                CryptographicOperations.HashData(HashAlgorithmName.MD5, _server.Files["cifar.tar.gz"]))),
            [.. batches.Select(batch => new PublishedMember($"{CifarReader.FolderName}/{batch.Key}", FileChecksum.Sha256(
                Convert.ToHexStringLower(SHA256.HashData(batch.Value)))))],
            Unpack: true);
        return new PublishedDataSet(
            "set", "", new FeatureShape(3, 32, 32), CifarReader.Classes, [file],
            (root, checksums) => CifarReader.Read(root, "set", checksums, SmallData.CifarRecords))
        {
            TrainSamples = 5 * SmallData.CifarRecords,
            TestSamples = SmallData.CifarRecords,
            Conventions = DataSetConventions.Cifar,
        };
    }

    private void SavePart(byte[] bytes)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Part)!);
        File.WriteAllBytes(Part, bytes);
    }

    private sealed class Recorder : IProgress<FetchProgress>
    {
        public List<FetchProgress> Reports { get; } = [];

        public void Report(FetchProgress value) => Reports.Add(value);
    }
}
