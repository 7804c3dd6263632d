using System.Text.Json;

namespace BoostingTicket.Cli.Tests;

/// <summary>Submission to Slurm, with a stand-in for <c>sbatch</c>.</summary>
internal sealed class SlurmTests
{
    private string _folder = "";

    private string Script => Path.Combine(_folder, "out", "table2", "workers.sbatch");

    [SetUp]
    public void CreateFolder()
    {
        Shell.Require("bash");
        _folder = Directory.CreateTempSubdirectory("slurm-").FullName;
    }

    [TearDown]
    public void DeleteFolder() => Directory.Delete(_folder, recursive: true);

    [Test]
    public void Script_is_written_and_submitted_once()
    {
        StandIn("echo \"$@\" >> calls; echo '4711;cluster'");
        CommandResult result = Run(
            "experiment table2 --scale 0.1 --slurm '--partition=gpu --gpus=1' --workers=8 --share --out out --json");
        Assert.That(result.Code, Is.Zero, result.Error);
        JsonElement json = result.Json();
        Assert.That(json.GetProperty("job").GetString(), Is.EqualTo("4711"));
        Assert.That(json.GetProperty("workers").GetInt32(), Is.EqualTo(8));
        Assert.That(File.ReadAllLines(Path.Combine(_folder, "calls")), Is.EqualTo(new[] { $"--parsable {Script}" }));
        string[] lines = File.ReadAllLines(Script);
        Assert.That(lines[0], Is.EqualTo("#!/bin/bash"));
        string[] wanted =
        [
            "#SBATCH --job-name=table2", "#SBATCH --array=1-8", "#SBATCH --signal=USR1@120", "#SBATCH --requeue",
            "#SBATCH --open-mode=append", "#SBATCH --partition=gpu --gpus=1", $"cd {_folder} || exit 1",
            "  scontrol requeue \"${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}\"",
        ];
        Assert.That(lines, Is.SupersetOf(wanted));
        Assert.That(
            lines.Single(line => line.StartsWith("srun", StringComparison.Ordinal)),
            Does.EndWith(" experiment table2 --scale 0.1 --out out --json --share").And.Contains("boosting-ticket.dll"));
        Assert.That(Shell.Run($"bash -n {Script}", _folder).Code, Is.Zero);
        Assert.That(
            Directory.GetFileSystemEntries(Path.Combine(_folder, "out")), Has.Length.EqualTo(1), "nothing else is written");
    }

    [TestCase("experiment table2 --slurm:--mem=4G --workers:8 --share:true --out out")]
    [TestCase("experiment table2 --slurm=--mem=4G --workers=8 --share=true --out out")]
    [TestCase("experiment table2 --slurm --mem=4G --workers 8 --share true --out out")]
    public void Worker_submits_no_workers_however_the_options_were_written(string line)
    {
        StandIn("echo 1");
        CommandResult result = Run(line);
        Assert.That(result.Code, Is.Zero, result.Error);
        string[] lines = File.ReadAllLines(Script);
        Assert.That(lines, Does.Contain("#SBATCH --array=1-8").And.Contain("#SBATCH --mem=4G"));
        Assert.That(
            lines.Single(written => written.StartsWith("srun", StringComparison.Ordinal)),
            Does.EndWith(" experiment table2 --out out --share"));
    }

    [Test]
    public void Worker_shares_also_where_names_stand_behind_all_options()
    {
        StandIn("echo 1");
        Assert.That(Run("experiment --slurm=--mem=4G --out out -- table2").Code, Is.Zero);
        Assert.That(File.ReadAllText(Script), Does.Contain(" experiment --out out --share -- table2\n"));
    }

    [Test]
    public void Worker_that_saved_is_queued_again_and_others_are_not()
    {
        StandIn("echo 1");
        Assert.That(Run("experiment table2 --slurm --mem=4G --out out").Code, Is.Zero);
        File.WriteAllText(Path.Combine(_folder, "srun"), "#!/bin/bash\nexit $CODE\n");
        File.WriteAllText(Path.Combine(_folder, "scontrol"), "#!/bin/bash\necho \"$@\" >> queued\n");
        foreach (int code in (int[])[0, 2, 5, 130])
        {
            CommandResult ended = Shell.Run(
                "chmod +x srun scontrol; export SLURM_JOB_ID=42 SLURM_ARRAY_JOB_ID=42 SLURM_ARRAY_TASK_ID=3; "
                    + $"export PATH={_folder}:$PATH CODE={code}; bash {Script}",
                _folder);
            Assert.That(ended.Code, Is.EqualTo(code));
        }

        Assert.That(File.ReadAllLines(Path.Combine(_folder, "queued")), Is.EqualTo(new[] { "requeue 42_3" }));
    }

    [TestCase("experiment table2")]
    [TestCase("sweep ratio=0.5,0.8")]
    public void Folder_of_a_run_is_refused_before_anything_is_written(string command)
    {
        StandIn("echo called >> calls");
        Directory.CreateDirectory(Path.Combine(_folder, "out"));
        File.WriteAllText(Path.Combine(_folder, "out", "configuration.json"), "{}");
        CommandResult result = Run($"{command} --slurm --time=5 --out out");
        Assert.That(result.Code, Is.EqualTo(2));
        Assert.That(result.Error, Does.Contain("holds a run, not experiments; choose another --out."));
        Assert.That(Directory.GetFileSystemEntries(Path.Combine(_folder, "out")), Has.Length.EqualTo(1));
        Assert.That(File.Exists(Path.Combine(_folder, "calls")), Is.False);
    }

    [Test]
    public void Refusal_by_Slurm_is_told()
    {
        StandIn("echo 'sbatch: error: invalid partition specified: gpux' >&2; exit 1");
        CommandResult result = Run("experiment table2 --slurm --partition=gpux --workers 2 --out out");
        Assert.That(result.Code, Is.EqualTo(2));
        Assert.That(
            result.Error, Does.Contain("invalid partition specified: gpux").And.Contain("correct the options of --slurm"));
    }

    [TestCase("--workers 2", "--workers says how many processes --slurm submits; give --slurm too")]
    [TestCase("--slurm --time=5 --workers none", "--workers is 'none'; give a whole number.")]
    [TestCase("--slurm --time=5 --workers 0", "--workers is 0; choose a value")]
    [TestCase("--slurm $'--mem=1\\n--time=2'", "--slurm holds a line break")]
    [TestCase("--slurm --time=5 --plan", "--plan computes here, and --slurm only submits")]
    [TestCase("--slurm ''", "The value of --slurm is empty")]
    [TestCase("--workers 1 --slurm", "The option --slurm needs a value")]
    [TestCase("--slurm --time=5", "Slurm's sbatch was not found here; submit ")]
    public void What_cannot_be_submitted_is_refused(string options, string message)
    {
        CommandResult result = Run($"experiment table2 --out out {options}", path: "/nowhere");
        Assert.That(result.Code, Is.EqualTo(2), result.Out);
        Assert.That(result.Error, Does.Contain(message));
    }

    private void StandIn(string body)
    {
        string file = Path.Combine(_folder, "sbatch");
        File.WriteAllText(file, $"#!/bin/bash\n{body}\n");
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    private CommandResult Run(string line, string? path = null) =>
        Shell.Run($"run=$(command -v dotnet); PATH={path ?? $"{_folder}:$PATH"} $run ${{program#dotnet }} {line}", _folder);
}
