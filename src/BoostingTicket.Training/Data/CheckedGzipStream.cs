using System.Buffers.Binary;
using System.IO.Compression;

namespace BoostingTicket.Training.Data;

/// <summary>
/// Reads a gzip file of one member and checks its length and CRC-32 when the end is reached. <see cref="GZipStream"/> alone
/// takes a file that is cut off, or followed by other bytes, for a whole one.
/// </summary>
internal sealed class CheckedGzipStream : Stream
{
    private const int TrailerLength = 8;

    private readonly GZipStream _inner;
    private readonly uint _expectedCrc;
    private readonly uint _expectedLength;
    private Crc32 _crc = new();
    private uint _length;

    /// <summary>Opens the stream.</summary>
    /// <param name="file">The compressed file, which must be able to seek; owned by this stream.</param>
    /// <exception cref="InvalidDataException">The file is too short for gzip.</exception>
    public CheckedGzipStream(Stream file)
    {
        if (file.Length < TrailerLength)
            throw new InvalidDataException("it is too short for a gzip file");
        Span<byte> trailer = stackalloc byte[TrailerLength];
        file.Position = file.Length - TrailerLength;
        file.ReadExactly(trailer);
        _expectedCrc = BinaryPrimitives.ReadUInt32LittleEndian(trailer);
        _expectedLength = BinaryPrimitives.ReadUInt32LittleEndian(trailer[4..]);
        file.Position = 0;
        _inner = new GZipStream(file, CompressionMode.Decompress);
    }

    /// <inheritdoc/>
    public override bool CanRead => true;

    /// <inheritdoc/>
    public override bool CanSeek => false;

    /// <inheritdoc/>
    public override bool CanWrite => false;

    /// <inheritdoc/>
    public override long Length => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>Reads on; at the end, checks what was read.</summary>
    /// <param name="buffer">Receives the bytes.</param>
    /// <returns>The number of bytes, 0 at the end.</returns>
    /// <exception cref="InvalidDataException">The file is not gzip, cut off, or changed.</exception>
    public override int Read(Span<byte> buffer)
    {
        int count = _inner.Read(buffer);
        _crc.Append(buffer[..count]);
        _length += (uint)count;
        if (count == 0 && buffer.Length > 0 && (_crc.Value != _expectedCrc || _length != _expectedLength))
            throw new InvalidDataException("what it unpacks to does not match its gzip checksum");
        return count;
    }

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    /// <inheritdoc/>
    public override void Flush()
    {
    }

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _inner.Dispose();
        base.Dispose(disposing);
    }
}
