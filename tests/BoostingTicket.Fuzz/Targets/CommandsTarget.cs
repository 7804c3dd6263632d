using System.Text;
using BoostingTicket.Cli;
using BoostingTicket.Cli.Streams;
using BoostingTicket.Fuzz.Mutation;
using BoostingTicket.Training;
using BoostingTicket.Training.Data;

namespace BoostingTicket.Fuzz.Targets;

/// <summary>Command lines, from arguments to exit code and what is written; files that they name are good, hostile, or missing.
/// Commands
/// that compute get a device that there is none of, so that they end before their work, and nothing is downloaded.</summary>
internal sealed class CommandsTarget : FuzzTarget
{
    private static readonly int[] Documented = [ExitCodes.Done, ExitCodes.Configuration, ExitCodes.Data, ExitCodes.Device,
        ExitCodes.DamagedFile];
    private static readonly string[] Cheap = ["models", "inspect", "import", "export", "prune", "data", "--help"];

    public CommandsTarget()
    {
        // Real data sets are large, and are no part of an input.
        Environment.SetEnvironmentVariable(DataRoot.EnvironmentVariable, Scratch.Folder);
        foreach ((int index, byte[] file) in ModelFileTargets.Hostile().Index())
            Scratch.Write($"hostile{index}.safetensors", file);
        Scratch.Write("bad.safetensors", "no file"u8);
        Scratch.Write("settings.json", """{"preset":"\ud800"}"""u8);
    }

    public override string Name => "commands";

    public override InputForm Form => InputForm.Words;

    public override int Weight => 2;

    // The tree of commands and options, made for each.
    public override long FixedBytes => 16 << 20;

    public override void Execute(byte[] input)
    {
        string[] words = [.. Encoding.UTF8.GetString(input).Split('\n').Select(Placed)];
        if (words.Contains("fetch"))
            return;
        if (!Cheap.Contains(words[0]))
            words = [.. words, "--device=nowhere"];
        using StringWriter output = new(), error = new();
        string before = Environment.CurrentDirectory;
        // What a command writes beside is written there.
        Environment.CurrentDirectory = Scratch.Folder;
        int code;
        try
        {
            code = Application.Run(words, new Terminal(output, error, IsErrorInteractive: false, Color: false, Width: 100),
                CancellationToken.None);
        }
        finally
        {
            Environment.CurrentDirectory = before;
        }

        if (!Documented.Contains(code))
            throw new InvalidOperationException($"exit code {code}: {error}");
        ReportsTarget.Require(output.ToString());
        ReportsTarget.Require(error.ToString());
        if (code != 0)
            throw new ConfigurationException(error.ToString());
    }

    protected override IEnumerable<byte[]> Seeds() => ((string[])
    [
        "inspect hostile0.safetensors", "inspect hostile1.safetensors --json", "inspect hostile3.safetensors",
            "inspect bad.safetensors", "models lenet-3-4-8 --json", "models",
        "run --preset quick --epochs 3", "train --model lenet --config settings.json",
            "evaluate hostile4.safetensors --attack pgd", "import hostile0.safetensors --model lenet --out o.safetensors",
        "export hostile5.safetensors --style robustbench --out o.safetensors",
            "prune hostile2.safetensors --ratio 0.5 --out o.safetensors", "retrain bad.safetensors --mask bad.safetensors",
        "transfer hostile0.safetensors bad.safetensors", "profile --model vgg16 --top 3", "experiment table4 --plan",
            "data info mnist --data nowhere", "devices --json", "run --help", "--version",
    ]).Select(line => Encoding.UTF8.GetBytes(line.Replace(' ', '\n')));

    // Names of files are those of the scratch folder, and what is written is written there.
    private string Placed(string word) =>
        word.EndsWith(".safetensors", StringComparison.Ordinal) || word.EndsWith(".json", StringComparison.Ordinal)
            || word == "nowhere" ? Path.Combine(Scratch.Folder, Path.GetFileName(word)) : word;
}
