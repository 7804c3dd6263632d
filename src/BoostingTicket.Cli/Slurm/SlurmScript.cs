using System.Globalization;
using BoostingTicket.Cli.Hosting;
using BoostingTicket.Training;

namespace BoostingTicket.Cli.Slurm;

/// <summary>A batch script for Slurm whose tasks share an experiment's parts. It is for people to read, to change and to submit
/// again.</summary>
/// <param name="Name">Name of the job: the experiment's.</param>
/// <param name="Workers">Tasks of the array, each a process of its own; 1 or more.</param>
/// <param name="Options">Options of <c>sbatch</c> on one line, as the user wrote them: partition, time, GPUs.</param>
/// <param name="Folder">Where the command is to be started.</param>
/// <param name="Command">The command line of one worker.</param>
/// <param name="Log">Beginning of the path of each worker's log.</param>
internal sealed record SlurmScript(string Name, int Workers, string Options, string Folder, string Command, string Log)
{
    /// <summary>Exit code of a worker that saved and can go on.</summary>
    private const int Saved = ExitCodes.Interrupted;

    /// <summary>The script.</summary>
    public string Text() => string.Create(
        CultureInfo.InvariantCulture,
        $$"""
        #!/bin/bash
        # {{Workers}} worker(s) that share the parts of the experiment {{Name}}.
        # To go on where they ended, submit this file again.
        #SBATCH --job-name={{Name}}
        #SBATCH --array=1-{{Workers}}
        # Two minutes before the time limit a worker is asked to save; it ends with exit code {{Saved}}, and is queued again.
        #SBATCH --signal=USR1@120
        #SBATCH --requeue
        #SBATCH --open-mode=append
        #SBATCH --output={{CommandText.Join([Log.Replace("%", "%%", StringComparison.Ordinal)])}}-%a.log
        #SBATCH {{Options}}

        cd {{CommandText.Join([Folder])}} || exit 1
        srun -K1 {{Command}}
        code=$?
        # The number of the array's last task is that of the whole array, so the task is named by its index.
        if [ "$code" = {{Saved}} ]; then
          scontrol requeue "${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}"
        fi
        exit "$code"

        """).ReplaceLineEndings("\n");
}
