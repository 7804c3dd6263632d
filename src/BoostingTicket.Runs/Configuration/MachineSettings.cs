using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using BoostingTicket.Training;

namespace BoostingTicket.Runs.Configuration;

/// <summary>What a configuration file may say besides settings: what the outcome does not depend on, and what therefore is
/// neither part of a <see cref="RunConfiguration"/> nor of its hash.</summary>
/// <param name="Threads">Threads to compute on, 0 for one a processor; null where the file does not say.</param>
/// <param name="Out">Folder of the run; null where the file does not say.</param>
/// <param name="DataFolder">Folder of the data sets; null where the file does not say.</param>
internal sealed record MachineSettings(int? Threads, string? Out, string? DataFolder)
{
    /// <summary>Most threads that can be asked for.</summary>
    public const int MostThreads = 1_024;

    private const string ThreadsName = "threads";
    private const string OutName = "out";
    private const string DataFolderName = "dataFolder";

    /// <summary>A file that says nothing of it.</summary>
    public static MachineSettings None { get; } = new(null, null, null);

    /// <summary>The properties, all at the top of the file.</summary>
    public static IReadOnlyList<string> Names { get; } = [ThreadsName, OutName, DataFolderName];

    /// <summary>Takes the properties out of a file's object.</summary>
    /// <param name="settings">The object; settings alone are left in it.</param>
    /// <param name="file">Its name, for errors.</param>
    /// <exception cref="ConfigurationException">A value cannot be used.</exception>
    internal static MachineSettings Take(JsonObject settings, string file)
    {
        var taken = new MachineSettings(
            Number(settings[ThreadsName], file), Text(settings[OutName], OutName, file),
            Text(settings[DataFolderName], DataFolderName, file));
        foreach (string name in Names)
            settings.Remove(name);
        return taken;
    }

    private static int? Number(JsonNode? value, string file)
    {
        if (value is null)
            return null;
        return value is JsonValue number && number.GetValueKind() == JsonValueKind.Number && number.TryGetValue(out int threads)
            && threads is >= 0 and <= MostThreads
            ? threads
            : throw new ConfigurationException(string.Create(
                CultureInfo.InvariantCulture,
                $"{ThreadsName} in {file} is {value.ToJsonString()}; give a whole number from 0 to {MostThreads}."));
    }

    private static string? Text(JsonNode? value, string name, string file)
    {
        if (value is null)
            return null;
        return value.GetValueKind() == JsonValueKind.String && value.GetValue<string>() is { Length: > 0 } path
            && !path.Contains('\0')
            ? path
            : throw new ConfigurationException($"{name} in {file} is {value.ToJsonString()}; give the path of a folder as text.");
    }
}
