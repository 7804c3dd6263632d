using BoostingTicket.Engine.Backends;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Runs.Stages;
using BoostingTicket.Training;
using BoostingTicket.Training.Files;
using BoostingTicket.Training.Progress;

namespace BoostingTicket.Runs.Experiments;

/// <summary>Keeps an experiment's folder together with the settings and the data that its results come from.</summary>
/// <param name="folder">The folder.</param>
/// <param name="configuration">What is to be done.</param>
/// <param name="environment">Device, versions and data by name.</param>
internal sealed class ExperimentGuard(
    ExperimentFolder folder, ExperimentConfiguration configuration, RunEnvironment environment)
{
    /// <summary>Whether a folder holds an experiment that was started with these settings.</summary>
    public static bool Holds(ExperimentFolder folder, ExperimentConfiguration configuration) =>
        File.Exists(folder.Configuration) && Hash(Kept(folder)) == Hash(configuration);

    /// <summary>Makes sure that the experiment's folder is new or belongs to this experiment.</summary>
    /// <exception cref="ConfigurationException">It was started with other settings or other data.</exception>
    public void Require()
    {
        folder.RequireNoRun();
        if (!File.Exists(folder.Configuration))
            return;
        if (Hash(Kept(folder)) != Hash(configuration))
            throw new ConfigurationException(
                $"The folder {folder.Own} holds this experiment with other settings (see {folder.Configuration}); repeat the "
                + $"command with "
                + $"those, or choose another {Setting.Named("out")}.");
        if (!File.Exists(folder.Environment))
            return;
        Dictionary<string, string> before = RunJson.Read<Dictionary<string,
        string>>(StoredFiles.ReadText(folder.Environment), folder.Environment);
        foreach (string name in RunFolderGuard.DataNames)
        {
            if (before.TryGetValue(name, out string? value) && value != environment[name])
                throw new ConfigurationException(
                    $"The {name} are not those that {folder.Own} was started with ({value}; now {environment[name]}); bring back "
                    + $"the old data, "
                    + $"or choose another {Setting.Named("out")}.");
        }
    }

    /// <summary>Writes down what the folder belongs to. The folder must be locked.</summary>
    /// <param name="progress">Warned of another device or version than before.</param>
    /// <param name="beside">What the device chooses in another number format; null where it computes in one.</param>
    /// <exception cref="ConfigurationException">The folder belongs to something else, or cannot be written to.</exception>
    public void Claim(IRunProgress progress, DeviceChoices? beside)
    {
        Require();
        if (File.Exists(folder.Environment))
        {
            RunFolderGuard.WarnOfChanges(
                RunJson.Read<Dictionary<string, string>>(StoredFiles.ReadText(folder.Environment), folder.Environment),
                environment, progress);
        }
        environment.Keep(folder.Environment, folder.Choices, progress, beside);
        AtomicFile.WriteAllText(folder.Configuration, RunJson.Write(configuration));
    }

    private static ExperimentConfiguration Kept(ExperimentFolder folder) =>
        RunJson.Read<ExperimentConfiguration>(StoredFiles.ReadText(folder.Configuration), folder.Configuration);

    private static string Hash(ExperimentConfiguration settings) => SettingsIdentity.Hash(settings.WithAllArms());
}
