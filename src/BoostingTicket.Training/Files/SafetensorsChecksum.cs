using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace BoostingTicket.Training.Files;

/// <summary>
/// The checksum that this project's files carry in their metadata under <see cref="Key"/>: SHA-256 over every metadata pair
/// but itself and every tensor (name, type, shape, bytes), each in ordinal order of names, texts preceded by their UTF-8
/// length. It depends on what a file holds and not on how it is laid out, so another library may load and save the file.
/// </summary>
internal sealed class SafetensorsChecksum : IDisposable
{
    /// <summary>The metadata key.</summary>
    public const string Key = "boosting-ticket.sha256";

    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    /// <summary>Starts with the metadata.</summary>
    /// <param name="metadata">All pairs of the file; <see cref="Key"/> is passed over.</param>
    public SafetensorsChecksum(IEnumerable<KeyValuePair<string, string>> metadata)
    {
        foreach ((string key, string value) in metadata.Where(pair => pair.Key != Key).OrderBy(
            pair => pair.Key, StringComparer.Ordinal))
        {
            Append(key);
            Append(value);
        }
    }

    /// <summary>Adds the header of the next tensor (in ordinal order of names); its bytes follow by <see
    /// cref="Append(ReadOnlySpan{byte})"/>.</summary>
    /// <param name="name">The name of the tensor.</param>
    /// <param name="type">Its element type.</param>
    /// <param name="shape">Its sizes.</param>
    public void Append(string name, SafetensorsType type, IReadOnlyList<long> shape)
    {
        Append(name);
        Append(SafetensorsEntry.Describe(type, shape));
    }

    /// <summary>Adds bytes of the current tensor.</summary>
    /// <param name="bytes">The next bytes.</param>
    public void Append(ReadOnlySpan<byte> bytes) => _hash.AppendData(bytes);

    /// <summary>The checksum, lower-case hexadecimal.</summary>
    public string Finish() => Convert.ToHexStringLower(_hash.GetHashAndReset());

    /// <inheritdoc/>
    public void Dispose() => _hash.Dispose();

    private void Append(string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        Span<byte> length = stackalloc byte[sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(length, bytes.Length);
        _hash.AppendData(length);
        _hash.AppendData(bytes);
    }
}
