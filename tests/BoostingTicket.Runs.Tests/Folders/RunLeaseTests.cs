using BoostingTicket.Runs.Folders;
using BoostingTicket.Training.Testing;

namespace BoostingTicket.Runs.Tests.Folders;

/// <summary>Exclusive use of a folder where the file system has no locks.</summary>
internal class RunLeaseTests
{
    private static readonly LeaseTimes Quick = LeaseTimes.Usual with { Renewal = TimeSpan.FromMilliseconds(50) };
    private static readonly LeaseTimes Never = LeaseTimes.Usual with { Renewal = TimeSpan.FromDays(1) };
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);
    private static readonly LeaseHolder Elsewhere = new("elsewhere", "another boot", 4711, "1", "0123456789abcdef");

    private TemporaryFolder _folder = null!;

    private string Lease => _folder["run", RunLease.FileName];

    [SetUp]
    public void SetUp()
    {
        _folder = new TemporaryFolder();
        Directory.CreateDirectory(_folder["run"]);
    }

    [TearDown]
    public void TearDown() => _folder.Dispose();

    [Test]
    public void A_second_one_is_told_who_holds_it_and_may_follow_the_first()
    {
        (RunLease? first, _) = RunLease.Take(_folder["run"], Quick);
        using (first)
        {
            // Older than a lease gets that is renewed.
            Age();
            Assert.That(
                () => DateTime.UtcNow - File.GetLastWriteTimeUtc(Lease),
                Is.LessThan(Quick.Stale).After((int)Patience.TotalMilliseconds, 20), "it is renewed");
            (RunLease? second, (LeaseHolder Holder, TimeSpan Age)? taken) = RunLease.Take(_folder["run"], Quick);
            Assert.That(second, Is.Null);
            Assert.That(taken!.Value.Holder.Process, Is.EqualTo(Environment.ProcessId));
            Assert.That(taken.Value.Holder.Host, Is.EqualTo(Environment.MachineName));
            Assert.That(taken.Value.Age, Is.LessThan(Quick.Stale));
        }
        Assert.That(Directory.GetFiles(_folder["run"]), Is.Empty);
        using RunLease? next = RunLease.Take(_folder["run"], Quick).Lease;
        Assert.That(next, Is.Not.Null);
    }

    [Test]
    public void One_of_another_machine_is_taken_over_once_it_is_old()
    {
        File.WriteAllBytes(Lease, Elsewhere.ToBytes());
        Assert.That(RunLease.Take(_folder["run"], Never).Taken!.Value.Holder.Host, Is.EqualTo("elsewhere"));
        Age();
        using RunLease? taken = RunLease.Take(_folder["run"], Never).Lease;
        Assert.That(taken, Is.Not.Null);
        Assert.That(LeaseHolder.Parse(File.ReadAllBytes(Lease))!.Process, Is.EqualTo(Environment.ProcessId));
        Assert.That(Directory.GetFiles(_folder["run"]), Has.Length.EqualTo(1), "no litter");
    }

    [Test]
    public void One_of_a_process_of_this_machine_that_has_ended_is_taken_over_at_once()
    {
        if (!OperatingSystem.IsLinux())
            Assert.Ignore("needs /proc");
        LeaseHolder mine = LeaseHolder.OfThisProcess();
        Assert.That(mine.HasEnded(), Is.False);
        LeaseHolder ended = mine with { Started = "1" };
        Assert.That((ended.HasEnded(), (mine with { Process = int.MaxValue }).HasEnded()), Is.EqualTo((true, true)));
        Assert.That((ended with { Machine = "another boot" }).HasEnded(), Is.False);
        File.WriteAllBytes(Lease, ended.ToBytes());
        using RunLease? taken = RunLease.Take(_folder["run"], LeaseTimes.Usual).Lease;
        Assert.That(taken, Is.Not.Null);
    }

    [Test]
    public void An_empty_or_damaged_one_holds_until_it_is_old()
    {
        foreach (string content in new[] { "", "{", "null", "[1]" })
        {
            File.WriteAllText(Lease, content);
            Assert.That(RunLease.Take(_folder["run"], Never).Lease, Is.Null, content);
            Age();
            RunLease? taken = RunLease.Take(_folder["run"], Never).Lease;
            Assert.That(taken, Is.Not.Null, content);
            taken!.Dispose();
        }
    }

    [Test]
    public void Of_many_that_find_it_old_one_gets_it()
    {
        for (int round = 0; round < 20; round++)
        {
            File.WriteAllBytes(Lease, (Elsewhere with { Token = $"{round:x32}" }).ToBytes());
            Age();
            RunLease?[] taken = new RunLease?[8];
            Parallel.For(0, taken.Length, index => taken[index] = RunLease.Take(_folder["run"], LeaseTimes.Usual).Lease);
            Assert.That(taken.Count(lease => lease is not null), Is.EqualTo(1));
            Array.ForEach(taken, lease => lease?.Dispose());
            Assert.That(Directory.GetFiles(_folder["run"]), Is.Empty);
        }
    }

    [Test]
    public void One_that_was_taken_over_is_neither_renewed_nor_removed_by_the_one_that_lost_it()
    {
        (RunLease? lost, _) = RunLease.Take(_folder["run"], Never);
        byte[] other = Elsewhere.ToBytes();
        File.WriteAllBytes(Lease, other);
        lost!.Renew();
        Assert.That(File.ReadAllBytes(Lease), Is.EqualTo(other));
        lost.Dispose();
        Assert.That(File.ReadAllBytes(Lease), Is.EqualTo(other));
    }

    // As if nobody had renewed it for an hour.
    private void Age() => File.SetLastWriteTimeUtc(Lease, DateTime.UtcNow.AddHours(-1));
}
