using System.Diagnostics;

namespace BoostingTicket.Cli.Tests;

/// <summary>The program as a process of its own, which a test may kill.</summary>
internal static class ProgramProcess
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    /// <summary>Starts it.</summary>
    /// <param name="arguments">Its command line.</param>
    public static Process Start(params IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "boosting-ticket.dll"));
        foreach (string argument in arguments)
            start.ArgumentList.Add(argument);
        Process process = Process.Start(start)!;
        // Nothing reads what it prints on standard output; a full pipe would stop it.
        process.OutputDataReceived += (_, _) => { };
        process.BeginOutputReadLine();
        return process;
    }

    /// <summary>Waits for its end, and frees it.</summary>
    /// <returns>Its exit code; what it wrote on standard error is in the test's output.</returns>
    public static int Finish(Process process)
    {
        ArgumentNullException.ThrowIfNull(process);
        using (process)
        {
            TestContext.Out.Write(process.StandardError.ReadToEnd());
            Assert.That(process.WaitForExit(Patience), "a process does not end");
            return process.ExitCode;
        }
    }

    /// <summary>Waits until something holds.</summary>
    /// <param name="holds">The condition.</param>
    /// <param name="failure">What to say when it never does.</param>
    public static void WaitUntil(Func<bool> holds, string failure)
    {
        ArgumentNullException.ThrowIfNull(holds);
        var clock = Stopwatch.StartNew();
        while (!holds())
        {
            Assert.That(clock.Elapsed, Is.LessThan(Patience), failure);
            Thread.Sleep(5);
        }
    }
}
