using BoostingTicket.Runs.Configuration;
using BoostingTicket.Runs.Folders;
using BoostingTicket.Runs.Stages;
using BoostingTicket.Training;
using BoostingTicket.Training.Evaluation;
using BoostingTicket.Training.Files;

namespace BoostingTicket.Runs.Collections;

/// <summary>Reads what the folder of a run, a training or an evaluation keeps, finished or not.</summary>
internal static class RunReader
{
    /// <summary>Reads a folder.</summary>
    /// <param name="folder">The folder.</param>
    /// <exception cref="ConfigurationException">It holds no run, or cannot be read.</exception>
    /// <exception cref="DamagedFileException">A file of it is damaged.</exception>
    public static KeptRun Read(string folder)
    {
        var files = new RunFolder(folder);
        if (!File.Exists(files.Configuration))
            throw new ConfigurationException(
                $"The folder {folder} holds no run (no {Path.GetFileName(files.Configuration)}); name the folder of a run.");
        var configuration = Read<RunConfiguration>(files.Configuration);
        Dictionary<string, string> environment =
            File.Exists(files.Environment) ? Read<Dictionary<string, string>>(files.Environment) : [];
        // Version 0.1.0 wrote no owner for every command.
        string command = File.Exists(files.Command) ? Read<RunOwner>(files.Command).Command : TicketRun.Command;
        bool finished = File.Exists(files.Result);
        var run = new KeptRun(
            files.Root, command,
            finished ? RunState.Finished : RunLock.IsHeld(files.Root) ? RunState.Running : RunState.Interrupted,
            new DateTimeOffset(File.GetLastWriteTimeUtc(finished ? files.Result : files.Configuration)), configuration,
            environment);
        return command switch
        {
            WeightsAttack.Command => run with { Robustness = finished ? Read<RobustnessResult>(files.Result) : null },
            DenseTraining.Stage => Single(run, files, DenseTraining.Stage, Arm.Dense),
            TicketTraining.Stage => Single(run, files, TicketTraining.Stage, Arm.Ticket),
            _ => run with
            {
                Arms = configuration.Arms,
                Seeds = [.. Seeds(files, configuration).Where(seed => seed.Arms.Count > 0 || seed.Donor.Count > 0)],
            },
        };
    }

    private static KeptRun Single(KeptRun run, RunFolder files, string stage, Arm arm)
    {
        ulong seed = run.Configuration.Seed;
        string result = files.StageResult(seed, stage);
        ArmResult[] done = File.Exists(result) ? [Of(Read<ArmResult>(result), arm, result)] : [];
        return run with
        {
            Arms = [arm],
            Seeds = [.. done.Select(one => new SeedResult(seed, [], null, [], one.Warnings, [one]))],
        };
    }

    private static IEnumerable<SeedResult> Seeds(RunFolder files, RunConfiguration configuration)
    {
        for (int index = 0; index < configuration.Seeds; index++)
        {
            ulong seed = configuration.Seed + (ulong)index;
            string done = files.SeedResult(seed);
            if (File.Exists(done))
            {
                var kept = Read<SeedResult>(done);
                if (kept.Seed != seed || !kept.Arms.Select(arm => arm.Arm).SequenceEqual(configuration.Arms))
                    throw Wrong(done);
                yield return kept;
                continue;
            }
            ArmResult[] arms =
            [
                .. from arm in configuration.Arms
                   let file = files.StageResult(seed, SettingNames.Of(arm))
                   where File.Exists(file)
                   select Of(Read<ArmResult>(file), arm, file),
            ];
            DonorRecord? donor = Donor(files.StageResult(seed, SeedRun.DonorStage)),
                winning = Donor(files.StageResult(seed, SeedRun.WinningDonorStage));
            yield return new SeedResult(
                seed, donor?.History ?? [], donor?.Test, donor?.Sparsity ?? [], donor?.Warnings ?? [], arms)
            {
                WinningDonor = winning?.History ?? [],
            };
        }
    }

    private static DonorRecord? Donor(string file) => File.Exists(file) ? Read<DonorRecord>(file) : null;

    private static ArmResult Of(ArmResult result, Arm arm, string file) => result.Arm == arm ? result : throw Wrong(file);

    private static DamagedFileException Wrong(string file) => new(
        $"The file {file} is damaged (its seed or its arms are not those of the run); delete it and run the command that wrote "
        + $"it "
        + "again.");

    private static T Read<T>(string file) => RunJson.Read<T>(StoredFiles.ReadText(file), file);
}
