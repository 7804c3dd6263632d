using BoostingTicket.KernelCompiler;

namespace BoostingTicket.Engine.Tests.Cuda.Kernels;

/// <summary>The repository's kernels, where the tests run in it.</summary>
internal static class KernelFiles
{
    private const string NoRepository = "the tests do not run in the repository, so there is no source of the kernels";

    /// <summary>The nearest folder above this assembly that holds the solution, or null.</summary>
    public static string? Repository { get; } = Find();

    /// <summary>Every family's source, or the test is skipped.</summary>
    public static IReadOnlyList<KernelSource> Sources()
    {
        if (Repository is null)
            Assert.Ignore(NoRepository);
        return KernelSource.ReadAll(Path.Combine(Repository!, "kernels"));
    }

    private static string? Find()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "BoostingTicket.sln")))
                return folder.FullName;
        }
        return null;
    }
}
