using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace BoostingTicket.Cli.Tests;

/// <summary>The script that runs on machines with a GPU, with programs in the place of the real ones that answer as those
/// do.</summary>
[Parallelizable]
internal sealed partial class GpuCheckTests
{
    // Answers by command; WRN-34-10 cannot be profiled.
    private const string Program =
        """
        #!/usr/bin/env bash
        case $1 in
          devices) echo '{ "selected": "cuda" }' ;;
          run)
            while [ "$1" != --out ]; do shift; done
            mkdir -p "$2"
            printf '# Summary\n\nrobust "87"\n' > "$2/summary.md"
            echo weights > "$2/dense.safetensors"
            echo '{ "rows": [] }' ;;
          profile)
            if [ "$5" = wrn-34-10 ]; then echo 'out of "memory"\' >&2; exit 4; fi
            echo '{
              "secondsPerBatchMedian": 0.0125, "secondsPerBatchMin": 1.2E-2, "secondsPerBatchMax": 0.014,
              "convolutions": [
                {
                  "work": "forward pass of 3x32x32",
                  "way": "algorithm 1 TensorOp",
                  "fused": true,
                  "accumulates": null,
                  "check": "checked; dropped: algorithm 7 TensorOp gives NaN",
                  "milliseconds": 0.25,
                  "teraOperationsPerSecond": 312.46
                }
              ],
              "observedSecondsPerBatchMedian": 5, "peakMemoryBytes": 7 }' ;;
        esac
        """;

    // Without the others: mpirun -n 2 COMMAND.
    private const string Launcher = "#!/usr/bin/env bash\nshift 2\nexec \"$@\"\n";

    private const string Tests =
        """
        #!/usr/bin/env bash
        [ "$BOOSTING_TICKET_REQUIRE_CUDA" = 1 ] || exit 9
        printf 'Test run summary: Passed!\n  total: 12\n  failed: 0\n'
        """;

    // One good line and one that was cut off.
    private const string Python =
        """
        #!/usr/bin/env bash
        while [ "$1" != --out ]; do shift; done
        echo '{"schema": 1, "model": "resnet18", "method": "pgd", "precision": "bf16", "variant": "graph",'\
        ' "status": "ok", "seconds_per_batch_median": 0.025, "x": 1}' >> "$2"
        printf '{"schema": 1, "model": "resn' >> "$2"
        echo >> "$2"
        """;

    private string _folder = "";

    [SetUp]
    public void SetUp()
    {
        if (OperatingSystem.IsWindows())
            Assert.Ignore("The GPU check is a script for bash.");
        _folder = Directory.CreateTempSubdirectory("gpu-check-").FullName;
        Write("run.sh", File.ReadAllText(Path.Combine(Repository.Root, "tools", "gpu-check", "run.sh")));
        Write("bin/boosting-ticket", Program);
        Write("bin/BoostingTicket.Engine.Tests", Tests);
        Write("python", Python);
        Write("ranks.sh", File.ReadAllText(Path.Combine(Repository.Root, "tools", "gpu-check", "ranks.sh")));
        Write("path/mpirun", Launcher);
        File.WriteAllText(Path.Combine(_folder, "COMMIT"), "1234abcd\n");
    }

    [TearDown]
    public void TearDown()
    {
        if (_folder.Length > 0)
            Directory.Delete(_folder, recursive: true);
    }

