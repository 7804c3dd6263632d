using System.Text.RegularExpressions;

namespace BoostingTicket.Cli.Tests.Documents;

/// <summary>Documented commands of other programs. Most of them take hours or need what is not here, so this asks whether the
/// file or project exists and knows every option that the page gives, and runs what is short.</summary>
internal static partial class OtherPrograms
{
    private const string FuzzProject = "tests/BoostingTicket.Fuzz";
    private const int FuzzExecutions = 2000;

    // How properties of a build begin.
    private const string Property = "-p:";

    // What dotnet itself and its test runner take.
    private static readonly string[] DotNetOptions =
        ["-c", "--project", "--filter", "-o", "-r", "--no-self-contained", "--logger"];

    /// <summary>Asks what there is to ask of a command.</summary>
    /// <exception cref="AssertionException">Something is missing, or nothing is known about the program.</exception>
    public static void Require(DocumentedCommand command)
    {
        string[] words = [.. command.Words];
        switch (words[0])
        {
            case "dotnet" when words is [_, "tool", "install", ..] or [_, "add", "package", ..]:
                RequirePackage(command);
                break;
            // The folder to which the build script packs.
            case "dotnet" when words is [_, "nuget", "add", "source", "$PWD/artifacts", "--name", _]:
                Assert.That(File.ReadAllText(Find(command, "./build.sh")), Does.Contain("artifacts"), command.ToString());
                break;
            case "docker":
                Docker(command, words);
                break;
            case "dotnet":
                DotNet(command, words);
                break;
            case "python3":
                Python(command, words);
                break;
            // The archive that tools/gpu-check/build.sh makes.
            case "tar" when words is ["tar", "xf", "gpu-check.tar.gz"]:
                break;
            case "gpu-check/run.sh":
                RequireScript(command, Find(command, "tools/gpu-check/run.sh"), words[1..]);
                break;
            case var program when program.Contains('/', StringComparison.Ordinal):
                RequireScript(command, Find(command, program), words[1..]);
                break;
            default:
                throw new AssertionException(
                    $"{command}\n{nameof(OtherPrograms)} does not know the program '{words[0]}'; add what can be asked of it.");
        }
    }

    private static void DotNet(DocumentedCommand command, string[] words)
    {
        int end = Array.IndexOf(words, "--");
        string[] own = words[1..(end < 0 ? words.Length : end)];
        string[] arguments = end < 0 ? [] : words[(end + 1)..];
        string folder = own switch
        {
            ["run", ..] when Array.IndexOf(own, "--project") is >= 0 and int index => own[index + 1],
            ["test", "-c", ..] => "tests",
            ["test" or "pack" or "publish", var project, ..] => project,
            _ => throw new AssertionException(
                $"{command}\n{nameof(OtherPrograms)} does not know 'dotnet {own[0]}' in this form; add it."),
        };
        Assert.That(
            own.Where(word => IsOption(word) && !word.StartsWith(Property, StringComparison.Ordinal)),
            Is.SubsetOf(DotNetOptions), command.ToString());
        string place = Path.Combine(Repository.Root, folder);
        Assert.That(place, Does.Exist, command.ToString());
        foreach (string property in own.Where(word => word.StartsWith(Property, StringComparison.Ordinal)))
            Assert.That(Sources(place, "*.csproj"), Does.Contain($"$({property[Property.Length..].Split('=')[0]})"), property);
        if (own[0] == "run")
            Assert.That(Directory.GetFiles(place, "*.csproj"), Has.Length.EqualTo(1), command.ToString());
        if (folder == FuzzProject)
            Fuzz(command, arguments);
        string source = Sources(place, "*.cs");
        foreach (string option in arguments.Where(IsOption).Where(_ => folder != "src/BoostingTicket.Cli"))
        {
            bool isRunners = option == "--filter" && source.Contains("BenchmarkSwitcher", StringComparison.Ordinal);
            Assert.That(isRunners || source.Contains($"\"{option}\"", StringComparison.Ordinal), Is.True, $"{command}\n{option}");
        }
        // A filter that selects nothing is no error of the runner.
        foreach (string filter in words.SkipWhile(word => word != "--filter").Skip(1).Take(1))
            Assert.That(source, Does.Contain(Wanted().Match(filter).Value), command.ToString());
    }

