using System.Runtime.InteropServices;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Runs.Folders;
using BoostingTicket.Training.Data;
using BoostingTicket.Training.Files;
using BoostingTicket.Training.Progress;

namespace BoostingTicket.Runs.Stages;

/// <summary>What work runs on: device, versions and data, by name.</summary>
internal sealed class RunEnvironment : Dictionary<string, string>
{
    /// <summary>Name of the number format.</summary>
    public const string PrecisionName = "precision";

    internal const string DeviceName = "device";
    internal const string ProcessorName = "processor";
    internal const string SystemName = "system";
    internal const string DroppedName = "dropped";
    internal const string TrainImages = "training images";
    internal const string TestImages = "test images";

    private readonly DeviceChoices? _choices;

    /// <summary>Describes.</summary>
    /// <param name="backend">The device.</param>
    /// <param name="data">The data set.</param>
    public RunEnvironment(IBackend backend, DataSplit data)
    {
        ArgumentNullException.ThrowIfNull(backend);
        ArgumentNullException.ThrowIfNull(data);
        _choices = backend.Choices;
        var machine = TrainingMachine.Of(backend);
        this[DeviceName] = machine.Device;
        this[PrecisionName] = backend.Precision.ToString();
        this["runtime"] = RuntimeInformation.FrameworkDescription;
        this[SystemName] = $"{RuntimeInformation.OSDescription} {RuntimeInformation.OSArchitecture}";
        this[ProcessorName] = machine.Processor;
        this["commit"] = ProgramFacts.Commit;
        this["libraries"] = ProgramFacts.Libraries;
        this["version"] = typeof(RunEnvironment).Assembly.GetName().Version?.ToString(3) ?? "unknown";
        this[TrainImages] = $"{OwnData.NameOf(data.Train)}, {data.Train.Count}, SHA-256 {data.Train.ContentHash}";
        this[TestImages] = $"{OwnData.NameOf(data.Test)}, {data.Test.Count}, SHA-256 {data.Test.ContentHash}";
    }

    /// <summary>The number format that a folder's work was begun in; null where nothing says so.</summary>
    /// <param name="folder">The folder of <c>--out</c>: a run's, or one of experiments.</param>
    public static Precision? PrecisionOf(string folder)
    {
        string own = new RunFolder(folder).Environment;
        var experiments = new DirectoryInfo(folder);
        // Experiments of one folder share their trainings, so that all are in the format of those that were begun.
        string[] files = File.Exists(own) ? [own]
            : [.. (experiments.Exists ? experiments.GetDirectories() : []).Select(
                experiment => new RunFolder(experiment.FullName).Environment)
                .Where(File.Exists).OrderByDescending(File.GetLastWriteTimeUtc)];
        foreach (string file in files)
        {
            if (RunJson.Read<Dictionary<string,
            string>>(StoredFiles.ReadText(file), file).TryGetValue(PrecisionName, out string? word)
                && Enum.TryParse(word, out Precision precision) && Enum.IsDefined(precision))
                return precision;
        }
        return null;
    }

    /// <summary>Writes this down, and what the device chooses and drops from now on.</summary>
    /// <param name="file">Where this is written.</param>
    /// <param name="choices">Where choices are kept.</param>
    /// <param name="progress">Warned of what is dropped.</param>
    /// <param name="beside">What the device chooses in another number format; null where it computes in one.</param>
    internal void Keep(string file, string choices, IRunProgress progress, DeviceChoices? beside = null)
    {
        Write();
        var dropped = new List<string>();
        foreach (DeviceChoices? own in (DeviceChoices?[])[_choices, beside])
        {
            KeptChoices.Attach(choices, own, progress, found =>
            {
                dropped.AddRange(found.Except(dropped));
                this[DroppedName] = string.Join(" ", dropped);
                Write();
            });
        }

        void Write() => AtomicFile.WriteAllText(file, RunJson.Write<IReadOnlyDictionary<string, string>>(this));
    }
}
