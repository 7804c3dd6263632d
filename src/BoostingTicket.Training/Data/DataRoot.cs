namespace BoostingTicket.Training.Data;

/// <summary>The folder under which the published data sets lie.</summary>
internal static class DataRoot
{
    /// <summary>The environment variable that names it.</summary>
    public const string EnvironmentVariable = "BOOSTING_TICKET_DATA";

    /// <summary>The folder, under the current one, that is used when nothing names another.</summary>
    public const string DefaultFolder = "data";

    /// <summary>The option, else the environment variable, else <see cref="DefaultFolder"/>.</summary>
    /// <param name="option">The folder that was asked for; null for none.</param>
    public static string Resolve(string? option)
    {
        if (!string.IsNullOrEmpty(option))
            return option;
        return Environment.GetEnvironmentVariable(EnvironmentVariable) is { Length: > 0 } folder ? folder : DefaultFolder;
    }

    /// <summary>A path of the layout under the folder.</summary>
    /// <param name="root">The folder.</param>
    /// <param name="relative">The path under it, with <c>/</c> between folders.</param>
    public static string PathOf(string root, string relative)
    {
        ArgumentNullException.ThrowIfNull(relative);
        return Path.Combine([root, .. relative.Split('/')]);
    }
}
