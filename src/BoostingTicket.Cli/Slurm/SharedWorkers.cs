using System.CommandLine;
using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using BoostingTicket.Cli.Hosting;
using BoostingTicket.Runs.Experiments;
using BoostingTicket.Training;
using BoostingTicket.Training.Files;

namespace BoostingTicket.Cli.Slurm;

/// <summary>The options by which several processes do one experiment, and the submission of such processes to Slurm.</summary>
internal sealed class SharedWorkers
{
    /// <summary>The option of processes that share an experiment.</summary>
    public const string ShareName = "--share";

    private const string Submitter = "sbatch";
    private const int MostWorkers = 1_000;

    private readonly Option<bool> _share = new(ShareName)
    {
        Description = "do the parts together with other processes, on this or other machines, that run the same command in the "
            + "same --out",
    };
    private readonly Option<string?> _slurm = new("--slurm")
    {
        HelpName = ParseErrors.OtherOptions,
        Description = "submit --workers processes with --share to Slurm and stop; OPTIONS are sbatch's in one text, such as "
            + "'--partition=gpu --gpus=1 --time=4:00:00'",
    };
    private readonly Option<string?> _workers = new("--workers")
    {
        HelpName = "W",
        Description = "processes that --slurm submits; by default 1",
    };

    /// <summary>Adds the options to a command.</summary>
    public SharedWorkers(Command command)
    {
        command.Options.Add(_share);
        command.Options.Add(_slurm);
        command.Options.Add(_workers);
    }

    /// <summary>Whether parts are shared.</summary>
    public bool Share(Invocation invocation) => invocation.Get(_share);

    /// <summary>Whether processes are to be submitted, and none is to work here.</summary>
    /// <param name="invocation">The command line.</param>
    /// <param name="planned">Whether the command line asks for a plan.</param>
    /// <exception cref="ConfigurationException">The options contradict each other.</exception>
    public bool Submits(Invocation invocation, bool planned)
    {
        if (invocation.Get(_slurm) is null)
        {
            return !invocation.IsGiven(_workers) ? false : throw new ConfigurationException(
                $"{_workers.Name} says how many processes {_slurm.Name} submits; give {_slurm.Name} too, or leave out "
                + $"{_workers.Name}.");
        }

        return !planned ? true : throw new ConfigurationException(
            $"--plan computes here, and {_slurm.Name} only submits; leave out one of them.");
    }

    /// <summary>Writes the script and submits it.</summary>
    /// <param name="invocation">The command line.</param>
    /// <param name="files">The experiment's folder.</param>
    /// <returns>The exit code of success.</returns>
    /// <exception cref="ConfigurationException">The options cannot be used, or Slurm refuses them.</exception>
    public int Submit(Invocation invocation, ExperimentFolder files)
    {
        files.RequireNoRun();
        string options = invocation.Get(_slurm)!.Trim();
        if (options.Any(char.IsControl))
            throw new ConfigurationException($"{_slurm.Name} holds a line break; write the options of {Submitter} on one line.");
        string count = invocation.Get(_workers) ?? "1";
        if (!int.TryParse(count, NumberStyles.None, CultureInfo.InvariantCulture, out int workers))
            throw new ConfigurationException($"{_workers.Name} is '{count}'; give a whole number.");
        Require.InRange("workers", workers, 1, MostWorkers);
        string log = Path.Combine(files.Own, "workers"), path = log + ".sbatch";
        var script = new SlurmScript(
            Path.GetFileName(files.Own), workers, options, Environment.CurrentDirectory,
            $"{CommandText.Program} {CommandText.Join(Arguments(invocation.Arguments))}", log);
        AtomicFile.WriteAllText(path, script.Text());
        string job = Submit(path);
        var answer = new
        {
            job,
            workers,
            script = path,
            logs = log + "-*.log",
        };
        return invocation.Print(answer, writer =>
        {
            writer.WriteLine($"Submitted job {job}: {workers} worker(s) share {script.Name} in {files.Root}.");
            writer.WriteLine($"Script: {path}");
            writer.WriteLine($"Logs: {answer.logs}");
        });
    }

    private static string Submit(string script)
    {
        try
        {
            using Process process = Process.Start(new ProcessStartInfo(Submitter, ["--parsable", script])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            })!;
            Task<string> errors = process.StandardError.ReadToEndAsync();
            string job = process.StandardOutput.ReadToEnd().Trim();
            process.WaitForExit();
            if (process.ExitCode == 0)
                return job.Split(';')[0];
            throw new ConfigurationException(
                $"{Submitter} refused {script} with exit code {process.ExitCode} "
                + $"({errors.Result.Trim().ReplaceLineEndings(" ")}); "
                + "correct the options of --slurm, or the script, and submit it yourself.");
        }
        catch (Win32Exception error)
        {
            throw new ConfigurationException(
                $"Slurm's {Submitter} was not found here; submit {script} where it is, or start processes yourself with --share.",
                error);
        }
    }

    // Those of one worker.
    private List<string> Arguments(IReadOnlyList<string> given)
    {
        HashSet<int> left =
        [
            .. GivenOption.Find(given, _slurm.Name).Concat(GivenOption.Find(given, _workers.Name))
                .Concat(GivenOption.FindSwitch(given, _share.Name))
                .SelectMany(option => Enumerable.Range(option.Index, option.Count)),
        ];
        List<string> own = [.. given.Where((_, index) => !left.Contains(index))];
        int end = own.IndexOf(GivenOption.EndOfOptions);
        own.Insert(end < 0 ? own.Count : end, _share.Name);
        return own;
    }
}
