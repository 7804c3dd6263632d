using System.Buffers.Binary;
using System.Text;

namespace BoostingTicket.Training.Data;

/// <summary>
/// Reads the files of a tar archive one after the other: POSIX ustar, pax (<c>path</c> and <c>size</c>; IEEE Std 1003.1-2017,
/// pax) and GNU (long names, sizes in base 256). Links, devices and folders are passed over. What a header says never asks for
/// memory: <c>System.Formats.Tar</c> allocates whatever size an extended header claims, and fails in undocumented ways on numbers
/// out of range.
/// </summary>
/// <param name="archive">The unpacked archive, read from where it stands; not disposed of.</param>
internal sealed class TarArchive(Stream archive)
{
    private const int BlockLength = 512;
    private const int LongestExtension = 1 << 16;
    private const long MostBytes = 1L << 30;

    private readonly byte[] _block = new byte[BlockLength];
    private readonly byte[] _skipped = new byte[1 << 13];
    private long _left;
    private int _padding;
    private long _read;
    private string? _longName;
    private long? _longSize;

    /// <summary>Name of the current file, as the archive has it.</summary>
    public string Name { get; private set; } = "";

    /// <summary>Bytes of the current file, as its header promises.</summary>
    public long Length { get; private set; }

    /// <summary>The content of the current file, until the next is gone to.</summary>
    public Stream Content => new FileContent(this);

    /// <summary>Goes to the next file; what was not read of the current one is passed over.</summary>
    /// <returns>False at the end of the archive.</returns>
    /// <exception cref="FormatException">The archive is damaged: what, as the end of a sentence.</exception>
    /// <exception cref="InvalidDataException">It cannot be unpacked.</exception>
    public bool MoveNext()
    {
        while (true)
        {
            Skip(_left + _padding);
            if (!ReadHeader())
                return false;
            char type = (char)_block[156];
            long size = Number(_block.AsSpan(124, 12), "size");
            switch (type)
            {
                case 'x':
                    Take(size, ParsePax);
                    continue;
                case 'L':
                    Take(size, bytes => _longName = Text(bytes));
                    continue;
                case 'g' or 'K':
                    Begin(size);
                    continue;
                case '0' or '\0' or '7':
                    Name = _longName ?? OwnName();
                    Length = _longSize ?? size;
                    (_longName, _longSize) = (null, null);
                    Begin(Length);
                    return true;
                // Links, devices, folders and pipes have no content, whatever their size says.
                case >= '1' and <= '6':
                    (_longName, _longSize) = (null, null);
                    Begin(0);
                    continue;
                default:
                    Begin(_longSize ?? size);
                    (_longName, _longSize) = (null, null);
                    continue;
            }
        }
    }

    /// <summary>Reads what follows the end mark of the archive, for checks that come with the last byte.</summary>
    /// <exception cref="FormatException">It is too long.</exception>
    /// <exception cref="InvalidDataException">It cannot be unpacked.</exception>
    public void ReadToEnd()
    {
        for (int count = -1; count != 0; Count(count))
            count = archive.Read(_skipped);
    }

    private int Read(Span<byte> buffer)
    {
        int count = (int)Math.Min(buffer.Length, _left);
        Fill(buffer[..count]);
        _left -= count;
        return count;
    }

    private void Begin(long size)
    {
        _left = size;
        _padding = (int)(-size & (BlockLength - 1));
    }

    private bool ReadHeader()
    {
        int count = archive.ReadAtLeast(_block, BlockLength, throwOnEndOfStream: false);
        // A block of zeros ends an archive; some end without.
        if (count == 0 || (count == BlockLength && !_block.AsSpan().ContainsAnyExcept((byte)0)))
            return false;
        if (count < BlockLength)
            throw new FormatException("it ends within a header");
        Count(BlockLength);
        long sum = 0, signed = 0;
        for (int i = 0; i < BlockLength; i++)
        {
            byte value = i is >= 148 and < 156 ? (byte)' ' : _block[i];
            sum += value;
            signed += (sbyte)value;
        }

        long expected = Number(_block.AsSpan(148, 8), "checksum");
        if (expected != sum && expected != signed)
            throw new FormatException("a header does not have its checksum");
        return true;
    }

