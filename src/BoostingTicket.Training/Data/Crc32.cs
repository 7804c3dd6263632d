using System.Buffers.Binary;

namespace BoostingTicket.Training.Data;

/// <summary>The CRC-32 of gzip (RFC 1952), eight bytes a step (slicing-by-8).</summary>
internal struct Crc32()
{
    private const uint Polynomial = 0xEDB88320;
    private const int Slices = 8;
    private static readonly uint[] Table = CreateTable();

    private uint _state = uint.MaxValue;

    /// <summary>The checksum of all bytes appended so far.</summary>
    public readonly uint Value => ~_state;

    /// <summary>Appends bytes.</summary>
    /// <param name="bytes">The next bytes.</param>
    public void Append(ReadOnlySpan<byte> bytes)
    {
        uint state = _state;
        ReadOnlySpan<uint> table = Table;
        while (bytes.Length >= Slices)
        {
            uint low = state ^ BinaryPrimitives.ReadUInt32LittleEndian(bytes);
            uint high = BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]);
            state = table[(7 << 8) + (int)(low & 0xFF)] ^ table[(6 << 8) + (int)(low >> 8 & 0xFF)]
                ^ table[(5 << 8) + (int)(low >> 16 & 0xFF)] ^ table[(4 << 8) + (int)(low >> 24)]
                ^ table[(3 << 8) + (int)(high & 0xFF)] ^ table[(2 << 8) + (int)(high >> 8 & 0xFF)]
                ^ table[(1 << 8) + (int)(high >> 16 & 0xFF)] ^ table[(int)(high >> 24)];
            bytes = bytes[Slices..];
        }

        foreach (byte value in bytes)
            state = table[(int)((state ^ value) & 0xFF)] ^ state >> 8;
        _state = state;
    }

    private static uint[] CreateTable()
    {
        uint[] table = new uint[Slices << 8];
        for (uint value = 0; value < 256; value++)
        {
            uint state = value;
            for (int bit = 0; bit < 8; bit++)
                state = (state & 1) != 0 ? state >> 1 ^ Polynomial : state >> 1;
            table[value] = state;
        }

        for (int i = 256; i < table.Length; i++)
            table[i] = table[(int)(table[i - 256] & 0xFF)] ^ table[i - 256] >> 8;
        return table;
    }
}
