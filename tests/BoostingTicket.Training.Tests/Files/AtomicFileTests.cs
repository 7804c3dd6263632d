using BoostingTicket.Training.Files;
using BoostingTicket.Training.Testing;

namespace BoostingTicket.Training.Tests.Files;

internal class AtomicFileTests
{
    private TemporaryFolder _folder = null!;

    [SetUp]
    public void SetUp() => _folder = new TemporaryFolder();

    [TearDown]
    public void TearDown() => _folder.Dispose();

    [Test]
    public void Creates_the_file_and_its_folder_and_leaves_nothing_else()
    {
        AtomicFile.WriteAllText(_folder["a", "b", "c.txt"], "grüße");
        Assert.That(File.ReadAllBytes(_folder["a", "b", "c.txt"]), Is.EqualTo("gr\u00fc\u00dfe"u8.ToArray()));
        Assert.That(_folder.Files, Is.EqualTo(new[] { "a/b/c.txt" }));
    }

    [Test]
    public void Replaces_a_longer_file()
    {
        File.WriteAllText(_folder["x"], "old and longer");
        AtomicFile.WriteAllBytes(_folder["x"], new byte[] { 1, 2 });
        Assert.That(File.ReadAllBytes(_folder["x"]), Is.EqualTo(new byte[] { 1, 2 }));
        Assert.That(_folder.Files, Is.EqualTo(new[] { "x" }));
    }

    [Test]
    public void Two_that_write_one_file_at_once_both_write_it_whole()
    {
        AtomicFile.Write(_folder["x"], stream =>
        {
            stream.Write("half "u8);
            stream.Flush();
            AtomicFile.WriteAllText(_folder["x"], "the other's");
            Assert.That(File.ReadAllText(_folder["x"]), Is.EqualTo("the other's"));
            stream.Write("and half"u8);
        });
        Assert.That(File.ReadAllText(_folder["x"]), Is.EqualTo("half and half"));
        Assert.That(_folder.Files, Is.EqualTo(new[] { "x" }));
    }

    [Test]
    public void Many_that_write_one_file_at_once_never_show_a_part_of_it()
    {
        string[] contents = [.. Enumerable.Range(0, 4).Select(index => new string((char)('a' + index), 50_000 + index))];
        AtomicFile.WriteAllText(_folder["x"], contents[0]);
        Parallel.ForEach(contents, content =>
        {
            for (int round = 0; round < 20; round++)
            {
                AtomicFile.WriteAllText(_folder["x"], content);
                Assert.That(contents, Does.Contain(File.ReadAllText(_folder["x"])));
            }
        });
        Assert.That(_folder.Files, Is.EqualTo(new[] { "x" }));
    }

    [Test]
    public void What_a_killed_process_left_is_removed_and_what_another_is_writing_stays()
    {
        if (!OperatingSystem.IsLinux())
            Assert.Ignore("needs /proc");
        // MACHINE, PROCESS, START and NUMBER of this process.
        string[] mine = Path.GetFileName(TemporaryName.For(_folder["x"])).Split('.')[1].Split('-');
        string ended = Left("x", mine[0], "2147483647", mine[2]), before = Left("x", mine[0], mine[1], "1");
        string elsewhere = Left("x", "01234567", mine[1], mine[2]), old = Left("x", "01234567", "2147483647", "1");
        string other = Left("y", mine[0], "2147483647", "1"), writing = Left("x", mine[0], mine[1], mine[2]);
        File.WriteAllText(_folder["x.tmp"], "a file of somebody's own");
        File.SetLastWriteTimeUtc(old, DateTime.UtcNow.AddHours(-2));
        AtomicFile.WriteAllText(_folder["x"], "new");
        Assert.That(
            _folder.Files, Is.EquivalentTo(new[] { "x", "x.tmp", Name(elsewhere), Name(other), Name(writing) }),
            $"without {Name(ended)}, {Name(before)} and {Name(old)}");

        string Left(string target, string machine, string process, string start)
        {
            string path = _folder[$"{target}.{machine}-{process}-{start}-1000000{TemporaryName.Suffix}"];
            File.WriteAllText(path, "half a fi");
            return path;
        }

        static string Name(string path) => Path.GetFileName(path);
    }

    [Test]
    public void The_longest_name_that_a_file_system_takes_can_be_written()
    {
        string name = new('n', 255);
        AtomicFile.WriteAllText(_folder[name], "new");
        Assert.That(_folder.Files, Is.EqualTo(new[] { name }));
    }

    [Test]
    public void A_failing_writer_leaves_the_old_file_and_no_other()
    {
        File.WriteAllText(_folder["x"], "old");
        Assert.That(
            () => AtomicFile.Write(_folder["x"], stream =>
            {
                stream.Write("new"u8);
                throw new InvalidOperationException("mine");
            }),
            Throws.InvalidOperationException.With.Message.EqualTo("mine"));
        Assert.That(File.ReadAllText(_folder["x"]), Is.EqualTo("old"));
        Assert.That(_folder.Files, Is.EqualTo(new[] { "x" }));
    }

    [Test]
    public void A_full_disk_is_one_sentence_and_leaves_the_old_file()
    {
        const string FullDevice = "/dev/full";
        if (!File.Exists(FullDevice))
            Assert.Ignore($"there is no {FullDevice}, the device on which every write fails for want of space");
        File.WriteAllText(_folder["x"], "old");
        ConfigurationException error = Assert.Throws<ConfigurationException>(() => AtomicFile.Write(_folder["x"], stream =>
        {
            stream.Write("new"u8);
            using var full = new FileStream(FullDevice, FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
            full.WriteByte(1);
        }))!;
        Assert.That(error.Message, Does.StartWith($"Cannot write {_folder["x"]}: the disk is full"));
        Assert.That(error.Message, Does.Contain("free some space"));
        Assert.That(File.ReadAllText(_folder["x"]), Is.EqualTo("old"));
        Assert.That(_folder.Files, Is.EqualTo(new[] { "x" }));
    }

    [Test]
    public void A_target_that_cannot_be_written_is_one_sentence()
    {
        File.WriteAllText(_folder["file"], "in the way");
        ConfigurationException below = Assert.Throws<ConfigurationException>(
            () => AtomicFile.WriteAllText(_folder["file", "x"], "new"))!;
        Assert.That(below.Message, Does.StartWith($"Cannot write {_folder["file", "x"]}: ").And.EndsWith("or choose another."));
        Directory.CreateDirectory(_folder["folder"]);
        ConfigurationException folder = Assert.Throws<ConfigurationException>(
            () => AtomicFile.WriteAllText(_folder["folder"], "new"))!;
        Assert.That(folder.Message, Does.StartWith($"Cannot write {_folder["folder"]}: "));
        Assert.That(_folder.Files, Is.EqualTo(new[] { "file" }));
    }
}
