namespace BoostingTicket.Cli.Tests;

/// <summary>The files that the tests are built from.</summary>
internal static class Repository
{
    /// <summary>Its folder: the nearest above this assembly with the solution in it.</summary>
    public static string Root { get; } = Find();

    private static string Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "BoostingTicket.sln")))
                return folder.FullName;
        }

        throw new InvalidOperationException($"There is no BoostingTicket.sln above {AppContext.BaseDirectory}.");
    }
}
