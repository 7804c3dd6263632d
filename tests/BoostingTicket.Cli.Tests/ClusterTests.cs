using System.Text.Json;
using BoostingTicket.Engine.Testing;

namespace BoostingTicket.Cli.Tests;

/// <summary>Two machines in namespaces under a real Slurm; see <c>tests/cluster</c>. Skipped where something is
/// missing.</summary>
[Long, Parallelizable]
internal sealed class ClusterTests
{
    // What the script answers where something is missing.
    private const int Missing = 77;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(12);

    [Test]
    public void Two_machines_train_together_and_a_time_limit_saves_and_goes_on()
    {
        JsonElement seen = Run("ranks.py");
        Assert.That(seen.GetProperty("joined").GetBoolean(), "two processes on two machines");
        Assert.That(seen.GetProperty("together").GetBoolean(), "their weights are those of one process");
        Assert.That(seen.GetProperty("state").GetString(), Is.EqualTo("COMPLETED"));
        Assert.That(seen.GetProperty("restarts").GetInt32(), Is.EqualTo(1));
        Assert.That(seen.GetProperty("saved").GetInt32(), Is.EqualTo(1));
        Assert.That(seen.GetProperty("files").GetInt32(), Is.Positive);
        Assert.That(seen.GetProperty("limited").GetBoolean(), "the weights are those of a run without a limit");
    }

    [Test]
    public void Workers_of_which_one_is_killed_and_one_is_queued_again_leave_the_bytes_of_one_process()
    {
        JsonElement seen = Run("share.py");
        string told = seen.GetRawText();
        Assert.That(seen.GetProperty("files").GetInt32(), Is.EqualTo(31), told);
        Assert.That(seen.GetProperty("equal").GetInt32(), Is.EqualTo(31), told);
        Assert.That(seen.GetProperty("unexpected").GetInt32(), Is.Zero, told);
        // Each task's state, and how often it was queued again. The killed one fails, the last one is queued again, nobody else.
        string[] wanted = ["COMPLETED 0", "COMPLETED 0", "COMPLETED 1"];
        wanted[seen.GetProperty("killed").GetInt32() - 1] = "FAILED 0";
        Assert.That(seen.GetProperty("states").EnumerateArray().Select(state => state.GetString()), Is.EqualTo(wanted), told);
    }

    private static JsonElement Run(string name)
    {
        Shell.Require("bash", "python3");
        string script = Path.Combine(Repository.Root, "tests", "cluster", name);
        CommandResult result = Shell.Run($"python3 {script} $program", TestContext.CurrentContext.WorkDirectory, Patience);
        if (result.Code == Missing)
            Assert.Ignore(result.Out.Trim());
        Assert.That(result.Code, Is.Zero, result.Error);
        return result.Json();
    }
}
