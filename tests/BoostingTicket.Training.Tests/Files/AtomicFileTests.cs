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
    public void Replaces_the_old_content_and_a_longer_left_over_temporary_file()
    {
        File.WriteAllText(_folder["x"], "old and longer");
        File.WriteAllText(_folder["x" + AtomicFile.TemporarySuffix], "left over by a killed process, and longer still");
        AtomicFile.WriteAllBytes(_folder["x"], new byte[] { 1, 2 });
        Assert.That(File.ReadAllBytes(_folder["x"]), Is.EqualTo(new byte[] { 1, 2 }));
        Assert.That(_folder.Files, Is.EqualTo(new[] { "x" }));
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
        File.CreateSymbolicLink(_folder["x" + AtomicFile.TemporarySuffix], FullDevice);
        ConfigurationException error =
            Assert.Throws<ConfigurationException>(() => AtomicFile.WriteAllBytes(_folder["x"], new byte[1 << 20]))!;
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
