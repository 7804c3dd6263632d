using System.Buffers.Binary;
using System.IO.Compression;
using System.IO.Hashing;

namespace BoostingTicket.Training.Data;

/// <summary>
/// Reads a gzip file of one or more members (RFC 1952), which zeros may follow, as tapes and some tools leave them. Checks the
/// length and CRC-32 of each member. <see cref="GZipStream"/> alone takes a file that is cut off, or followed by other bytes, for
/// a whole one.</summary>
internal sealed class CheckedGzipStream : Stream
{
    private const int TrailerLength = 8;
    private const byte FirstMagic = 0x1F, SecondMagic = 0x8B, Deflate = 8;

    private readonly Stream _file;
    private readonly MeasuredSource _source;
    private DeflateStream? _member;
    private readonly Crc32 _crc = new();
    private uint _length;

    /// <summary>Opens the stream.</summary>
    /// <param name="file">The compressed file, which must be able to seek; owned by this stream.</param>
    /// <exception cref="InvalidDataException">The file is too short for gzip, or does not begin as gzip does.</exception>
    public CheckedGzipStream(Stream file)
    {
        if (file.Length < TrailerLength)
            throw new InvalidDataException("it is too short for a gzip file");
        _file = file;
        _source = new MeasuredSource(file);
        OpenMember(0);
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

    /// <summary>Whether bytes begin as a gzip file does.</summary>
    public static bool IsGzip(ReadOnlySpan<byte> start) => start is [FirstMagic, SecondMagic, ..];

    /// <summary>Reads on; at the end of each member, checks what was read of it.</summary>
    /// <param name="buffer">Receives the bytes.</param>
    /// <returns>The number of bytes, 0 at the end.</returns>
    /// <exception cref="InvalidDataException">The file is not gzip, cut off, or changed.</exception>
    public override int Read(Span<byte> buffer)
    {
        while (_member is not null && buffer.Length > 0)
        {
            int count = _member.Read(buffer);
            if (count > 0)
            {
                _crc.Append(buffer[..count]);
                _length += (uint)count;
                return count;
            }

            EndMember();
        }

        return 0;
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
        {
            _member?.Dispose();
            _file.Dispose();
        }

        base.Dispose(disposing);
    }

    private void OpenMember(long begin)
    {
        _file.Position = begin;
        SkipHeader();
        _source.Begin();
        _crc.Reset();
        _length = 0;
        _member = new DeflateStream(_source, CompressionMode.Decompress, leaveOpen: true);
    }

    // A DeflateStream does not say where its data ended, only that they ended in the last bytes that it took. The trailer there
    // has 64 bits that are known by now, so that finding them is checking them.
    private void EndMember()
    {
        _member!.Dispose();
        _member = null;
        long begin = _source.LastBegin;
        byte[] bytes = new byte[_file.Position - begin + TrailerLength];
        _file.Position = begin;
        bytes = bytes[.._file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false)];
        Span<byte> trailer = stackalloc byte[TrailerLength];
        BinaryPrimitives.WriteUInt32LittleEndian(trailer, _crc.GetCurrentHashAsUInt32());
        BinaryPrimitives.WriteUInt32LittleEndian(trailer[4..], _length);
        bool found = false;
        for (int at = 0; at <= bytes.Length - TrailerLength; at++)
        {
            if (!bytes.AsSpan(at, TrailerLength).SequenceEqual(trailer))
                continue;
            found = true;
            // The trailer of an empty member is zeros, which may begin a byte early; what follows tells.
            long end = begin + at + TrailerLength;
            if (IsMemberAt(end))
            {
                OpenMember(end);
                return;
            }
            if (OnlyZerosFrom(end))
                return;
        }

        throw new InvalidDataException(found
            ? "other bytes than zeros or more gzip follow its compressed data"
            : "what it unpacks to does not match its gzip checksum");
    }

    private bool IsMemberAt(long position)
    {
        Span<byte> start = stackalloc byte[2];
        _file.Position = position;
        return IsGzip(start[.._file.ReadAtLeast(start, start.Length, throwOnEndOfStream: false)]);
    }

    private bool OnlyZerosFrom(long position)
    {
        byte[] chunk = new byte[4096];
        _file.Position = position;
        int count;
        while ((count = _file.Read(chunk)) > 0)
        {
            if (chunk.AsSpan(0, count).ContainsAnyExcept((byte)0))
                return false;
        }

        return true;
    }

    private void SkipHeader()
    {
        const int HasCrc = 2, HasExtra = 4, HasName = 8, HasComment = 16, Reserved = 0xE0;
        Span<byte> header = stackalloc byte[10];
        ReadHeader(header);
        if (!IsGzip(header) || header[2] != Deflate || (header[3] & Reserved) != 0)
            throw new InvalidDataException("it does not begin as a gzip file does");
        int flags = header[3];
        Span<byte> two = stackalloc byte[2];
        if ((flags & HasExtra) != 0)
        {
            ReadHeader(two);
            _file.Position += BinaryPrimitives.ReadUInt16LittleEndian(two);
        }
        if ((flags & HasName) != 0)
            SkipText();
        if ((flags & HasComment) != 0)
            SkipText();
        if ((flags & HasCrc) != 0)
            ReadHeader(two);
    }

    private void SkipText()
    {
        int value;
        while ((value = _file.ReadByte()) != 0)
        {
            if (value < 0)
                throw new InvalidDataException("it ends within its gzip header");
        }
    }

    private void ReadHeader(Span<byte> bytes)
    {
        if (_file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false) < bytes.Length)
            throw new InvalidDataException("it ends within its gzip header");
    }

    /// <summary>Passes a file's bytes on and remembers where the last portion began. Portions begin small, so that many short
    /// members cost no more than their size.</summary>
    private sealed class MeasuredSource(Stream file) : Stream
    {
        private const int FirstPortion = 64;

        private int _portion;

        public long LastBegin { get; private set; }

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public void Begin()
        {
            LastBegin = file.Position;
            _portion = FirstPortion;
        }

        public override int Read(Span<byte> buffer)
        {
            if (file.Position < file.Length)
                LastBegin = file.Position;
            int count = file.Read(buffer[..Math.Min(buffer.Length, _portion)]);
            _portion = Math.Min(2 * _portion, 1 << 20);
            return count;
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
