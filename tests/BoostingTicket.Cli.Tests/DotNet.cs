using System.Diagnostics;

namespace BoostingTicket.Cli.Tests;

/// <summary>Runs the SDK that the tests are built with.</summary>
internal static class DotNet
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);

    /// <summary>The configuration that the tests are built in: Debug or Release.</summary>
    public static string Configuration { get; } =
        new DirectoryInfo(AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar)).Parent!.Name;

    /// <summary>Runs a command of the SDK; fails the test where it fails.</summary>
    /// <param name="folder">Where.</param>
    /// <param name="environment">Variables that it gets besides.</param>
    /// <param name="arguments">The command.</param>
    /// <returns>What it wrote.</returns>
    public static string Run(string folder, IReadOnlyDictionary<string, string> environment, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", arguments)
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        // A test host hands on what belongs to the build that started it.
        string[] ofBuild =
            [.. start.Environment.Keys.Where(name => name.StartsWith("MSBUILD", StringComparison.OrdinalIgnoreCase))];
        foreach (string name in ofBuild)
            start.Environment.Remove(name);
        start.Environment["MSBUILDDISABLENODEREUSE"] = "1";
        start.Environment["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1";
        start.Environment["DOTNET_NOLOGO"] = "1";
        foreach ((string name, string value) in environment)
            start.Environment[name] = value;
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync(), error = process.StandardError.ReadToEndAsync();
        if (!process.WaitForExit(Patience))
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail($"dotnet {string.Join(' ', arguments)} does not end");
        }

        Assert.That(process.ExitCode, Is.Zero, () => $"dotnet {string.Join(' ', arguments)}\n{output.Result}\n{error.Result}");
        return output.Result;
    }
}