    [Test]
    public void All_steps_run_in_order_and_both_files_tell_of_them()
    {
        (int code, JsonElement result, string text) = Run("--cifar10", _folder, "--python", Path.Combine(_folder, "python"));
        Assert.That(code, Is.EqualTo(1), "one profile failed");
        JsonElement[] steps = [.. result.GetProperty("steps").EnumerateArray()];
        string[] names = [.. steps.Select(step => step.GetProperty("name").GetString()!)];
        Assert.That(
            names[..6],
            Is.EqualTo(new[] { "devices", "tests", "run-builtin", "run-cifar10", "ranks", "profile-resnet18-pgd-bf16" }));
        Assert.That(steps[4].GetProperty("output").GetString(), Is.EqualTo("1 files are equal"));
        Assert.That(names, Has.Exactly(24).StartsWith("profile-").And.Exactly(4).StartsWith("pytorch-"));
        Assert.That(steps[0].GetProperty("result").GetProperty("selected").GetString(), Is.EqualTo("cuda"));
        JsonElement failed = steps[Array.IndexOf(names, "profile-wrn-34-10-pgd-bf16")];
        Assert.That(failed.GetProperty("exitCode").GetInt32(), Is.EqualTo(4));
        Assert.That(failed.GetProperty("error").GetString(), Is.EqualTo("out of \"memory\"\\"));
        Assert.That(result.GetProperty("pytorch").GetArrayLength(), Is.EqualTo(4), "lines that are whole");
        Assert.That(result.GetProperty("commit").GetString(), Is.EqualTo("1234abcd"));

        Assert.That(text, Does.Contain("| resnet18 | pgd | bf16 | 12.50 (12.00 to 14.00) | – | 25.00 | – | – | 2.00 |"));
        Assert.That(text, Does.Contain("| lenet | natural | tf32 | 12.50 (12.00 to 14.00) | – | – | – | – | – |"));
        Assert.That(
            text, Does.Contain("| profile-wrn-34-10-pgd-bf16 | **failed**, exit code 4 |").And.Contain("out of \"memory\"\\"));
        Assert.That(text, Does.Contain(
            "| forward pass of 3x32x32 | algorithm 1 TensorOp | yes | – | checked; dropped: algorithm 7 TensorOp gives NaN | "
            + "0.250 | 312.5 |"));
        Assert.That(
            text.IndexOf("## Convolutions of profile-resnet18-pgd-bf16", StringComparison.Ordinal),
            Is.InRange(0, text.IndexOf("## Steps", StringComparison.Ordinal)), "first in the report");
        Assert.That(text, Does.Contain("total: 12").And.Contain("### Summary").And.Contain("robust \"87\""));
        Assert.That(text + result.GetRawText(), Does.Not.Contain(_folder), "folders of the machine");
    }

    [Test]
    public void A_program_that_hangs_is_cut_off_and_what_is_left_is_not_started()
    {
        Write("bin/BoostingTicket.Engine.Tests", "#!/usr/bin/env bash\necho begun\nexec sleep 60\n");
        (int code, JsonElement result, string text) = Run("--no-pytorch", "--budget", "7");
        Assert.That(code, Is.EqualTo(1));
        JsonElement[] steps = [.. result.GetProperty("steps").EnumerateArray()];
        Assert.That(steps[1].GetProperty("exitCode").GetInt32(), Is.EqualTo(124));
        Assert.That(steps[1].GetProperty("output").GetString(), Is.EqualTo("begun"));
        Assert.That(steps[2].GetProperty("exitCode").ValueKind, Is.EqualTo(JsonValueKind.Null));
        Assert.That(text, Does.Contain("| tests | cut off at its time limit |").And.Contain(
            "| run-builtin | not started, out of time |"));
    }

    [Test]
    public void Without_a_GPU_nothing_else_is_started()
    {
        Write("bin/boosting-ticket", "#!/usr/bin/env bash\necho '{ \"error\": \"no driver\" }'\nexit 4\n");
        (int code, JsonElement result, string text) = Run();
        Assert.That(code, Is.EqualTo(1));
        // Python, where there is one, is asked for its packages before the check gives up.
        Assert.That(result.GetProperty("steps").EnumerateArray().Select(
            step => step.GetProperty("name").GetString()), Is.SubsetOf((string[])["devices", "devices-python"]));
        Assert.That(text, Does.Contain("no driver"));
    }

    [Test]
    public void Libraries_that_only_Python_names_do_not_make_a_good_run_fail()
    {
        Write("bin/boosting-ticket", Program.Replace(
            "devices) echo", "devices) [ \"$BOOSTING_TICKET_CUDA_PATH\" = /packages ] || exit 4; echo", StringComparison.Ordinal)
            .Replace("if [ \"$5\" = wrn-34-10 ]; then echo 'out of \"memory\"\\' >&2; exit 4; fi", "", StringComparison.Ordinal));
        Write("packages-python", "#!/usr/bin/env bash\necho /packages\n");
        (int code, JsonElement result, string text) = Run("--no-pytorch", "--python", Path.Combine(_folder, "packages-python"));
        Assert.That(code, Is.Zero);
        JsonElement[] steps = [.. result.GetProperty("steps").EnumerateArray()];
        Assert.That(steps[0].GetProperty("exitCode").GetInt32(), Is.EqualTo(4));
        Assert.That(steps[1].GetProperty("name").GetString(), Is.EqualTo("devices-python"));
        Assert.That(text, Does.Contain("| devices | found no libraries by itself; see devices-python |"));
    }