    private void Take(long size, Action<byte[]> parse)
    {
        if (size > LongestExtension)
            throw new FormatException($"an extended header would be {size} bytes long, over the limit of {LongestExtension}");
        Begin(size);
        byte[] bytes = new byte[size];
        Read(bytes);
        parse(bytes);
    }

    // Records of "LENGTH KEY=VALUE\n", the length counting the whole record.
    private void ParsePax(byte[] bytes)
    {
        for (int start = 0; start < bytes.Length;)
        {
            int space = bytes.AsSpan(start).IndexOf((byte)' ');
            if (space <= 0 || !int.TryParse(bytes.AsSpan(start, space), out int length)
                || length <= space + 1 || length > bytes.Length - start || bytes[start + length - 1] != '\n')
            {
                // Zeros may pad the last record.
                if (!bytes.AsSpan(start).ContainsAnyExcept((byte)0))
                    return;
                throw new FormatException("an extended header is not a list of records");
            }

            ReadOnlySpan<byte> record = bytes.AsSpan(start + space + 1, length - space - 2);
            int equals = record.IndexOf((byte)'=');
            if (equals < 0)
                throw new FormatException("an extended header is not a list of records");
            ReadOnlySpan<byte> key = record[..equals], value = record[(equals + 1)..];
            if (key.SequenceEqual("path"u8))
                _longName = Text(value);
            else if (key.SequenceEqual("size"u8))
                _longSize = long.TryParse(value, out long size) && size >= 0 ? size
                    : throw new FormatException("an extended header has no valid size");
            start += length;
        }
    }

    private string OwnName()
    {
        string name = Text(_block.AsSpan(0, 100));
        bool posix = _block.AsSpan(257, 6).SequenceEqual("ustar\0"u8);
        string prefix = posix ? Text(_block.AsSpan(345, 155)) : "";
        return prefix.Length == 0 ? name : $"{prefix}/{name}";
    }

    private static string Text(ReadOnlySpan<byte> bytes)
    {
        int end = bytes.IndexOf((byte)0);
        return Encoding.UTF8.GetString(end < 0 ? bytes : bytes[..end]);
    }

    // Octal digits with blanks or zeros around, or, of GNU, base 256 behind a first byte of 0x80.
    private static long Number(ReadOnlySpan<byte> field, string what)
    {
        if ((field[0] & 0x80) != 0)
        {
            ReadOnlySpan<byte> high = field.Length == sizeof(ulong) ? [] : field[1..^8];
            ulong low = BinaryPrimitives.ReadUInt64BigEndian(field[^8..]);
            if (field.Length == sizeof(ulong))
                low &= long.MaxValue;

            if (field[0] != 0x80 || high.ContainsAnyExcept((byte)0) || low > long.MaxValue)
                throw new FormatException($"a header has no valid {what}");
            return (long)low;
        }

        long value = 0;
        bool any = false;
        foreach (byte digit in field.Trim((byte)' ').TrimEnd((byte)0).Trim((byte)' '))
        {
            if (digit == 0)
                break;
            if (digit is < (byte)'0' or > (byte)'7')
                throw new FormatException($"a header has no valid {what}");
            value = (value << 3) + (digit - '0');
            any = true;
        }

        return any || what == "size" ? value : throw new FormatException($"a header has no valid {what}");
    }

    private void Skip(long count)
    {
        _left = 0;
        _padding = 0;
        for (long left = count; left > 0;)
        {
            int part = (int)Math.Min(left, _skipped.Length);
            Fill(_skipped.AsSpan(0, part));
            left -= part;
        }
    }

    private void Fill(Span<byte> buffer)
    {
        Count(buffer.Length);
        if (archive.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false) < buffer.Length)
            throw new FormatException("it ends within a file");
    }

    // Archives of images are at most a fifth of that; a small file that unpacks to more is there to keep the program busy.
    private void Count(int bytes)
    {
        _read += bytes;
        if (_read > MostBytes)
            throw new FormatException($"it unpacks to over {MostBytes >> 20} MB");
    }

    /// <summary>A file of the archive as a stream that can be read once.</summary>
    private sealed class FileContent(TarArchive owner) : Stream
    {
        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => owner.Length;

        public override long Position
        {
            get => owner.Length - owner._left;
            set => throw new NotSupportedException();
        }

        public override int Read(Span<byte> buffer) => owner.Read(buffer);

        public override int Read(byte[] buffer, int offset, int count) => owner.Read(buffer.AsSpan(offset, count));

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
