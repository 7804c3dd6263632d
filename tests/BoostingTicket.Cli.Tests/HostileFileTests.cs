using System.Text;
using BoostingTicket.Cli.Hosting;
using BoostingTicket.Cli.Progress;
using BoostingTicket.Cli.Streams;
using BoostingTicket.Training;
using Microsoft.Extensions.Logging;

namespace BoostingTicket.Cli.Tests;

/// <summary>Files whose names and notes would act on a terminal.</summary>
internal sealed class HostileFileTests
{
    private string _folder = "";

    [SetUp]
    public void CreateFolder() => _folder = Directory.CreateTempSubdirectory("boosting-ticket-").FullName;

    [TearDown]
    public void DeleteFolder() => Directory.Delete(_folder, recursive: true);

    [TestCase("inspect", 0)]
    [TestCase("inspect --json", 0)]
    [TestCase("import --model lenet --out o.safetensors", 6)]
    [TestCase("import --out o.safetensors", 2)]
    [TestCase("export --out o.safetensors", 2)]
    public void Nothing_of_a_name_reaches_the_terminal(string line, int code)
    {
        string file = Write("\\u001b]0;pwned\\u0007\\u001b[2J", "k\\u001b[31m", "\\u202egnp.exe\\u0085");
        string[] words = line.Split(' ');
        CommandResult result = CommandLine.Run([words[0], file,
            .. words[1..].Select(word => word == "o.safetensors" ? Path.Combine(_folder, word) : word)]);
        Assert.Multiple(() =>
        {
            Assert.That(result.Code, Is.EqualTo(code), result.Error);
            Assert.That(PlainText.EscapeLines(result.Out), Is.EqualTo(result.Out));
            Assert.That(PlainText.EscapeLines(result.Error), Is.EqualTo(result.Error));
        });
        if (line == "inspect")
            Assert.That(result.Out, Does.Contain("\\u001B]0;pwned\\u0007").And.Contain("\\u202Egnp.exe"));
        if (line == "inspect --json")
            Assert.That(result.Json().GetProperty("tensors")[0].GetProperty("name").GetString(),
                Does.StartWith("\u001b]0;pwned"));
    }

    [Test]
    public void An_answer_in_a_file_is_as_harmless()
    {
        string target = Path.Combine(_folder, "answer.txt");
        CommandLine.Run("inspect", Write("\\u001b[2J", "k", "v"), "--out", target);
        Assert.That(File.ReadAllText(target), Does.Contain("\\u001B[2J").And.Not.Contain("\u001b"));
    }

    [Test]
    public void A_long_name_is_shortened()
    {
        CommandResult result = CommandLine.Run("inspect", Write(new string('a', 60_000), "k", "v"));
        Assert.That(result.Code, Is.Zero);
        Assert.That(result.Out, Has.Length.LessThan(3_000));
    }

    [Test]
    public void A_null_character_in_an_argument_is_refused()
    {
        CommandResult result = CommandLine.Run("inspect", "a\0b");
        Assert.That(result.Code, Is.EqualTo(2));
        Assert.That(result.Error, Does.Contain("null character"));
    }

    [Test]
    public void Log_and_live_display_show_warnings_of_files_as_text()
    {
        const string Warning = "of a checkpoint \u001b]0;pwned\u0007\n[red]second line\u202e";
        string log = Path.Combine(_folder, "run.log");
        using (var provider = new FileLoggerProvider(log))
            provider.CreateLogger("").LogWarning("{Text}", Warning);
        using var error = new StringWriter();
        new LiveProgress(new Terminal(TextWriter.Null, error, IsErrorInteractive: true, Color: false, Width: 100)).Warn(Warning);
        Assert.Multiple(() =>
        {
            Assert.That(File.ReadAllLines(log), Has.Length.EqualTo(1));
            Assert.That(File.ReadAllText(log),
                Does.Contain("\\u001B]0;pwned\\u0007").And.Not.Contain("\u001b").And.Not.Contain("\u202e"));
            Assert.That(
                error.ToString(), Does.Contain("\\u001B]0;pwned\\u0007").And.Contain("[red]").And.Not.Contain("\u001b]0"));
        });
    }

    [Test]
    public void Two_logs_of_one_file_keep_each_other_s_lines_whole()
    {
        string log = Path.Combine(_folder, "run.log");
        using (FileLoggerProvider first = new(log), second = new(log))
        {
            ILogger[] loggers = [first.CreateLogger(""), second.CreateLogger("")];
            for (int line = 0; line < 20; line++)
                loggers[line % 2].LogInformation("{Text}", new string((char)('a' + line), 50 - line));
        }
        Assert.That(
            File.ReadAllLines(log).Select(line => line.Split(' ')[^1]),
            Is.EqualTo(Enumerable.Range(0, 20).Select(line => new string((char)('a' + line), 50 - line))));
    }

    private string Write(string name, string key, string value)
    {
        string header = $"{{\"__metadata__\":{{\"{key}\":\"{value}\"}},\"{name}\":"
            + "{\"dtype\":\"F32\",\"shape\":[1,1],\"data_offsets\":[0,4]}}";
        string path = Path.Combine(_folder, "hostile.safetensors");
        byte[] bytes = Encoding.UTF8.GetBytes(header);
        File.WriteAllBytes(path, [.. BitConverter.GetBytes((ulong)bytes.Length), .. bytes, 0, 0, 128, 63]);
        return path;
    }
}
