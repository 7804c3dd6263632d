using System.Security.Cryptography;

namespace BoostingTicket.Training.Data;

/// <summary>A checksum that a publisher or this project states for a file.</summary>
/// <param name="Algorithm">MD5 or SHA-256: MD5 is what the publishers of these data sets give, against accidents.</param>
/// <param name="Hex">The checksum, lower-case hexadecimal.</param>
internal sealed record FileChecksum(HashAlgorithmName Algorithm, string Hex)
{
    /// <summary>An MD5 checksum.</summary>
    /// <param name="hex">Lower-case hexadecimal.</param>
    public static FileChecksum Md5(string hex) => new(HashAlgorithmName.MD5, hex);

    /// <summary>A SHA-256 checksum.</summary>
    /// <param name="hex">Lower-case hexadecimal.</param>
    public static FileChecksum Sha256(string hex) => new(HashAlgorithmName.SHA256, hex);

    /// <summary>Whether the bytes have this checksum.</summary>
    /// <param name="bytes">The whole content.</param>
    public bool Matches(ReadOnlySpan<byte> bytes) =>
        Convert.ToHexStringLower(CryptographicOperations.HashData(Algorithm, bytes)) == Hex;

    /// <summary>Whether a file has this checksum.</summary>
    /// <param name="path">The file, which must exist.</param>
    /// <exception cref="DataException">The file cannot be read.</exception>
    public bool MatchesFile(string path)
    {
        try
        {
            using FileStream stream = File.OpenRead(path);
            return Convert.ToHexStringLower(CryptographicOperations.HashData(Algorithm, stream)) == Hex;
        }
        catch (Exception error) when (Files.StorageErrors.IsStorage(error))
        {
            throw new DataException($"Cannot read {path}: {Files.StorageErrors.Reason(error)}; make it readable.", error);
        }
    }
}
