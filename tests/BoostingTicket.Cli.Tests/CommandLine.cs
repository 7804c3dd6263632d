using System.Text.Json;
using BoostingTicket.Cli.Streams;

namespace BoostingTicket.Cli.Tests;

/// <summary>Runs the program in this process.</summary>
internal static class CommandLine
{
    /// <summary>Settings that make a training take a moment.</summary>
    public static string[] Tiny { get; } =
    [
        "--model", "lenet-3-4-8", "--train-samples", "300", "--validation-samples", "60", "--test-samples", "60", "--epochs", "2",
        "--dense-epochs", "2", "--donor-epochs", "2", "--steps", "1", "--probe-steps", "1", "--evaluation-steps", "2",
        "--threads", "1",
    ];

    /// <summary>Runs a command to its end.</summary>
    public static CommandResult Run(params string[] arguments) => Run(new StringWriter(), CancellationToken.None, arguments);

    /// <summary>Runs a command, with a say in what happens to its progress.</summary>
    public static CommandResult Run(StringWriter error, CancellationToken cancellation, params string[] arguments)
    {
        using var output = new StringWriter();
        int code = Application.Run(
            arguments, new Terminal(output, error, IsErrorInteractive: false, Color: false, Width: 100), cancellation);
        return new CommandResult(code, output.ToString(), error.ToString());
    }
}

/// <summary>What a command did.</summary>
/// <param name="Code">Exit code.</param>
/// <param name="Out">Standard output.</param>
/// <param name="Error">Standard error.</param>
internal sealed record CommandResult(int Code, string Out, string Error)
{
    /// <summary>The one JSON document of standard output.</summary>
    public JsonElement Json()
    {
        // Anything beyond one document is refused.
        using var document = JsonDocument.Parse(Out);
        return document.RootElement.Clone();
    }
}

/// <summary>Calls back when a line is written.</summary>
/// <param name="seen">Told of every line.</param>
internal sealed class LineWatcher(Action<string> seen) : StringWriter
{
    /// <inheritdoc/>
    public override void WriteLine(string? value)
    {
        base.WriteLine(value);
        seen(value ?? "");
    }
}
