using System.Security.Cryptography;

namespace BoostingTicket.Cli.Tests;

/// <summary>What equal work leaves equal bytes of, whoever did it and however often it was interrupted.</summary>
internal static class KeptFiles
{
    /// <summary>Weights, tickets, masks and images of a folder and below, and other files: path in the folder and SHA-256 of
    /// each.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="others">Paths of other files in it.</param>
    public static string[] Of(string folder, params string[] others) =>
    [
        .. Directory.GetFiles(folder, "*.safetensors", SearchOption.AllDirectories)
            .Concat(others.Select(name => Path.Combine(folder, name)))
            .Select(file => $"{Path.GetRelativePath(folder, file)} "
                + Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(file)))).Order(StringComparer.Ordinal),
    ];
}