    // A package that the repository makes.
    private static void RequirePackage(DocumentedCommand command)
    {
        string id = command.Words.Single(word => word.StartsWith("BoostingTicket.", StringComparison.Ordinal));
        string project = Path.Combine(Repository.Root, "src", id, $"{id}.csproj");
        Assert.That(project, Does.Exist, command.ToString());
        Assert.That(File.ReadAllText(project), Does.Not.Contain("<IsPackable>false"), command.ToString());
    }

    // A stage of the container file, or a command in an image that the page builds of one.
    private static void Docker(DocumentedCommand command, string[] words)
    {
        if (words is ["docker", "build", "--target", var stage, "-t", _, "."])
        {
            Assert.That(
                File.ReadAllLines(Path.Combine(Repository.Root, "Dockerfile")), Has.Some.EndsWith($" AS {stage}"),
                command.ToString());
            return;
        }

        string[] images = [.. DocumentedCommand.OfPage(command.Page)
            .Where(other => other.Words is ["docker", "build", ..]).Select(other => other.Words[^2])];
        int image = Array.FindIndex(words, images.Contains);
        Assert.That(words[1], Is.EqualTo("run"), command.ToString());
        Assert.That(image, Is.Positive, $"{command}\nno such image is built");
        Assert.That(() => ShortCommand.Of(words[(image + 1)..]), Throws.Nothing, command.ToString());
    }

    private static void Fuzz(DocumentedCommand command, string[] arguments)
    {
        string[] line = [.. arguments];
        int index = Array.IndexOf(line, "--executions");
        if (index >= 0)
            line[index + 1] = $"{FuzzExecutions}";
        string program = Path.Combine(
            AppContext.BaseDirectory.Replace("BoostingTicket.Cli.Tests", "BoostingTicket.Fuzz", StringComparison.Ordinal),
            "BoostingTicket.Fuzz.dll");
        // It is built with the solution, not with this project.
        if (!File.Exists(program))
            return;
        CommandResult result = Shell.Run($"dotnet '{program}' {string.Join(' ', line)}", Directory.GetCurrentDirectory());
        Assert.That(result.Code, Is.Zero, $"{command}\n{result.Out}{result.Error}");
    }

    private static void Python(DocumentedCommand command, string[] words)
    {
        string file = Find(command, words[1]);
        string source = Sources(Path.GetDirectoryName(file)!, "*.py");
        foreach (string option in words.Where(IsOption))
            Assert.That(source, Does.Contain($"\"{option}\""), $"{command}\n{option}");
        // What needs nothing but Python is asked itself.
        if (source.Contains("argparse", StringComparison.Ordinal) && !source.Contains("import torch", StringComparison.Ordinal)
            && Shell.Has("python3"))
        {
            CommandResult help = Shell.Run($"python3 -B '{file}' --help", Directory.GetCurrentDirectory());
            Assert.That(help.Code, Is.Zero, $"{command}\n{help.Error}");
            foreach (string option in words.Where(IsOption))
                Assert.That(help.Out, Does.Contain($"{option} "), command.ToString());
        }
    }

    private static void RequireScript(DocumentedCommand command, string file, string[] arguments)
    {
        string source = File.ReadAllText(file);
        foreach (string option in arguments.Where(IsOption))
            Assert.That(source, Does.Contain(option), $"{command}\n{option}");
        if (!OperatingSystem.IsWindows())
            Assert.That(File.GetUnixFileMode(file).HasFlag(UnixFileMode.UserExecute), Is.True, $"{command}: not executable");
        if (Shell.Has("bash"))
        {
            CommandResult parsed = Shell.Run($"bash -n '{file}'", Directory.GetCurrentDirectory());
            Assert.That(parsed.Code, Is.Zero, $"{command}\n{parsed.Error}");
        }
    }

    // From the repository's folder, or from the page's.
    private static string Find(DocumentedCommand command, string path)
    {
        string file = Path.Combine(Repository.Root, path);
        if (!File.Exists(file))
            file = Path.Combine(Repository.Root, Path.GetDirectoryName(command.Page)!, path);
        return File.Exists(file) ? file : throw new AssertionException($"{command}\nThere is no file {path}.");
    }

    private static string Sources(string folder, string pattern) => string.Concat(
        Directory.GetFiles(folder, pattern, SearchOption.AllDirectories)
            .Where(path => !path.Split(Path.DirectorySeparatorChar).Contains("obj")).Select(File.ReadAllText));

    private static bool IsOption(string word) => word.StartsWith('-') && word != "--";

    [GeneratedRegex("[A-Za-z0-9_]+(?=[*\"]*$)")]
    private static partial Regex Wanted();
}
