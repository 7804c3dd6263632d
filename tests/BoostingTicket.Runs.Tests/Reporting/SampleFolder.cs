using BoostingTicket.Runs.Configuration;
using BoostingTicket.Runs.Folders;
using BoostingTicket.Runs.Stages;

namespace BoostingTicket.Runs.Tests.Reporting;

/// <summary>Folders of runs with made-up numbers.</summary>
internal static class SampleFolder
{
    /// <summary>Writes what a finished run leaves behind, without its weights.</summary>
    /// <returns>The folder.</returns>
    public static string Write(RunResult result, string folder)
    {
        RunFolder files = Begin(result, folder);
        foreach (SeedResult seed in result.Seeds)
        {
            Directory.CreateDirectory(files.Seed(seed.Seed));
            File.WriteAllText(files.SeedResult(seed.Seed), RunJson.Write(seed));
        }
        File.WriteAllText(files.Result, RunJson.Write(result));
        return folder;
    }

    /// <summary>Writes what a run leaves behind of which one arm of one seed is done.</summary>
    /// <returns>The folder.</returns>
    public static string WriteInterrupted(RunResult result, string folder)
    {
        RunFolder files = Begin(result, folder);
        SeedResult seed = result.Seeds[0];
        Directory.CreateDirectory(files.Seed(seed.Seed));
        File.WriteAllText(files.StageResult(seed.Seed, SettingNames.Of(seed.Arms[0].Arm)), RunJson.Write(seed.Arms[0]));
        return folder;
    }

    private static RunFolder Begin(RunResult result, string folder)
    {
        var files = new RunFolder(folder);
        Directory.CreateDirectory(folder);
        File.WriteAllText(files.Configuration, RunJson.Write(result.Configuration));
        File.WriteAllText(files.Command, RunJson.Write(new RunOwner(TicketRun.Command)));
        File.WriteAllText(files.Environment, RunJson.Write(result.Environment));
        return files;
    }
}
