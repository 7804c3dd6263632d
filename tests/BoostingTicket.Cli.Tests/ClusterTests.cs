using System.Text.Json;
using BoostingTicket.Engine.Testing;

namespace BoostingTicket.Cli.Tests;

/// <summary>Two machines in namespaces under a real Slurm; see <c>tests/cluster</c>. Skipped where something is
/// missing.</summary>
[Long]
internal sealed class ClusterTests
{
    // What the script answers where something is missing.
    private const int Missing = 77;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(6);

    [Test]
    public void Workers_of_which_one_is_killed_and_one_is_queued_again_leave_the_bytes_of_one_process()
    {
        Shell.Require("bash", "python3");
        string script = Path.Combine(Repository.Root, "tests", "cluster", "share.py");
        CommandResult result = Shell.Run($"python3 {script} $program", TestContext.CurrentContext.WorkDirectory, Patience);
        if (result.Code == Missing)
            Assert.Ignore(result.Out.Trim());
        Assert.That(result.Code, Is.Zero, result.Error);
        JsonElement seen = result.Json();
        Assert.That(seen.GetProperty("files").GetInt32(), Is.EqualTo(31));
        Assert.That(seen.GetProperty("equal").GetInt32(), Is.EqualTo(31));
        Assert.That(seen.GetProperty("unexpected").GetInt32(), Is.Zero);
        // The killed one fails; the other two, of which one was queued again, end well.
        Assert.That(seen.GetProperty("states").GetRawText(), Does.Contain("\"COMPLETED\": 2").And.Contain("\"FAILED\": 1"));
    }
}
