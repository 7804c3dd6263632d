using BoostingTicket.Training.Files;

namespace BoostingTicket.Training.Tickets;

/// <summary>Keeps a folder's contents and a configuration together.</summary>
internal static class RunFolderGuard
{
    /// <summary>Refuses a folder that holds other settings, or the same run without leave to resume it.</summary>
    /// <exception cref="ConfigurationException">It does; nothing was changed.</exception>
    public static void Require(RunFolder folder, RunConfiguration configuration, bool resume)
    {
        if (!File.Exists(folder.Configuration))
            return;
        RunConfiguration kept = RunJson.Read<RunConfiguration>(File.ReadAllText(folder.Configuration), folder.Configuration);
        if (RunJson.Hash(kept) != RunJson.Hash(configuration))
            throw new ConfigurationException(
                $"The folder {folder.Root} holds a run with other settings; give another --out, or resume that run with its "
                + $"own settings (--config {folder.Configuration} --resume).");
        if (!resume)
            throw new ConfigurationException(
                $"The folder {folder.Root} holds this run already; add --resume to continue it, or give another --out.");
    }
}
