using System.Diagnostics;
using BoostingTicket.Runs.Folders;
using BoostingTicket.Training;
using BoostingTicket.Training.Testing;

namespace BoostingTicket.Runs.Tests.Folders;

internal class RunLockTests
{
    private TemporaryFolder _folder = null!;

    [SetUp]
    public void SetUp() => _folder = new TemporaryFolder();

    [TearDown]
    public void TearDown() => _folder.Dispose();

    [Test]
    public void A_second_run_is_refused_with_the_folder_and_the_process_and_may_follow_the_first()
    {
        using (RunLock.Acquire(_folder["run"]))
        {
            ConfigurationException error = Assert.Throws<ConfigurationException>(
                () => RunLock.Acquire(_folder["run"]).Dispose())!;
            Assert.That(error.Message, Does.StartWith(
                $"The folder {_folder["run"]} is in use by another run (process {Environment.ProcessId});"));
            // The refused attempt must not have damaged the lock.
            Assert.That(() => RunLock.Acquire(_folder["run"]).Dispose(), Throws.TypeOf<ConfigurationException>());
        }

        using RunLock next = RunLock.Acquire(_folder["run"]);
        Assert.That(File.ReadAllText(_folder["run", RunLock.OwnerFileName]).Trim(), Is.EqualTo($"{Environment.ProcessId}"));
    }

    [Test]
    public void The_lock_of_a_killed_process_is_taken_over()
    {
        if (!OperatingSystem.IsLinux() || !File.Exists("/usr/bin/flock"))
            Assert.Ignore("needs flock(1) to hold the lock in another process");
        Directory.CreateDirectory(_folder["run"]);
        string holder =
            $"exec 9>>{RunLock.LockFileName}; flock -n 9 && echo $$ > {RunLock.OwnerFileName} && echo held && exec sleep 60";
        var start = new ProcessStartInfo("/bin/sh", ["-c", holder])
        {
            WorkingDirectory = _folder["run"],
            RedirectStandardOutput = true,
        };
        using Process other = Process.Start(start)!;
        try
        {
            Assert.That(other.StandardOutput.ReadLine(), Is.EqualTo("held"));
            ConfigurationException error = Assert.Throws<ConfigurationException>(
                () => RunLock.Acquire(_folder["run"]).Dispose())!;
            Assert.That(error.Message, Does.Contain($"(process {other.Id})"));
        }
        finally
        {
            other.Kill();
            other.WaitForExit();
        }

        Assert.That(File.Exists(_folder["run", RunLock.OwnerFileName]), "the killed process cannot have tidied up");
        using RunLock taken = RunLock.Acquire(_folder["run"]);
        Assert.That(File.ReadAllText(_folder["run", RunLock.OwnerFileName]).Trim(), Is.EqualTo($"{Environment.ProcessId}"));
    }

    [Test]
    public void A_folder_that_cannot_be_made_is_not_called_in_use()
    {
        File.WriteAllText(_folder["file"], "");
        ConfigurationException error = Assert.Throws<ConfigurationException>(() => RunLock.Acquire(_folder["file"]).Dispose())!;
        Assert.That(error.Message, Does.StartWith("Cannot write ").And.Not.Contains("in use"));
    }

    [Test]
    public void Disposing_twice_frees_once()
    {
        RunLock first = RunLock.Acquire(_folder["run"]);
        first.Dispose();
        using RunLock second = RunLock.Acquire(_folder["run"]);
        first.Dispose();
        Assert.That(File.Exists(_folder["run", RunLock.OwnerFileName]));
    }
}
