using System.Diagnostics;

namespace BoostingTicket.Cli.Tests;

/// <summary>Runs the program as a process of its own, through a shell where its streams matter.</summary>
internal static class Shell
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    private static readonly Lazy<bool> ResetsSignals = new(() =>
    {
        // GNU's env does from coreutils 8.31 on.
        using Process? env = OperatingSystem.IsLinux()
            ? Process.Start(new ProcessStartInfo("env", ["--default-signal", "true"]) { RedirectStandardError = true })
            : null;
        env?.WaitForExit();
        return env?.ExitCode == 0;
    });

    /// <summary>The program as a shell starts it.</summary>
    public static string Program { get; } = $"dotnet {Path.Combine(AppContext.BaseDirectory, "boosting-ticket.dll")}";

    /// <summary>Skips a test where a program that it needs is not at hand.</summary>
    public static void Require(params string[] programs)
    {
        if (programs.FirstOrDefault(program => !Has(program)) is { } missing)
            Assert.Ignore($"needs {missing}");
    }

    /// <summary>Whether a program is at hand.</summary>
    public static bool Has(string program) => !OperatingSystem.IsWindows()
        && (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(
            folder => File.Exists(Path.Combine(folder, program)));

    /// <summary>Runs a line of bash to its end.</summary>
    /// <param name="line">The line; <c>$program</c> is the program.</param>
    /// <param name="folder">Where.</param>
    /// <param name="patience">How long it may take; five minutes by default.</param>
    public static CommandResult Run(string line, string folder, TimeSpan? patience = null)
    {
        using Process process = Start(line, folder);
        Task<string> output = process.StandardOutput.ReadToEndAsync(), error = process.StandardError.ReadToEndAsync();
        if (!process.WaitForExit(patience ?? Patience))
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail($"{line} does not end");
        }
        return new CommandResult(process.ExitCode, output.Result, error.Result);
    }

    /// <summary>Starts a line of bash.</summary>
    public static Process Start(string line, string folder)
    {
        Require("bash");
        // Whoever runs the tests in the background may ignore signals, and who starts a process hands that on.
        (string program, string[] before) = ResetsSignals.Value ? ("env", ["--default-signal", "bash"])
            : ("bash", Array.Empty<string>());
        var start = new ProcessStartInfo(program, [.. before, "-c", line])
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        start.Environment["program"] = Program;
        return Process.Start(start)!;
    }
}