    [Test]
    public void Two_processes_that_leave_other_weights_fail()
    {
        Write("bin/boosting-ticket", Program.Replace("echo weights", "echo \"$2\"", StringComparison.Ordinal));
        (int code, JsonElement result, string text) = Run("--no-pytorch");
        Assert.That(code, Is.EqualTo(1));
        Assert.That(text, Does.Contain("| ranks | **failed**, exit code 1 |").And.Contain("the weights of two processes differ"));
        Assert.That(Step(result, "ranks").GetProperty("exitCode").GetInt32(), Is.EqualTo(1));
    }

    [Test]
    public void Two_processes_that_cannot_be_joined_are_skipped_with_the_reason()
    {
        const string reason = "NCCL cannot join these GPUs: ranks 0 and 1 on host compute on one GPU, 0000:01:00";
        Write("bin/boosting-ticket", Program.Replace(
            "run)", $"run) case $* in *nccl*) echo \"{reason}\" >&2; exit 4 ;; esac", StringComparison.Ordinal));
        (_, JsonElement result, string text) = Run("--no-pytorch");
        Assert.That(text, Does.Contain($"| ranks | skipped: {reason} |").And.Not.Contain("What ranks said last"));
        Assert.That(Step(result, "ranks").GetProperty("exitCode").GetInt32(), Is.EqualTo(77));
    }

    [TestCase("--budget", "soon")]
    [TestCase("--out")]
    [TestCase("--fast")]
    [TestCase("--cifar10", "no such folder")]
    public void Wrong_options_are_refused(params string[] options) => Assert.That(Start(options), Is.EqualTo(2));

    [Test]
    public void Steps_are_those_that_the_guide_lists()
    {
        string guide = File.ReadAllText(Path.Combine(Repository.Root, "tools", "gpu-check", "README.md"));
        string script = File.ReadAllText(Path.Combine(Repository.Root, "tools", "gpu-check", "run.sh"));
        foreach (Match step in PlainStep().Matches(script))
        {
            string name = step.Groups[1].Value;
            Assert.That(guide, Does.Contain(name.StartsWith("pytorch-", StringComparison.Ordinal) ? "`pytorch-…`" : $"`{name}`"));
        }
    }

    [GeneratedRegex(@"(?m)^ *(?:if ! )?(?:step|peers) ([a-z0-9-]+) ")]
    private static partial Regex PlainStep();

    private static JsonElement Step(JsonElement result, string name) => result.GetProperty("steps").EnumerateArray().First(
        step => step.GetProperty("name").GetString() == name);

    private (int Code, JsonElement Result, string Text) Run(params string[] options)
    {
        string output = Path.Combine(_folder, "results");
        int code = Start([.. options, "--out", output]);
        using var document = JsonDocument.Parse(File.ReadAllText(Path.Combine(output, "gpu-check.json")));
        return (code, document.RootElement.Clone(), File.ReadAllText(Path.Combine(output, "gpu-check.md")));
    }

    private int Start(IReadOnlyList<string> options)
    {
        var start = new ProcessStartInfo("bash")
        {
            WorkingDirectory = _folder,
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        start.Environment["PATH"] = $"{Path.Combine(_folder, "path")}:{Environment.GetEnvironmentVariable("PATH")}";
        start.ArgumentList.Add(Path.Combine(_folder, "run.sh"));
        foreach (string option in options)
            start.ArgumentList.Add(option);
        using Process process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        TestContext.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"exit code {process.ExitCode}: {errors.Result}"));
        return process.ExitCode;
    }

    private void Write(string name, string content)
    {
        string path = Path.Combine(_folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, content);
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }
}
